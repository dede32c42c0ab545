"""Checks that need the data: P15 to P20, P23, P24."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from kit.config.model import CALLED
from kit.core.findings import band, listing
from kit.core.reference import line_letters
from kit.core.wells import PLATES, plate_shape
from kit.protocol.base import (
    PLACED,
    Check,
    Evidence,
    Ruling,
    not_given,
    replicates_named,
    scope_of,
)

HIGH, LOW, DISPUTED = {"hela", "a549"}, {"molt4", "jurkat", "u937"}, {"jurkat"}
"""Reference lines by name, for lines whose ASNS class is not given. Jurkat's class is contradicted
(Guarecuco 2020; Akahane 2022).
"""


def start_plate(evidence: Evidence) -> Iterator[Ruling]:
    """P15: without a 0 h plate GR rests on an assumed doubling time."""
    if evidence.viability.empty:
        return
    settings, delay = evidence.settings, evidence.config.protocol.t0_delay_h
    for line, wells in evidence.viability.groupby("cell_line", sort=False):
        later, start = wells[wells["hours"].gt(0)], wells[wells["hours"].eq(0)]
        counts = (
            start.groupby("replicate")
            .size()
            .reindex(sorted(later["replicate"].unique()), fill_value=0)
        )
        few = counts[counts < settings.min_t0_wells]
        if len(few):
            where = f" in {replicates_named(few.index)}"
            values = {"count": int(few.min()), "where": where, "line": line}
            yield Ruling("P15_WELLS", str(line), "warn", values, str(line))
        elif len(counts):
            values = {"count": int(counts.min()), "where": "", "line": line}
            yield Ruling("P15_WELLS", str(line), "pass", values, str(line))
    if evidence.viability["hours"].eq(0).any():
        if delay is None:
            yield not_given("0 h plate", "protocol.t0_delay_h")
        else:
            verdict = band(delay <= settings.max_t0_delay_h, False)
            yield Ruling("P15_DELAY", "0 h plate", verdict, {"delay": delay})


def readout_times(evidence: Evidence) -> Iterator[Ruling]:
    """P16: growth and death are read when the source read them; far off, its table is no
    comparison, but the data stay valid.
    """
    settings, config = evidence.settings, evidence.config
    for line, hours in _growth_hours(evidence):
        at = settings.proliferation_h, settings.max_proliferation_offset_h
        yield _time(evidence, line, hours, *at, "growth")
    if config.flow:
        at = settings.apoptosis_h, settings.max_apoptosis_offset_h
        near = min((flow.hours for flow in config.flow), key=lambda hours: abs(hours - at[0]))
        yield _time(evidence, "flow", pd.Series([near]), *at, "death")
    if config.plates:
        blind = [plate.plate for plate in config.plates if plate.saturation is None]
        if blind:
            yield not_given(f"{len(blind)} plate{'s' * (len(blind) > 1)}", "plates.saturation")
        if config.protocol.reagent is None:
            yield not_given("reagent", "protocol.reagent")


def _growth_hours(evidence: Evidence) -> Iterator[tuple[str, pd.Series]]:
    """Hours of the growth reading that each replicate of a line brings to its call, by
    replicate.
    """
    read = evidence.read if evidence.arms is None else evidence.arms
    for line, rows in read.groupby("cell_line", sort=False):
        away = (rows["hours"] - evidence.settings.proliferation_h).abs()
        worst = (
            rows.assign(away=away)
            .sort_values("away", kind="stable")
            .drop_duplicates("replicate", keep="last")
        )
        yield str(line), worst.set_index("replicate")["hours"].astype(float)


def _time(
    evidence: Evidence, subject: str, hours: pd.Series, wanted: float, near: float, what: str
) -> Ruling:
    """The replicate read farthest from the asked time decides; those as far off are named where
    others were in time.
    """
    away = (hours - wanted).abs()
    worst = float(away.max())
    late = hours[away > near]
    verdict = band(worst <= near, worst > evidence.settings.fail_readout_offset_h)
    shown = sorted(set(late if len(late) else hours))
    values = {
        "what": what,
        "wanted": wanted,
        "which": f" in {replicates_named(late.index)}" if 0 < len(late) < len(hours) else "",
        "span": f"{shown[0]:g} h" if len(shown) == 1 else f"{shown[0]:g} to {shown[-1]:g} h",
    }
    scope = subject if subject in evidence.config.cell_lines else "all"
    return Ruling("P16_TIME", subject, verdict, values, scope)


def groups_present(evidence: Evidence) -> Iterator[Ruling]:
    """P17: control, the three dropouts and the rescue, on one plate."""
    config, control = evidence.config, evidence.config.control_medium
    if control is None:
        yield Ruling("P17_NO_CONTROL_MEDIUM", "control", "fail")
        return
    lines = list(dict.fromkeys(evidence.later["cell_line"])) or evidence.lines()
    for line in lines:
        later = evidence.later[evidence.later["cell_line"].eq(line)]
        media = set(later["medium"]) if len(later) else set(config.media)
        incomplete = list(_incomplete(evidence, line))
        yield from (
            item
            for item in _absent(evidence, line, media, control)
            if not (incomplete and item.verdict == "pass")
        )
        yield from incomplete
        accompanied = set(later.loc[later["medium"].eq(control), "plate"])
        alone = [str(plate) for plate in dict.fromkeys(later["plate"]) if plate not in accompanied]
        if alone:
            yield Ruling("P17_PLATE_WITHOUT_CONTROL", line, "warn", {"plates": alone}, line)


def _absent(evidence: Evidence, line: str, media: set[str], control: str) -> Iterator[Ruling]:
    config = evidence.config
    if control not in media:
        yield Ruling("P17_NO_CONTROL", line, "fail", {"line": line}, line)
    lacking = [amino_acid for amino_acid in CALLED if media.isdisjoint(config.dropouts(amino_acid))]
    unrescued = "asparagine" not in lacking and media.isdisjoint(config.rescues("asparagine"))
    if unrescued:
        yield Ruling("P17_NO_RESCUE", line, "warn", scope=f"{line}|asparagine")
    if lacking:
        yield Ruling("P17_NO_DROPOUT", line, "info", {"amino_acids": lacking}, line)
    elif control in media and not unrescued:
        yield Ruling("P17_COMPLETE", line, "pass", scope=line)


def _incomplete(evidence: Evidence, line: str) -> Iterator[Ruling]:
    """Groups that some replicates of a line have and others lack, at the reading the call rests
    on.
    """
    read = evidence.read[evidence.read["cell_line"].eq(line)]
    everyone = sorted(int(number) for number in read["replicate"].unique())
    for medium in _groups(evidence, read):
        lacking = [
            number
            for number in everyone
            if number not in set(read.loc[read["medium"].eq(medium), "replicate"])
        ]
        if lacking:
            values = {"medium": medium, "which": replicates_named(lacking), "line": line}
            scope = _scope(evidence, line, medium)
            yield Ruling("P17_GROUP_MISSING", line, "warn", values, scope)


def _groups(evidence: Evidence, read: pd.DataFrame) -> list[str]:
    """Control, dropout and rescue media among these readings."""
    here = set(read["medium"])
    return [
        name
        for name, medium in evidence.config.media.items()
        if name in here and medium.role in ("control", "dropout", "rescue")
    ]


def _scope(evidence: Evidence, line: str, medium: str) -> str:
    """The calls of a line that rest on a medium."""
    scope = scope_of(evidence.config, medium)
    return line if scope == "all" else f"{line}|{scope}"


def reference_lines(evidence: Evidence) -> Iterator[Ruling]:
    """P18: a line that must grow without asparagine and one that must not, in the same run."""
    if "asparagine" not in evidence.dropped:
        return
    for level, examples in (("high", "A549 or HeLa"), ("low", "MOLT-4 or an ASNS knockout")):
        found, subject = _of_class(evidence, level), f"ASNS-{level} line"
        values = {"lines": found, "level": level, "examples": examples}
        if found:
            yield Ruling("P18_LINES", subject, "pass", values, "asparagine")
        else:
            yield Ruling("P18_NONE", subject, "warn", values, "asparagine")


def _of_class(evidence: Evidence, kind: str) -> list[str]:
    """Lines of the run with this ASNS class: as given, else by name."""
    present = set(evidence.samples["cell_line"]) or set(evidence.config.cell_lines)
    names = {"high": HIGH, "low": LOW}[kind]
    cells = evidence.config.cell_lines
    return [
        line
        for line in cells
        if line in present
        and (cells[line].asns_class or (kind if line_letters(line) in names else None)) == kind
    ]


def high_line_grows(evidence: Evidence) -> Iterator[Ruling]:
    """P19: when even an ASNS-high line stops without asparagine, the medium is toxic or lacks
    something else.
    """
    limit = evidence.settings.min_gr_high_line
    for line, gr in _reference_gr(evidence, "high"):
        if np.isnan(gr):
            yield _unmeasured(line)
        else:
            verdict = "pass" if gr >= limit else "fail"
            yield Ruling("P19_GR", line, verdict, {"gr": gr}, "asparagine")


def low_line_stops(evidence: Evidence) -> Iterator[Ruling]:
    """P20: when an ASNS-low line grows without asparagine, asparagine is left over or the line is
    not what it is said to be.
    """
    limit, high = evidence.settings.max_gr_low_line, evidence.settings.gr_mask_high
    for line, gr in _reference_gr(evidence, "low"):
        if np.isnan(gr):
            yield _unmeasured(line)
            continue
        rows = evidence.residues
        mask = rows.loc[
            rows["cell_line"].eq(line) & rows["amino_acid"].eq("asparagine"), "gr_mask"
        ].max()
        disputed = _disputed(evidence, line)
        masked = bool(mask >= high) and not disputed
        values = {"gr": gr, "line": line, "doubt": " (disputed)" if disputed else ""}
        verdict = "pass" if gr <= limit else "fail" if masked else "warn"
        code = "P20_GR" if verdict != "warn" else "P20_GR_UNEXPLAINED"
        yield Ruling(code, line, verdict, values, "asparagine")
    yield from _exchanged(evidence)


def _exchanged(evidence: Evidence) -> Iterator[Ruling]:
    """P19 and P20 together: lines or media were exchanged, which voids more than asparagine."""
    settings, config = evidence.settings, evidence.config
    stops = [x for x, gr in _reference_gr(evidence, "high") if gr < settings.min_gr_high_line]
    low = {x: gr for x, gr in _reference_gr(evidence, "low") if not _disputed(evidence, x)}
    grows = [x for x, gr in low.items() if gr > settings.max_gr_low_line]
    if stops and grows:
        for line in (*stops, *grows):
            values = {"high": stops, "low": grows}
            yield Ruling("P20_LINES_EXCHANGED", line, "fail", values, line)
    for amino_acid in evidence.dropped:
        if not stops or amino_acid == "asparagine" or (low and not grows):
            continue
        arms = evidence.growth if evidence.arms is None else evidence.arms
        rows = arms[arms["medium"].isin(config.dropouts(amino_acid))]
        gr = rows.groupby("cell_line")["gr"].mean()
        kept = [x for x in stops if gr.get(x, np.nan) >= settings.min_gr_high_line]
        if kept:
            values = {"high": kept, "amino_acid": amino_acid}
            yield Ruling("P20_MEDIA_EXCHANGED", amino_acid, "fail", values, amino_acid)


def _unmeasured(line: str) -> Ruling:
    return Ruling("REFERENCE_NOT_MEASURED", line, "warn", {"line": line}, "asparagine")


def _reference_gr(evidence: Evidence, kind: str) -> Iterator[tuple[str, float]]:
    """Mean GR over biological replicates without asparagine, per reference line; NaN where it was
    not measured.
    """
    if "asparagine" not in evidence.dropped or evidence.growth is None:
        return
    arms = evidence.growth if evidence.arms is None else evidence.arms
    rows = arms[arms["medium"].isin(evidence.config.dropouts("asparagine"))]
    means = rows.groupby(["cell_line", "replicate"])["gr"].mean().groupby("cell_line").mean()
    yield from ((line, float(means.get(line, float("nan")))) for line in _of_class(evidence, kind))


def _disputed(evidence: Evidence, line: str) -> bool:
    """Whether the literature contradicts the line's class; then a mismatch never fails."""
    if line_letters(line) in DISPUTED:
        return True
    priors = evidence.priors
    if priors is None or "disputed" not in priors:
        return False
    same = priors["cell_line"].map(line_letters).eq(line_letters(line)) & priors["amino_acid"].eq(
        "asparagine"
    )
    return bool(priors.loc[same, "disputed"].fillna(False).astype(bool).any())


