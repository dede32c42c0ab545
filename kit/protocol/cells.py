"""Checks of the cells: P03, P04, P11, P12, P14, P21, P22."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kit.config.model import CellLine
from kit.protocol.base import Check, Evidence, Ruling, band, not_given

Judged = tuple[str, str, str]
"""What was found, the verdict, the advice."""


def acclimatized(evidence: Evidence) -> Iterator[Ruling]:
    """P03: passages in dialyzed serum with all amino acids; those in undialyzed serum do not count,
    and warn without `strict_serum`.
    """
    config, asked = evidence.config, evidence.settings.min_acclimatization_passages
    passages, serum = (
        config.protocol.acclimatization_passages,
        config.protocol.acclimatization_serum,
    )
    regular = serum is not None and config.sera[serum].dialyzed is False
    if passages is None:
        yield not_given("acclimatization", "protocol.acclimatization_passages")
    else:
        voided = regular and evidence.settings.strict_serum
        verdict = band(passages >= asked and not regular, passages == 0 or voided)
        value = f"{passages} passage{'s' * (passages != 1)} in " + (
            f"undialyzed {serum}" if regular else "dialyzed serum"
        )
        advice = (
            ""
            if verdict == "pass"
            else (
                f"Passage at least {asked} times in dialyzed serum with all amino acids before the"
                " assay."
            )
        )
        yield Ruling("acclimatization", value, verdict, advice)
    for line in evidence.lines():
        slow, usual = (
            config.cells(line, "doubling_time_dialyzed_h"),
            config.cells(line, "doubling_time_regular_h"),
        )
        if slow is not None and usual is not None:
            good = slow / usual <= evidence.settings.max_doubling_time_ratio
            advice = "" if good else "Acclimatize longer, or try another lot of dialyzed serum."
            yield Ruling(
                line,
                f"doubling time {slow / usual:.2g} times that in regular serum",
                band(good, False),
                advice,
                line,
            )


def no_selection(evidence: Evidence) -> Iterator[Ruling]:
    """P04: cells that lived without asparagine before are a selected population (Broome 1963)."""
    for line in evidence.lines():
        history = evidence.config.cell_lines[line].asparagine_free_history
        if history is None:
            yield not_given(line, f"cell_lines.{line}.asparagine_free_history", line)
        elif history:
            yield Ruling(
                line,
                "grown before without asparagine or with asparaginase",
                "warn",
                f"Thaw an earlier stock of {line}.",
                line,
            )
        else:
            yield Ruling(line, "never without asparagine", "pass", "", line)


def _seeding(
    evidence: Evidence, lines: list[str], field: str, judge: Callable[[float], Judged]
) -> Iterator[Ruling]:
    """A value given for all lines or for one, judged per line."""
    for line in lines:
        value = evidence.config.cells(line, field)
        yield (
            not_given(line, f"protocol.{field}", line)
            if value is None
            else Ruling(line, *judge(value), line)
        )


def density(evidence: Evidence) -> Iterator[Ruling]:
    """P11: confluence of adherent lines, viable cells per mL of suspension lines."""
    for line in evidence.lines(None):
        yield not_given(line, f"cell_lines.{line}.growth_mode", line)
    yield from _seeding(
        evidence,
        evidence.lines("adherent"),
        "seeding_confluence_percent",
        lambda value: _confluence(evidence, value),
    )
    yield from _seeding(
        evidence,
        evidence.lines("suspension"),
        "seeding_viable_per_mL",
        lambda value: _viable(evidence, value),
    )
    for line in evidence.lines("suspension"):
        end, limit = (
            evidence.config.cells(line, "control_endpoint_viable_per_mL"),
            evidence.settings.max_endpoint_viable_per_mL,
        )
        if end is not None:
            advice = (
                ""
                if end <= limit
                else (
                    f"Seed fewer cells: control ends above {limit:.2g} per mL and exhausts its"
                    " medium."
                )
            )
            yield Ruling(
                line,
                f"control ends at {end:.2g} viable cells per mL",
                band(end <= limit, False),
                advice,
                line,
            )


def _confluence(evidence: Evidence, value: float) -> Judged:
    settings = evidence.settings
    verdict = band(
        settings.min_confluence_percent <= value <= settings.max_confluence_percent,
        value > settings.fail_confluence_percent,
    )
    advice = (
        ""
        if verdict == "pass"
        else (
            f"Seed for {settings.min_confluence_percent:g} to {settings.max_confluence_percent:g} %"
            " confluence."
        )
    )
    return f"{value:g} % confluent at the switch", verdict, advice


def _viable(evidence: Evidence, value: float) -> Judged:
    """Between the upper end of the range and the warning limit the value is only noted."""
    settings = evidence.settings
    low, high = settings.min_viable_per_mL, settings.max_viable_per_mL
    verdict = (
        "pass"
        if low <= value <= high
        else "info"
        if high < value <= settings.warn_viable_per_mL
        else "warn"
    )
    return (
        f"{value:.2g} viable cells per mL",
        verdict,
        "" if verdict == "pass" else f"Seed {low:.2g} to {high:.2g} viable cells per mL.",
    )


def adherence(evidence: Evidence) -> Iterator[Ruling]:
    """P12: adherent cells need time to attach, and lose it for the assay when they get too much."""
    settings = evidence.settings
    hours = evidence.config.protocol.adherence_h
    for line in evidence.lines("adherent", None):
        if hours is None:
            yield not_given(line, "protocol.adherence_h", line)
        else:
            verdict = band(
                settings.min_adherence_h <= hours <= settings.max_adherence_h,
                hours < settings.fail_adherence_h,
            )
            advice = (
                ""
                if verdict == "pass"
                else (
                    f"Switch {settings.min_adherence_h:g} to {settings.max_adherence_h:g} h after"
                    " seeding."
                )
            )
            yield Ruling(line, f"{hours:g} h of adherence", verdict, advice, line)


def cell_loss(evidence: Evidence) -> Iterator[Ruling]:
    """P14: washing must not take the cells along."""
    limit = evidence.settings.max_cell_loss_percent
    advice = "Wash with PBS that holds calcium and magnesium, against the wall of the well."

    def judge(value: float) -> Judged:
        return (
            f"{value:g} % of cells lost by the washes",
            band(value <= limit, False),
            "" if value <= limit else advice,
        )

    yield from _seeding(evidence, evidence.lines(), "cell_loss_by_wash_percent", judge)


def viability(evidence: Evidence) -> Iterator[Ruling]:
    """P21: dead cells at the start leak amino acids and ATP."""
    settings = evidence.settings

    def judge(value: float) -> Judged:
        verdict = band(
            value >= settings.min_viability_percent, value < settings.fail_viability_percent
        )
        return (
            f"{value:g} % viable at seeding",
            verdict,
            "" if verdict == "pass" else "Seed from a healthy culture in log phase.",
        )

    yield from _seeding(evidence, evidence.lines(), "viability_at_seeding_percent", judge)


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
    test, limit, today = (
        cell.mycoplasma,
        evidence.settings.max_mycoplasma_age_days,
        evidence.last_day,
    )
    if test is None or test.result is None:
        return not_given(line, f"cell_lines.{line}.mycoplasma", line)
    if test.result == "positive":
        return Ruling(
            line,
            "mycoplasma positive",
            "fail",
            f"Discard {line}, thaw a clean stock and repeat.",
            line,
        )
    if test.date is None:
        return not_given(line, f"cell_lines.{line}.mycoplasma.date", line)
    if today is None:
        return Ruling(
            line,
            f"mycoplasma negative on {test.date}, days before the assay unknown",
            "warn",
            "Fill in `date` in experiment.yaml.",
            line,
            missing="date",
        )
    age = abs((today - test.date).days)
    advice = (
        ""
        if age <= limit
        else f"Test {line} for mycoplasma again: at most {limit:g} days from the assay."
    )
    return Ruling(
        line,
        f"mycoplasma negative, {age} days from the assay",
        band(age <= limit, False),
        advice,
        line,
    )


def _profile(evidence: Evidence, line: str, cell: CellLine) -> Ruling:
    limit, today = evidence.settings.max_str_age_days, evidence.last_day
    if cell.str_match is False:
        return Ruling(
            line,
            "STR profile does not match",
            "fail",
            f"Obtain an authenticated stock of {line} and repeat.",
            line,
        )
    if cell.str_date is None:
        return not_given(line, f"cell_lines.{line}.str_date", line)
    if today is None:
        return Ruling(
            line,
            f"STR profile of {cell.str_date}, age unknown",
            "warn",
            "Fill in `date` in experiment.yaml.",
            line,
            missing="date",
        )
    age = abs((today - cell.str_date).days)
    advice = (
        "" if age <= limit else f"Have {line} profiled again: at most 12 months from the assay."
    )
    return Ruling(
        line, f"STR profile {age} days from the assay", band(age <= limit, False), advice, line
    )


CELL_CHECKS = (
    Check(
        "P03",
        "at least {min_acclimatization_passages} passages in dialyzed serum with all amino acids;"
        " doubling time at most {max_doubling_time_ratio:g}-fold",
        "fail",
        acclimatized,
    ),
    Check(
        "P04", "no earlier culture without asparagine or with asparaginase", "warn", no_selection
    ),
    Check(
        "P11",
        "adherent: {min_confluence_percent:g} to {max_confluence_percent:g} % confluent, above"
        " {fail_confluence_percent:g} fails; suspension: {min_viable_per_mL:.2g} to"
        " {max_viable_per_mL:.2g} viable per mL, above {warn_viable_per_mL:.2g} warns",
        "fail",
        density,
    ),
    Check(
        "P12",
        "adherent: {min_adherence_h:g} to {max_adherence_h:g} h of adherence, below"
        " {fail_adherence_h:g} h fails",
        "fail",
        adherence,
    ),
    Check(
        "P14", "at most {max_cell_loss_percent:g} % of cells lost by the washes", "warn", cell_loss
    ),
    Check(
        "P21",
        "at least {min_viability_percent:g} % viable at seeding, below {fail_viability_percent:g}"
        " fails",
        "fail",
        viability,
    ),
    Check(
        "P22",
        "mycoplasma negative within {max_mycoplasma_age_days:g} days, STR profile within"
        " {max_str_age_days:g} days and matching, passage recorded",
        "fail",
        identity,
    ),
)
