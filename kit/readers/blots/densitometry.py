"""Densitometry tables: the kit's own form and what ImageJ/Fiji, Image Studio, Empiria and Image Lab
write, as one band table.

An instrument's export knows lanes and signals, not what was loaded: the user's lane list (one row
per lane, or per lane and channel) says it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kit.core.errors import Problems, did_you_mean, refused
from kit.readers import headed

BAND_COLUMNS = (
    "membrane",
    "lane",
    "cell_line",
    "replicate",
    "target",
    "rf",
    "mw_kDa",
    "volume",
    "background",
    "saturated",
    "lane_role",
)
ARM = ("experiment", "genotype", "drug", "stimulus")
"""What a signalling blot says of a lane, in place of a cell line and its lysate."""
EXTRA_COLUMNS = (
    "snr",
    "load",
    "condition",
    "channel",
    "band",
    "label",
    "format",
    *ARM,
    "excluded",
    "exclusion_reason",
)
ROLES = ("sample", "reference", "knockout", "ladder", "dilution", "background")
_NUMERIC = (
    "rf",
    "mw_kDa",
    "volume",
    "adjusted",
    "background",
    "mean_background",
    "area",
    "mean",
    "snr",
    "load",
)

HEADINGS: dict[str, tuple[str, ...]] = {
    "membrane": ("membrane", "blot", "gel", "image name", "image", "image id", "acquisition"),
    "lane": ("lane", "lane no", "lane number", "lane id"),
    "cell_line": ("cell line", "line"),
    "replicate": ("replicate", "lysate", "biological replicate"),
    "target": ("target", "antibody", "protein", "analyte"),
    "rf": ("rf", "relative front", "rel front"),
    "mw_kDa": ("mw kda", "mw", "mol wt", "molecular weight", "mol weight"),
    "volume": ("volume", "total", "intden", "rawintden", "integrated density"),
    "adjusted": ("adj volume", "adjusted volume", "adj total band vol", "signal", "net volume"),
    "background": ("background",),
    "mean_background": ("bkgnd", "bkgd", "bkg", "avg background", "mean bkgd"),
    "area": ("area",),
    "mean": ("mean", "mean gray value"),
    "saturated": ("saturated", "saturation", "saturated pixels", "sat", "no of saturated pixels"),
    "lane_role": ("lane role", "role"),
    "snr": ("snr", "s/n", "signal to noise"),
    "load": ("load", "amount", "ug", "µg"),
    "condition": ("condition", "treatment", "medium"),
    "channel": ("channel",),
    "band": ("band", "band no", "band number", "band label"),
    "label": ("name", "label", "sample", "sample name"),
    "experiment": ("experiment", "exp"),
    "genotype": ("genotype",),
    "drug": ("drug", "inhibitor"),
    "stimulus": ("stimulus", "stimulation"),
    "excluded": ("excluded", "left out"),
    "exclusion_reason": ("exclusion reason",),
}
"""field -> headings (folded) that mean it; the one table to extend for a new program."""


@dataclass(frozen=True)
class Format:
    """A program's table, recognised by fields that must all be there and others that must not."""

    name: str
    needs: frozenset[str]
    without: frozenset[str] = frozenset()
    headings: frozenset[str] = frozenset()


FORMATS = (
    Format("kit", frozenset({"lane", "target", "volume"}), frozenset({"adjusted"})),
    Format(
        "Image Lab",
        frozenset({"lane", "adjusted"}),
        frozenset({"mean_background"}),
        frozenset({"adj volume", "adjusted volume"}),
    ),
    Format("Image Studio", frozenset({"adjusted"}), headings=frozenset({"signal"})),
    Format(
        "ImageJ",
        frozenset({"area"}),
        headings=frozenset({"intden", "rawintden", "percent", "mean"}),
    ),
)
_ROW_NUMBERS = frozenset({"", "#", "label"})
"""Columns that ImageJ puts before its measurements."""
_MEANING = {heading: field for field, names in HEADINGS.items() for heading in names}