def layout(evidence: Evidence) -> Iterator[Ruling]:
    """P23: outer wells evaporate, and a treatment that fills a row or column cannot be told from
    that row or column.
    """
    if evidence.wells is None or evidence.wells.empty:
        return
    later = evidence.wells.loc[
        evidence.wells["hours"].gt(0) & evidence.wells["role"].ne("empty"), list(PLACED)
    ]
    if later.empty:
        return
    ringed = [str(name) for name, wells in later.groupby("plate", sort=False) if _uses_ring(wells)]
    values = {"use": "in use" if ringed else "not in use"}
    yield Ruling("P23_RING", listing(ringed, 3) or "plates", band(not ringed, False), values)
    lined = _in_lines(later)
    said = evidence.config.protocol.layout_randomised
    if lined:
        yield Ruling("P23_LINES", listing(lined, 3), "warn")
    elif said is False:
        yield Ruling("P23_NOT_RANDOMISED", "plates", "warn")
    else:
        how = "layout randomised" if said else "groups spread over rows and columns"
        yield Ruling("P23_SPREAD", "plates", "pass", {"how": how})


def _uses_ring(wells: pd.DataFrame) -> bool:
    """Whether anything but buffer stands in the outer ring; the plate's format is the smallest that
    holds its wells.
    """
    places = (*wells[["row", "column"]].itertuples(index=False, name=None),)
    rows, columns = plate_shape(places) or PLATES[-1]
    return bool((wells["row"].isin([1, rows]) | wells["column"].isin([1, columns])).any())


