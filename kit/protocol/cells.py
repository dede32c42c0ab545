"""Checks of the cells: P03, P04, P11, P12, P14, P21, P22."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator

from kit.config.model import CellLine
from kit.core.findings import band
from kit.protocol.base import Check, Evidence, Ruling, not_given


def acclimatized(evidence: Evidence) -> Iterator[Ruling]:
    """P03: passages in dialyzed serum with all amino acids; those in undialyzed serum do not count,
    and warn without `strict_serum`.
    """
    config, settings = evidence.config, evidence.settings
    passages = config.protocol.acclimatization_passages
    serum = config.protocol.acclimatization_serum
    regular = serum is not None and config.sera[serum].dialyzed is False
    if passages is None:
        yield not_given("acclimatization", "protocol.acclimatization_passages")
    else:
        enough = passages >= settings.min_acclimatization_passages and not regular
        verdict = band(enough, passages == 0 or (regular and settings.strict_serum))
        values = {
            "passages": f"{passages} passage{'s' * (passages != 1)}",
            "serum": f"undialyzed {serum}" if regular else "dialyzed serum",
        }
        yield Ruling("P03_PASSAGES", "acclimatization", verdict, values)
    for line in evidence.lines():
        slow = config.cells(line, "doubling_time_dialyzed_h")
        usual = config.cells(line, "doubling_time_regular_h")
        if slow is not None and usual is not None:
            verdict = band(slow / usual <= settings.max_doubling_time_ratio, False)
            yield Ruling("P03_SLOW", line, verdict, {"ratio": slow / usual}, line)


def no_selection(evidence: Evidence) -> Iterator[Ruling]:
    """P04: cells that lived without asparagine before are a selected population (Broome 1963)."""
    for line in evidence.lines():
        history = evidence.config.cell_lines[line].asparagine_free_history
        if history is None:
            yield not_given(line, f"cell_lines.{line}.asparagine_free_history", line)
        elif history:
            yield Ruling("P04_SELECTED", line, "warn", {"line": line}, line)
        else:
            yield Ruling("P04_NEVER", line, "pass", scope=line)


def _given(
    evidence: Evidence,
    lines: Iterable[str],
    field: str,
    code: str,
    verdict: Callable[[float], str],
) -> Iterator[Ruling]:
    """A field of the protocol, given for all lines or for one, judged per line."""
    for line in lines:
        value = evidence.config.cells(line, field)
        if value is None:
            yield not_given(line, f"protocol.{field}", line)
        else:
            yield Ruling(code, line, verdict(value), {"given": value}, line)


def density(evidence: Evidence) -> Iterator[Ruling]:
    """P11: confluence of adherent lines, viable cells per mL of suspension lines. Between the upper
    end of the range and the warning limit the latter is only noted.
    """
    s, suspended = evidence.settings, evidence.lines("suspension")

    def confluence(value: float) -> str:
        good = s.min_confluence_percent <= value <= s.max_confluence_percent
        return band(good, value > s.fail_confluence_percent)

    def viable(value: float) -> str:
        if s.min_viable_per_mL <= value <= s.max_viable_per_mL:
            return "pass"
        return "info" if s.max_viable_per_mL < value <= s.warn_viable_per_mL else "warn"

    for line in evidence.lines(None):
        yield not_given(line, f"cell_lines.{line}.growth_mode", line)
    adherent, field = evidence.lines("adherent"), "seeding_confluence_percent"
    yield from _given(evidence, adherent, field, "P11_CONFLUENCE", confluence)
    yield from _given(evidence, suspended, "seeding_viable_per_mL", "P11_VIABLE", viable)
    for line in suspended:
        end = evidence.config.cells(line, "control_endpoint_viable_per_mL")
        if end is not None:
            verdict = band(end <= s.max_endpoint_viable_per_mL, False)
            yield Ruling("P11_ENDPOINT", line, verdict, {"given": end}, line)


def adherence(evidence: Evidence) -> Iterator[Ruling]:
    """P12: adherent cells need time to attach, and lose it for the assay when they get too much."""
    s, hours = evidence.settings, evidence.config.protocol.adherence_h
    for line in evidence.lines("adherent", None):
        if hours is None:
            yield not_given(line, "protocol.adherence_h", line)
        else:
            good = s.min_adherence_h <= hours <= s.max_adherence_h
            verdict = band(good, hours < s.fail_adherence_h)
            yield Ruling("P12_HOURS", line, verdict, {"given": hours}, line)


def cell_loss(evidence: Evidence) -> Iterator[Ruling]:
    """P14: washing must not take the cells along."""
    limit, field = evidence.settings.max_cell_loss_percent, "cell_loss_by_wash_percent"
    yield from _given(
        evidence, evidence.lines(), field, "P14_LOSS", lambda value: band(value <= limit, False)
    )


def viability(evidence: Evidence) -> Iterator[Ruling]:
    """P21: dead cells at the start leak amino acids and ATP."""
    good, bad = evidence.settings.min_viability_percent, evidence.settings.fail_viability_percent
    yield from _given(
        evidence,
        evidence.lines(),
        "viability_at_seeding_percent",
        "P21_VIABLE",
        lambda value: band(value >= good, value < bad),
    )


def identity(evidence: Evidence) -> Iterator[Ruling]:
    """P22: free of mycoplasma (some of which consume amino acids), the right line, and how old."""
    if evidence.last_day is None:
        yield not_given("experiment", "date")
    known = any(replicate.passage is not None for replicate in evidence.config.replicates.values())
    for line, cell in evidence.config.cell_lines.items():
        yield _mycoplasma(evidence, line, cell)
        yield _profile(evidence, line, cell)
        if cell.passage is None and not known:
            yield not_given(line, f"cell_lines.{line}.passage", line)


def _mycoplasma(evidence: Evidence, line: str, cell: CellLine) -> Ruling:
    test, place = cell.mycoplasma, f"cell_lines.{line}.mycoplasma"
    if test is None or test.result is None:
        return not_given(line, place, line)
    if test.result == "positive":
        return Ruling("P22_MYCOPLASMA", line, "fail", {"line": line}, line)
    if test.date is None:
        return not_given(line, f"{place}.date", line)
    return _age(
        evidence,
        line,
        ("P22_MYCOPLASMA_AGE", "P22_MYCOPLASMA_UNDATED"),
        test.date,
        "max_mycoplasma_age_days",
    )


def _profile(evidence: Evidence, line: str, cell: CellLine) -> Ruling:
    if cell.str_match is False:
        return Ruling("P22_STR_DIFFERS", line, "fail", {"line": line}, line)
    if cell.str_date is None:
        return not_given(line, f"cell_lines.{line}.str_date", line)
    return _age(
        evidence, line, ("P22_STR_AGE", "P22_STR_UNDATED"), cell.str_date, "max_str_age_days"
    )


def _age(
    evidence: Evidence, line: str, codes: tuple[str, str], date: dt.date, limit: str
) -> Ruling:
    """How far a test lies from the assay; the second code where the day of the assay is unknown."""
    if evidence.last_day is None:
        return Ruling(codes[1], line, "warn", {"line": line, "date": date}, line, "date")
    days = abs((evidence.last_day - date).days)
    verdict = band(days <= getattr(evidence.settings, limit), False)
    return Ruling(codes[0], line, verdict, {"line": line, "days": days}, line)


CELL_CHECKS = (
    Check("P03", "fail", acclimatized),
    Check("P04", "warn", no_selection),
    Check("P11", "fail", density),
    Check("P12", "fail", adherence),
    Check("P14", "warn", cell_loss),
    Check("P21", "fail", viability),
    Check("P22", "fail", identity),
)