def net_volume(bands: pd.DataFrame) -> pd.Series:
    """Volume less background (an empty background is 0: already net); may be negative."""
    return bands["volume"] - bands["background"].fillna(0.0)


def read_bands(
    path: Path | str,
    *,
    name: str = "",
    lanes: pd.DataFrame | None = None,
    replicate: int | None = None,
    by_line: bool = True,
) -> pd.DataFrame:
    """Band table of one densitometry file: `BAND_COLUMNS`, then those of `EXTRA_COLUMNS` that are
    known. `by_line`: a sample lane has to name its cell line.

    Net signal is `volume` - `background`; it may be negative. `lanes` is the lane list of
    `read_lanes`; it is joined by the columns both
    have among membrane, lane, channel, label and band, or, when they share none, row by row in
    order. `replicate` fills lysates not named.
    Raises InputError with every problem: file, place, value, remedy.
    """
    path = Path(path)
    name = name or path.name
    table = headed.find(path, name, lambda headings: _format(headings) is not None)
    form = _format(table.headings) if table else None
    if table is None or form is None:
        remedy = (
            f"Name the columns {', '.join(BAND_COLUMNS)}, or export the band table of the imaging"
            " program unchanged."
        )
        raise refused(
            name, "holds no densitometry table: no row of headings of a known kind", remedy
        )
    problems, records = Problems(), _records(table)
    if not records:
        raise refused(name, "holds headings and no bands", "Export it again.")
    bands = _columns(records, name, problems)
    bands = _net(bands, form)
    bands = _join(bands, lanes, name, problems) if lanes is not None else bands
    bands = _complete(bands.assign(format=form.name), name, replicate, problems, by_line)
    problems.raise_if_any()
    return bands.drop(columns="_place")


def read_lanes(
    path: Path | str, *, name: str = "", lines: Iterable[str] | None = None
) -> pd.DataFrame:
    """The lane list of a blot: `lane` (or `label`, as the export writes it), `cell_line`,
    `lane_role`, `replicate` and any further column (see `kit.readers.blots.image_bands.measure`).
    """
    path = Path(path)
    name = name or path.name
    table = headed.find(path, name, _is_lane_list)
    if table is None:
        raise refused(
            name,
            "is no lane list",
            (
                "Write one row per lane with the columns lane (or label), cell_line, lane_role,"
                " replicate."
            ),
        )
    problems = Problems()
    keys = {heading.replace(" ", "_"): heading for heading in table.headings if heading}
    names = {"target_kda": "target_kDa", "ladder_kda": "ladder_kDa", "mw_kda": "mw_kDa"}
    if "label" not in keys:
        names |= {heading.replace(" ", "_"): "label" for heading in HEADINGS["label"]}
    rows = [
        {names.get(key, key): record.get(heading) for key, heading in keys.items()}
        | {"_place": record["_place"]}
        for record in table.records()
    ]
    frame = pd.DataFrame(rows)
    for column in ("left", "right", "top", "front", "load"):
        if column in frame:
            frame[column] = headed.numbers(
                list(frame[column]), column, list(frame["_place"]), name, problems
            )
    if "lane" in frame:
        frame["lane"] = [_plain(cell) for cell in frame["lane"]]
    if "replicate" in frame:
        frame["replicate"] = headed.numbers(
            list(frame["replicate"]), "replicate", list(frame["_place"]), name, problems
        )
    _check_roles(frame, name, problems)
    _check_lines(frame, lines, name, problems)
    problems.raise_if_any()
    return frame.drop(columns="_place")


def _is_lane_list(headings: list[str]) -> bool:
    """Lanes by number, or by the label that the imaging program's export gives each band."""
    told = {"cell line", "lane role", "target", "genotype", "stimulus"} & set(headings)
    return bool(told) and bool({"lane", *HEADINGS["label"]} & set(headings))