def _in_lines(wells: pd.DataFrame) -> list[str]:
    """Plates on which at least two groups, and half of those with three wells, lie in a single row
    or column each.
    """
    places = wells[wells["role"].eq("sample")].groupby(
        ["plate", "cell_line", "medium"], sort=False
    )[["row", "column"]]
    confined = places.nunique()[places.size() >= 3].eq(1).any(axis=1).groupby("plate", sort=False)
    count, share = confined.sum(), confined.mean()
    return [str(plate) for plate in count.index[(count >= 2) & (share >= 0.5)]]


def replicates(evidence: Evidence) -> Iterator[Ruling]:
    """P24: the unit is the biological replicate: own passage, day and medium batch. Below three
    nothing is tested.
    """
    asked = evidence.settings.min_replicates
    for line, later in evidence.later.groupby("cell_line", sort=False):
        count = later["replicate"].nunique()
        values = {"count": _counted(count), "judged": "" if count >= asked else ": exploratory"}
        yield Ruling("P24_LINE", str(line), band(count >= asked, False), values, str(line))
        if count >= asked:
            yield from _few(evidence, str(line))
    used = sorted(int(number) for number in evidence.later["replicate"].unique())
    if len(used) > 1:
        yield from _independent(evidence, used)


def _few(evidence: Evidence, line: str) -> Iterator[Ruling]:
    """Groups of a line with fewer replicates than the line has: their calls are exploratory all the
    same.
    """
    asked, read = (
        evidence.settings.min_replicates,
        evidence.read[evidence.read["cell_line"].eq(line)],
    )
    counts = read.groupby("medium")["replicate"].nunique()
    for medium in _groups(evidence, read):
        if (count := int(counts[medium])) < asked:
            values = {"count": _counted(count), "medium": medium, "line": line}
            yield Ruling("P24_GROUP", line, "warn", values, _scope(evidence, line, medium))


