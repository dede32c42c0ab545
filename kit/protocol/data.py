"""Checks that need the data: P15 to P20, P23, P24."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from kit.protocol.base import (
    FILE,
    PLACED,
    Check,
    Evidence,
    Ruling,
    band,
    listing,
    not_given,
    scope_of,
)

PLATES = ((8, 12), (16, 24), (32, 48))
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
            which = (
                f"{int(few.min())} wells at 0 h in replicate{'s' * (len(few) > 1)}"
                f" {listing(few.index)}"
            )
            advice = (
                f"Read at least {settings.min_t0_wells} wells of {line} at the switch of every"
                " replicate; "
            )
            advice += f"until then GR needs `cell_lines.{line}.doubling_time_h`."
            yield Ruling(str(line), which, "warn", advice, str(line))
        elif len(counts):
            yield Ruling(str(line), f"{int(counts.min())} wells at 0 h", "pass", "", str(line))
    if evidence.viability["hours"].eq(0).any():
        if delay is None:
            yield not_given("0 h plate", "protocol.t0_delay_h")
        else:
            good = delay <= settings.max_t0_delay_h
            advice = (
                ""
                if good
                else f"Read the 0 h plate within {settings.max_t0_delay_h:g} h of the switch."
            )
            yield Ruling(
                "0 h plate", f"read {delay:g} h after the switch", band(good, False), advice
            )


def readout_times(evidence: Evidence) -> Iterator[Ruling]:
    """P16: growth and death are read when the source read them; far off, its table is no
    comparison, but the data stay valid.
    """
    settings, config = evidence.settings, evidence.config
    for line, hours in _growth_hours(evidence):
        yield _time(
            evidence,
            line,
            hours,
            settings.proliferation_h,
            settings.max_proliferation_offset_h,
            "growth",
        )
    if config.flow:
        near = min(
            (flow.hours for flow in config.flow),
            key=lambda hours: abs(hours - settings.apoptosis_h),
        )
        yield _time(
            evidence,
            "flow",
            pd.Series([near]),
            settings.apoptosis_h,
            settings.max_apoptosis_offset_h,
            "death",
        )
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
    advice = (
        ""
        if verdict == "pass"
        else (
            f"Read {what} at {wanted:g} h, or set its time under `settings` and do not compare with"
            " the source's table."
        )
    )
    which = (
        f" in replicate{'s' * (len(late) > 1)} {listing(late.index)}"
        if 0 < len(late) < len(hours)
        else ""
    )
    shown = sorted(set(late if len(late) else hours))
    span = f"{shown[0]:g} h" if len(shown) == 1 else f"{shown[0]:g} to {shown[-1]:g} h"
    scope = subject if subject in evidence.config.cell_lines else "all"
    return Ruling(
        subject,
        f"{what} read at {span}{which}",
        verdict,
        advice,
        scope,
        "none" if verdict == "pass" else "cap",
    )


def groups_present(evidence: Evidence) -> Iterator[Ruling]:
    """P17: control, the three dropouts and the rescue, on one plate."""
    config, control = evidence.config, evidence.config.control_medium
    if control is None:
        yield Ruling(
            "control",
            "no medium has role control",
            "fail",
            "Give the complete medium `role: control`.",
        )
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
            yield Ruling(
                line,
                f"no control on plate {listing(alone, 3)}",
                "warn",
                "Put control on every plate.",
                line,
            )


def _absent(evidence: Evidence, line: str, media: set[str], control: str) -> Iterator[Ruling]:
    config = evidence.config
    if control not in media:
        yield Ruling(
            line, "no control wells", "fail", f"Repeat {line} with control on the same plate.", line
        )
    lacking = [
        amino_acid
        for amino_acid in ("asparagine", "glutamine", "serine")
        if media.isdisjoint(config.dropouts(amino_acid))
    ]
    unrescued = "asparagine" not in lacking and media.isdisjoint(config.rescues("asparagine"))
    if unrescued:
        yield Ruling(
            line,
            "no asparagine rescue",
            "warn",
            "Add the rescue group: the -asparagine medium plus asparagine.",
            f"{line}|asparagine",
        )
    if lacking:
        yield Ruling(line, f"no dropout of {listing(lacking)}", "info", "", line)
    elif control in media and not unrescued:
        yield Ruling(line, "all five groups present", "pass", "", line)


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
            which = f"replicate{'s' * (len(lacking) > 1)} {listing(lacking)}"
            yield Ruling(
                line,
                f"{medium} missing in {which}",
                "warn",
                f"Repeat {which} of {line} with {medium}.",
                _scope(evidence, line, medium),
            )


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
    for kind, examples in (("high", "A549 or HeLa"), ("low", "MOLT-4 or an ASNS knockout")):
        found = _of_class(evidence, kind)
        advice = (
            ""
            if found
            else (
                f"Run an ASNS-{kind} line alongside ({examples}), or give `asns_class` to the line"
                " that is one."
            )
        )
        yield Ruling(
            f"ASNS-{kind} line",
            listing(found) or f"no ASNS-{kind} line in the run",
            band(bool(found), False),
            advice,
            "asparagine",
        )


def _of_class(evidence: Evidence, kind: str) -> list[str]:
    """Lines of the run with this ASNS class: as given, else by name."""
    present = set(evidence.samples["cell_line"]) or set(evidence.config.cell_lines)
    names = {"high": HIGH, "low": LOW}[kind]
    cells = evidence.config.cell_lines
    return [
        line
        for line in cells
        if line in present
        and (cells[line].asns_class or (kind if _key(line) in names else None)) == kind
    ]


def _key(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def high_line_grows(evidence: Evidence) -> Iterator[Ruling]:
    """P19: when even an ASNS-high line stops without asparagine, the medium is toxic or lacks
    something else.
    """
    limit = evidence.settings.min_gr_high_line
    for line, gr in _reference_gr(evidence, "high"):
        if np.isnan(gr):
            yield _unmeasured(line)
        else:
            advice = (
                ""
                if gr >= limit
                else (
                    "Make the -asparagine medium anew: it harms a line that makes its own"
                    " asparagine."
                )
            )
            yield Ruling(
                line,
                f"ASNS-high, GR {gr:.2f} without asparagine",
                band(gr >= limit, gr < limit),
                advice,
                "asparagine",
            )


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
        masked = bool(mask >= high) and not _disputed(evidence, line)
        verdict = "pass" if gr <= limit else "fail" if masked else "warn"
        advice = "" if gr <= limit else f"Check carry-over, and ASNS of {line} by western blot."
        doubt = " (disputed)" if _disputed(evidence, line) else ""
        value = f"ASNS-low{doubt}, GR {gr:.2f} without asparagine"
        yield Ruling(
            line, value, verdict, advice, "asparagine", "masking" if verdict == "fail" else ""
        )


def _unmeasured(line: str) -> Ruling:
    return Ruling(
        line,
        "GR without asparagine not measured",
        "warn",
        f"Measure {line} with and without asparagine, with a 0 h plate.",
        "asparagine",
    )


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
    if _key(line) in DISPUTED:
        return True
    priors = evidence.priors
    if priors is None or "disputed" not in priors:
        return False
    same = priors["cell_line"].map(_key).eq(_key(line)) & priors["amino_acid"].eq("asparagine")
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
    advice = "Fill the outer ring with buffer only." if ringed else ""
    yield Ruling(
        listing(ringed, 3) or "plates",
        "outer ring in use" if ringed else "outer ring not in use",
        band(not ringed, False),
        advice,
    )
    lined = _in_lines(later)
    said = evidence.config.protocol.layout_randomised
    if lined:
        yield Ruling(
            listing(lined, 3),
            "groups fill single rows or columns",
            "warn",
            "Randomise or block the groups over the plate.",
        )
    elif said is False:
        yield Ruling(
            "plates",
            "layout not randomised",
            "warn",
            "Randomise or block the groups over the plate.",
        )
    else:
        yield Ruling(
            "plates", "layout randomised" if said else "groups spread over rows and columns", "pass"
        )


def _uses_ring(wells: pd.DataFrame) -> bool:
    """Whether anything but buffer stands in the outer ring; the plate's format is the smallest that
    holds its wells.
    """
    height, width = int(wells["row"].max()), int(wells["column"].max())
    rows, columns = next(((r, c) for r, c in PLATES if height <= r and width <= c), PLATES[-1])
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
        advice = (
            ""
            if count >= asked
            else f"Repeat until there are {asked}, each of its own passage, day and medium batch."
        )
        value = f"{count} biological replicate{'s' * (count != 1)}" + (
            "" if count >= asked else ": exploratory"
        )
        yield Ruling(str(line), value, band(count >= asked, False), advice, str(line))
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
            value = f"{count} biological replicate{'s' * (count != 1)} of {medium}: exploratory"
            advice = (
                f"Repeat {medium} in {line} until there are {asked}, each of its own passage, day"
                " and medium batch."
            )
            yield Ruling(line, value, "warn", advice, _scope(evidence, line, medium))


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
        which = listing(
            field for field in fields if any(field in missing for missing in gaps.values())
        )
        advice = (
            f"Fill in {which} of replicate{'s' * (len(lacking) > 1)} {listing(lacking)} under"
            f" `replicates` in {FILE}."
        )
        named = " ".join(
            f"replicates.{number}.{field}" for number in lacking for field in gaps[number]
        )
        nothing = all(len(missing) == len(fields) for missing in gaps.values())
        yield Ruling(
            "replicates",
            "independence not documented",
            "warn",
            advice,
            missing="replicates" if nothing else named,
        )
    for field, word in (("date", "day"), ("passage", "passage"), ("medium_lot", "medium batch")):
        values = pd.Series(
            {number: getattr(given[number], field) for number in used if number in given},
            dtype=object,
        ).dropna()
        shared = values[values.duplicated(keep=False)]
        if len(shared):
            yield Ruling(
                "replicates",
                f"replicates {listing(shared.index)} share a {word}",
                "warn",
                f"Count replicates of one {word} as one.",
            )
        elif len(values) == len(used):
            yield Ruling("replicates", f"each of its own {word}", "pass")


DATA_CHECKS = (
    Check(
        "P15",
        "0 h plate within {max_t0_delay_h:g} h of the switch, at least {min_t0_wells} wells",
        "warn",
        start_plate,
    ),
    Check(
        "P16",
        "growth read at {proliferation_h:g} h within {max_proliferation_offset_h:g} h, death at"
        " {apoptosis_h:g} h within {max_apoptosis_offset_h:g} h; beyond {fail_readout_offset_h:g} h"
        " no comparison with the source; reagent and saturation recorded",
        "fail",
        readout_times,
    ),
    Check(
        "P17",
        "control, three dropouts and asparagine rescue, on the same plate, in every replicate",
        "fail",
        groups_present,
    ),
    Check("P18", "an ASNS-high and an ASNS-low line in the run", "warn", reference_lines),
    Check(
        "P19",
        "ASNS-high line without asparagine: GR at least {min_gr_high_line:g}",
        "fail",
        high_line_grows,
    ),
    Check(
        "P20",
        "ASNS-low line without asparagine: GR at most {max_gr_low_line:g}; above fails where"
        " GR_mask is {gr_mask_high:g} or more",
        "fail",
        low_line_stops,
    ),
    Check("P23", "groups randomised or blocked, outer ring buffer only", "warn", layout),
    Check(
        "P24",
        "at least {min_replicates} biological replicates of every group, each of its own passage,"
        " day and medium batch",
        "warn",
        replicates,
    ),
)