def _format(headings: list[str]) -> Format | None:
    """The format a row of headings belongs to."""
    fields = {_MEANING[heading] for heading in headings if heading in _MEANING}
    if "area" in headings and set(headings) <= _ROW_NUMBERS | {"area"}:
        return FORMATS[-1]  # the gel analyser before its peaks are labelled
    for form in FORMATS:
        if (
            form.needs <= fields
            and not form.without & fields
            and (not form.headings or form.headings & set(headings))
        ):
            return form
    return None


def _records(table: headed.Headed) -> list[dict[str, Any]]:
    """Rows of the table; a table that repeats its columns per lane, side by side, is put under one
    another.
    """
    first = next(heading for heading in table.headings if heading)
    starts = [i for i, heading in enumerate(table.headings) if heading == first]
    if len(starts) == 1:
        return list(table.records())
    blocks = [range(start, end) for start, end in zip(starts, [*starts[1:], len(table.headings)])]
    return [record for block in blocks for record in table.records(block)]


def _columns(records: list[dict[str, Any]], name: str, problems: Problems) -> pd.DataFrame:
    """Records with the kit's field names and numbers as numbers."""
    rows = []
    for record in records:
        row: dict[str, Any] = {}
        for heading, cell in record.items():
            field = "_place" if heading == "_place" else _MEANING.get(heading)
            if field and (field not in row or heading in ("intden", "volume")):
                row[field] = cell
        rows.append(row)
    frame = pd.DataFrame(rows)
    for field in set(_NUMERIC) & set(frame):
        frame[field] = headed.numbers(
            list(frame[field].fillna("")), field, list(frame["_place"]), name, problems
        )
    if "saturated" in frame:
        flags = [headed.flag(cell) for cell in frame["saturated"].fillna("")]
        for flag, cell, place in zip(flags, frame["saturated"], frame["_place"]):
            if flag is None:
                problems.say(name, place, f"saturated '{cell}' is neither true nor false")
        given = frame["saturated"].fillna("").astype(str).str.strip().str.casefold()
        unknown = given.isin(["", "nan", "n/a", "na", "?"])  # not stated is not "no"
        frame["saturated"] = pd.array(
            [None if blank else bool(flag) for flag, blank in zip(flags, unknown)], dtype="boolean"
        )
    return frame


def _net(bands: pd.DataFrame, form: Format) -> pd.DataFrame:
    """`volume` and `background` such that their difference is the program's own net signal."""
    bands = bands.copy()
    if "adjusted" in bands:
        total = bands["volume"] if "volume" in bands else bands["adjusted"]
        bands["volume"] = total.fillna(bands["adjusted"])
        bands["background"] = bands["volume"] - bands["adjusted"]
    elif form.name == "ImageJ" and "volume" not in bands and "mean" in bands:
        bands["volume"] = bands["mean"] * bands["area"]
    elif form.name == "ImageJ" and "volume" not in bands:
        bands["volume"] = bands[
            "area"
        ]  # gel analyser: the area under a peak, its baseline drawn by the user
    if "background" not in bands:
        bands["background"] = (
            bands["mean_background"] * bands["area"]
            if {"mean_background", "area"} <= set(bands)
            else 0.0
        )
    return bands.drop(columns=["adjusted", "mean_background"], errors="ignore")