def _counted(count: int) -> str:
    return f"{count} biological replicate{'s' * (count != 1)}"


def _independent(evidence: Evidence, used: list[int]) -> Iterator[Ruling]:
    """Replicates that share a day, passage or medium batch are not independent."""
    given = evidence.config.replicates
    fields = ("date", "passage", "medium_lot")
    gaps = {
        number: [
            field
            for field in fields
            if number not in given or getattr(given[number], field) is None
        ]
        for number in used
    }
    lacking = [number for number, missing in gaps.items() if missing]
    if lacking:
        named = [f"replicates.{number}.{field}" for number in lacking for field in gaps[number]]
        nothing = all(len(missing) == len(fields) for missing in gaps.values())
        values = {
            "fields": [field for field in fields if any(field in gap for gap in gaps.values())],
            "which": replicates_named(lacking),
        }
        missing = "replicates" if nothing else " ".join(named)
        yield Ruling("P24_UNDOCUMENTED", "replicates", "warn", values, missing=missing)
    for field, word in (("date", "day"), ("passage", "passage"), ("medium_lot", "medium batch")):
        known = pd.Series(
            {number: getattr(given[number], field) for number in used if number in given},
            dtype=object,
        ).dropna()
        shared = known[known.duplicated(keep=False)]
        if len(shared):
            values = {"which": list(shared.index), "word": word}
            yield Ruling("P24_SHARED", "replicates", "warn", values)
        elif len(known) == len(used):
            yield Ruling("P24_OWN", "replicates", "pass", {"word": word})


DATA_CHECKS = (
    Check("P15", "warn", start_plate),
    Check("P16", "fail", readout_times),
    Check("P17", "fail", groups_present),
    Check("P18", "warn", reference_lines),
    Check("P19", "fail", high_line_grows),
    Check("P20", "fail", low_line_stops),
    Check("P23", "warn", layout),
    Check("P24", "warn", replicates),
)
