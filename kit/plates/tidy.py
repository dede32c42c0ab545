"""Layouts and reads -> one tidy frame of wells; every well that is in only one of the two is
named.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kit.config.model import ExperimentConfig, Plate
from kit.core.errors import Problems, did_you_mean
from kit.core.findings import Finding
from kit.plates.unlisted import judge_unlisted
from kit.readers import Read

FIRST = ("plate", "well", "row", "column", "cell_line", "medium", "role", "readout", "hours", "replicate", "signal", "flag",
         "agent", "concentration", "concentration_unit")  # fmt: skip


def tidy_wells(
    config: ExperimentConfig,
    layouts: Mapping[str, pd.DataFrame],
    reads: Mapping[str, Read],
    notices: list[Finding] | None = None,
) -> pd.DataFrame:
    """All wells of all plates that have both a layout and a read; raises InputError with every
    mismatch.

    `layouts` is keyed by layout path, `reads` by plate name. Wells of role `empty` are kept only
    where the reader wrote a value. What is no error but has to be told goes to `notices`.
    """
    problems, told = Problems(), [] if notices is None else notices
    frames = []
    for name, layout in layouts.items():
        _check_names(layout, name, config, problems)
    for plate in config.plates:
        if plate.plate in reads and plate.layout in layouts:
            read = reads[plate.plate]
            frames.append(_one_plate(plate, layouts[plate.layout], read, config, problems, told))
            if read.faulty_reads:
                values = {"reads": list(read.faulty_reads)}
                told.append(Finding("OTHER_READS_FAULTY", "info", f"plate {plate.plate}", values))
    _check_copies(config, reads, problems)
    _check_units(layouts, problems)
    problems.raise_if_any()
    if not frames:
        return pd.DataFrame(columns=list(FIRST))
    wells = pd.concat(frames, ignore_index=True)
    return wells[[*FIRST, *[column for column in wells if column not in FIRST]]]


def _check_names(
    layout: pd.DataFrame, name: str, config: ExperimentConfig, problems: Problems
) -> None:
    for column, known, section in (
        ("medium", config.media, "media"),
        ("cell_line", config.cell_lines, "cell_lines"),
    ):
        used = layout.loc[layout["role"].ne("empty") & layout[column].ne("")]
        for value, group in used.groupby(column, sort=False):
            if value not in known:
                what = (
                    f"{column.replace('_', ' ')} '{value}' is not under {section} in"
                    " experiment.yaml"
                )
                problems.say(name, _wells(group["well"]), what, did_you_mean(value, known))


def _one_plate(
    plate: Plate,
    layout: pd.DataFrame,
    read: Read,
    config: ExperimentConfig,
    problems: Problems,
    notices: list[Finding],
) -> pd.DataFrame:
    if "plate" in layout:
        layout = layout[layout["plate"].astype(str) == plate.plate].drop(columns="plate")
        if layout.empty:
            problems.say(
                plate.layout,
                "",
                f"has no wells for plate '{plate.plate}'",
                "Its 'plate' column should name the plates of experiment.yaml.",
            )
    outside = layout[(layout["row"] > read.n_rows) | (layout["column"] > read.n_columns)]
    if len(outside):
        size = read.n_rows * read.n_columns
        what = f"lies outside the {size}-well plate that {plate.file} holds (plate '{plate.plate}')"
        problems.say(
            plate.layout,
            _wells(outside["well"]),
            what,
            "Use the layout that belongs to this plate.",
        )
    both = layout.drop(columns=["row", "column"]).merge(
        read.wells, on="well", how="outer", validate="one_to_one", indicator=True
    )
    _check_overlap(both, plate, outside, problems)
    if outside.empty:
        judge_unlisted(both, plate, read, problems, notices)
    both = both[both["_merge"].eq("both")].drop(columns="_merge")
    both = both[both["role"].ne("empty") | both["signal"].notna()]
    both = both.assign(
        plate=plate.plate, readout=plate.readout, hours=plate.hours, replicate=plate.replicate
    )
    both["cell_line"] = _lines(both, plate, config, problems)
    return both.sort_values(["row", "column"]).reset_index(drop=True)


def _check_overlap(
    both: pd.DataFrame, plate: Plate, outside: pd.DataFrame, problems: Problems
) -> None:
    only_layout = both[
        both["_merge"].eq("left_only")
        & both["role"].ne("empty")
        & ~both["well"].isin(outside["well"])
    ]
    if len(only_layout):
        what = f"in the layout {plate.layout} but not in the file (plate '{plate.plate}')"
        problems.say(
            plate.file,
            _wells(only_layout["well"]),
            what,
            "Read the whole plate, or give these wells role 'empty' in the layout.",
        )


def _lines(
    both: pd.DataFrame, plate: Plate, config: ExperimentConfig, problems: Problems
) -> pd.Series:
    """The line of each well: the layout's, else the plate's, else the only one there is."""
    only = next(iter(config.cell_lines)) if len(config.cell_lines) == 1 else None
    default = plate.cell_line or only
    lines = both["cell_line"].copy()
    unnamed = lines.eq("") & both["role"].eq("sample")
    if unnamed.any() and default is None:
        what = f"no cell line in the layout, and plate '{plate.plate}' names none"
        problems.say(
            plate.layout,
            _wells(both.loc[unnamed, "well"]),
            what,
            "Fill in cell_line, or write `cell_line:` on the plate.",
        )
    if default is not None:
        lines[lines.eq("") & both["role"].isin(["sample", "kill"])] = default
    return lines


def _check_units(layouts: Mapping[str, pd.DataFrame], problems: Problems) -> None:
    """One agent has one unit in all layouts: mIU/mL beside IU/mL would be doses of another agent."""
    first: dict[str, tuple[str, str, str]] = {}
    for name, layout in layouts.items():
        doses = layout[layout["agent"].ne("") & layout["concentration"].gt(0)]
        for key, group in doses.groupby(["agent", "concentration_unit"], sort=False):
            agent, unit = map(str, key)
            folded = unit.replace("µ", "u").replace(" ", "")
            seen = first.setdefault(agent, (folded, unit, f"{name}, well {group['well'].iloc[0]}"))
            if folded != seen[0]:
                what = f"agent '{agent}' has the unit '{unit}' here and '{seen[1]}' in {seen[2]}"
                remedy = "Write all its concentrations in one unit."
                problems.say(name, _wells(group["well"]), what, remedy)


def _check_copies(config: ExperimentConfig, reads: Mapping[str, Read], problems: Problems) -> None:
    """The same numbers under two plate names are one measurement entered twice, not two
    replicates.
    """
    seen: dict[tuple, str] = {}
    for plate in config.plates:
        if plate.plate in reads:
            wells = reads[plate.plate].wells
            key = tuple(zip(wells["well"], wells["signal"].fillna(-1.0), strict=True))
            if key in seen and wells["signal"].nunique() > 3:
                what = f"plates '{seen[key]}' and '{plate.plate}' hold exactly the same numbers"
                problems.say(
                    plate.file,
                    "",
                    what,
                    "One of the two files is probably a copy of the other: correct its path.",
                )
            seen.setdefault(key, plate.plate)


def _wells(names: pd.Series) -> str:
    """`well B07`, or `wells A01, A02, ... (36)`."""
    unique = list(dict.fromkeys(names))
    if len(unique) == 1:
        return f"well {unique[0]}"
    return f"wells {', '.join(unique[:8])}" + (f", ... ({len(unique)})" if len(unique) > 8 else "")