def _join(bands: pd.DataFrame, lanes: pd.DataFrame, name: str, problems: Problems) -> pd.DataFrame:
    """`bands` with what the lane list says of each lane."""
    keys = [
        key
        for key in ("membrane", "lane", "channel", "label", "band")
        if key in bands and key in lanes and lanes[key].notna().all()
    ]
    known = [
        column
        for column in lanes
        if column in HEADINGS and (column in keys or column not in ("rf", "volume", "background"))
    ]
    extra = lanes[known]
    if not keys:
        if len(bands) != len(lanes):
            what = (
                f"{len(bands)} rows and no column in common with a lane list of {len(lanes)} rows"
            )
            problems.say(
                name,
                "",
                what,
                "Add the column label (or lane, channel) as the export writes it to the lane list.",
            )
            return bands
        bands, extra = bands.reset_index(drop=True), extra.reset_index(drop=True)
        return pd.concat([bands.drop(columns=[c for c in extra if c in bands]), extra], axis=1)
    left, right = bands.copy(), extra.copy()
    for key in keys:
        left[key], right[key] = left[key].map(_plain), right[key].map(_plain)
    doubled = right[right.duplicated(keys)]
    if len(doubled):
        problems.say(
            name,
            "lane list",
            f"{dict(doubled[keys].iloc[0])} stands there twice",
            "One row per lane (and channel).",
        )
        return bands
    for values in right[~right.set_index(keys).index.isin(left.set_index(keys).index)][
        keys
    ].to_dict("records"):
        problems.say(
            name,
            "",
            f"the lane list names {_spelt(values)}, which the export does not hold",
            did_you_mean(values[keys[0]], left[keys[0]].unique()),
        )
    merged = left.merge(
        right, on=keys, how="left", suffixes=("_export", ""), validate="many_to_one", indicator=True
    )
    for row in merged[merged["_merge"] == "left_only"].to_dict("records"):
        problems.say(
            name,
            row["_place"],
            f"{_spelt({key: row[key] for key in keys})} is not in the lane list",
            "Add it there.",
        )
    for column in [c for c in extra if f"{c}_export" in merged]:
        merged[column] = merged[column].where(merged[column].notna(), merged[f"{column}_export"])
    if keys == ["label"] and "lane" not in merged:
        merged["lane"] = merged["label"]  # an export may give both channels of a lane one label
    return merged.drop(columns=["_merge", *[c for c in merged if str(c).endswith("_export")]])


def _spelt(values: Mapping[Any, Any]) -> str:
    return ", ".join(f"{key} '{value}'" for key, value in values.items())


def _plain(cell: object) -> Any:
    """1.0 and "1" and "Lane 1" are one lane."""
    text = str(cell).strip()
    text = text[5:].strip() if text.casefold().startswith("lane ") else text
    value = headed.number(text)
    return int(value) if math.isfinite(value) and value == int(value) else text


def _complete(
    bands: pd.DataFrame, name: str, replicate: int | None, problems: Problems, by_line: bool
) -> pd.DataFrame:
    """All columns of the contract, checked."""
    count = len(bands)
    bands = bands.reset_index(drop=True)
    defaults: dict[str, Any] = {
        "membrane": name,
        "target": "ASNS" if by_line else "",
        "lane_role": "sample",
        "cell_line": "",
        "condition": "basal",
    }
    for column, value in defaults.items():
        bands[column] = bands[column].fillna(value) if column in bands else value
    bands["saturated"] = (
        bands["saturated"].astype("boolean")
        if "saturated" in bands
        else pd.array([None] * count, dtype="boolean")
    )
    for column in ("rf", "mw_kDa", "volume", "background"):
        bands[column] = bands[column].astype(float) if column in bands else np.full(count, np.nan)
    bands["lane"] = (
        [_plain(cell) for cell in bands["lane"]] if "lane" in bands else list(range(1, count + 1))
    )
    given = list(bands["replicate"].fillna("")) if "replicate" in bands else [""] * count
    values = headed.numbers(given, "replicate", list(bands["_place"]), name, problems)
    bands["replicate"] = [
        int(value) if math.isfinite(value) else (replicate or 1) for value in values
    ]
    bands["target"] = [_target(str(target)) for target in bands["target"]]
    bands.loc[(bands["target"] == "ladder") & (bands["lane_role"] == "sample"), "lane_role"] = (
        "ladder"
    )
    _check_backgrounds(bands, name, problems)
    bands = _subtract_background_rows(bands)
    _check_roles(bands, name, problems)
    for row in bands.to_dict("records"):
        place = str(row["_place"])
        unnamed = not str(row["cell_line"]).strip()
        if by_line and row["lane_role"] in ("sample", "knockout") and unnamed:
            problems.say(
                name,
                place,
                f"lane {row['lane']} has no cell line",
                "Name it in the column cell_line, here or in the lane list.",
            )
        if not math.isnan(row["rf"]) and not 0 <= row["rf"] <= 1:
            problems.say(name, place, f"rf {row['rf']:g} does not lie between 0 and 1")
        if not math.isnan(row["mw_kDa"]) and not 0 < row["mw_kDa"] < 2000:
            problems.say(
                name, place, f"mw_kDa {row['mw_kDa']:g} is no protein's mass", "Give it in kDa."
            )
        if math.isnan(row["volume"]) and row["lane_role"] != "ladder":
            problems.say(
                name,
                place,
                f"lane {row['lane']}, {row['target']}: volume is missing",
                "Write the measured volume, 0 when nothing is there.",
            )
    extras = [column for column in EXTRA_COLUMNS if column in bands]
    return bands[[*BAND_COLUMNS, *extras, "_place"]]


def _check_backgrounds(bands: pd.DataFrame, name: str, problems: Problems) -> None:
    """A problem for each band without a background where others of its target on the membrane
    have one: a missing number is not 0. Where none has one, the volumes are net already.
    """
    measured = ~bands["lane_role"].isin(["ladder", "background"]) & bands["volume"].notna()
    known = bands["background"].where(measured)
    given = known.groupby([bands["membrane"], bands["target"]]).transform("count")
    for row in bands[measured & bands["background"].isna() & given.gt(0)].to_dict("records"):
        what = f"lane {row['lane']}, {row['target']}: background is missing"
        remedy = "Write the measured background, or 0 where the volume is net already."
        problems.say(name, str(row["_place"]), what, remedy)


def _subtract_background_rows(bands: pd.DataFrame) -> pd.DataFrame:
    """ImageJ measures boxes: rows of role `background` give the mean grey level that is taken off
    each box of their membrane.
    """
    empty = bands["lane_role"] == "background"
    if not empty.any() or "area" not in bands:
        return bands[~empty]
    level = (bands["volume"] / bands["area"])[empty].groupby(bands["membrane"][empty]).mean()
    rest = bands[~empty].copy()
    rest["background"] = (
        rest["background"].fillna(0) + rest["membrane"].map(level).fillna(0) * rest["area"]
    )
    return rest


_TARGETS = {"asns": "ASNS", "total protein": "total_protein", "tpn": "total_protein", "total_protein": "total_protein", "total": "total_protein",
            "revert": "total_protein", "ponceau": "total_protein", "stain-free": "total_protein", "coomassie": "total_protein",
            "ladder": "ladder", "marker": "ladder", "off target": "off_target", "off_target": "off_target", "non-specific": "off_target",
            "nonspecific": "off_target", "unspecific": "off_target"}  # fmt: skip


def _target(text: str) -> str:
    """One spelling of each target the kit knows; a loading control keeps its own name."""
    return _TARGETS.get(text.strip().casefold(), text.strip())


def _check_roles(frame: pd.DataFrame, name: str, problems: Problems) -> None:
    """A problem for each unknown lane role."""
    for role, place in zip(frame.get("lane_role", []), frame["_place"]):
        if role is not None and not pd.isna(role) and role not in ROLES:
            problems.say(name, place, f"lane_role '{role}' is not known", did_you_mean(role, ROLES))


def _check_lines(
    frame: pd.DataFrame, lines: Iterable[str] | None, name: str, problems: Problems
) -> None:
    """A problem for each sample lane whose line the experiment does not name."""
    known = list(lines or [])
    for row in frame.to_dict("records") if known else []:
        line = row.get("cell_line")
        if (
            row.get("lane_role") in (None, "", "sample")
            and line
            and not pd.isna(line)
            and line not in known
        ):
            problems.say(
                name,
                row["_place"],
                f"cell line '{line}' is not in experiment.yaml",
                did_you_mean(line, known),
            )
