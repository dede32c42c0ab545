"""A signalling blot's file -> its bands with the experiment, genotype, drug and stimulus of every
lane, checked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from kit.core.errors import Problems, did_you_mean
from kit.readers.blots.blot import read_table_or_image
from kit.readers.blots.image import BlotImage
from kit.readers.headed import flag, number
from kit.signaling import names

COLUMNS = (
    "membrane", "lane", "experiment", "genotype", "drug", "stimulus", "target", "volume",
    "background", "saturated", "lane_role", "excluded", "exclusion_reason",
)  # fmt: skip
NO_SAMPLE = ("ladder", "background")


def read_signaling(
    folder: Path | str,
    file: str,
    settings: Any,
    *,
    experiment: int | None = None,
    lanes: str | None = None,
    dark_bands: bool | None = None,
) -> tuple[pd.DataFrame, BlotImage | None]:
    """Bands of one signalling blot (one row per lane and band), and the image where it is one.

    Parameters
    ----------
    folder, file
        The experiment folder and the densitometry table or blot image in it.
    settings
        Limits of band finding, for images.
    experiment
        Independent experiment of every lane that does not name its own.
    lanes
        Lane list: lane, genotype, drug, stimulus, target; needed for an image.
    dark_bands
        Bands of an image are dark; None: told from its border.

    Raises
    ------
    InputError
        With every problem: unknown words, lanes that say nothing, a lane's target twice.
    """
    bands, image = read_table_or_image(
        folder, file, settings, lanes=lanes, dark_bands=dark_bands, by_line=False
    )
    return tidy(bands, file, experiment), image


def tidy(bands: pd.DataFrame, file: str, experiment: int | None = None) -> pd.DataFrame:
    """`bands` of one file in the kit's words: `COLUMNS`, then what an image adds."""
    problems = Problems()
    bands = bands[~bands["lane_role"].isin(NO_SAMPLE)].reset_index(drop=True)
    missing = [column for column in ("genotype", "stimulus") if column not in bands]
    if missing:
        what = f"has no column {' and no column '.join(missing)}"
        remedy = "Write membrane, lane, experiment, genotype, drug, stimulus, target, volume."
        problems.say(file, "", what, remedy)
        problems.raise_if_any()
    rows = [_lane_words(row, file, experiment, problems) for row in bands.to_dict("records")]
    worded = pd.DataFrame(rows, index=bands.index)
    table = pd.concat([bands.drop(columns=[c for c in worded if c in bands]), worded], axis=1)
    problems.raise_if_any()  # a misspelt word would look like a second sample
    _check_doubles(table, file, problems)
    problems.raise_if_any()
    table = table[~table["target"].isin(["ladder", "off_target"])].reset_index(drop=True)
    extra = [
        column for column in ("snr", "row", "top", "bottom", "left", "right") if column in table
    ]
    return table[[*COLUMNS, *extra]]


def _lane_words(
    row: Mapping[Any, Any], file: str, experiment: int | None, problems: Problems
) -> dict[str, Any]:
    """What one row says, in the kit's words; problems where a word is unknown or missing."""
    place = f"membrane {row['membrane']}, lane {row['lane']}"
    said = {key: _text(row.get(key)) for key in ("genotype", "drug", "stimulus", "target")}
    words = dict(said)
    plus_torin = "torin" in said["stimulus"].casefold()
    if plus_torin:  # "all+Torin"
        words["stimulus"] = said["stimulus"].casefold().replace("torin1", "").replace("torin", "")
        words["drug"] = names.TORIN
    known = {"drug": names.DRUGS, "stimulus": names.STIMULI, "target": names.TARGETS}
    is_reference = row["lane_role"] == "reference" or names.is_reference_word(words["stimulus"])
    for key, table in known.items():
        if is_reference and key != "target":
            continue
        name = names.canonical(words[key], table)
        if name is None or (name == "pool"):
            _refuse(key, said[key], table, file, place, problems)
        words[key] = name or said[key]
    words["genotype"] = _genotype(words["genotype"], is_reference, file, place, problems)
    if is_reference:
        words |= {"stimulus": names.REFERENCE, "drug": names.VEHICLE}
    return words | {
        "experiment": _experiment(row, file, place, experiment, problems),
        "lane_role": "reference" if is_reference else "sample",
        "excluded": bool(flag(_text(row.get("excluded")))),
        "exclusion_reason": _text(row.get("exclusion_reason")),
    }


def _text(cell: object) -> str:
    return "" if cell is None or pd.isna(cell) else str(cell).strip()  # type: ignore[call-overload]


def _refuse(
    key: str,
    said: str,
    table: Mapping[str, tuple[str, ...]],
    file: str,
    place: str,
    problems: Problems,
) -> None:
    what = f"{key} '{said}' is not known" if said else f"{key} is missing"
    shown = [name for name in table if name not in ("pool", "ladder", "off_target")]
    problems.say(file, place, what, did_you_mean(said, shown))


def _genotype(said: str, is_reference: bool, file: str, place: str, problems: Problems) -> str:
    """Wild type and Rag knock-out in the kit's spelling; any other genotype keeps its own."""
    if is_reference:
        return "reference"
    if not said:
        problems.say(file, place, "genotype is missing", "Write WT, RagAB_KO or your own name.")
    return names.canonical(said, names.GENOTYPES) or said


def _experiment(
    row: Mapping[Any, Any], file: str, place: str, default: int | None, problems: Problems
) -> int:
    """Number of the independent experiment."""
    said = _text(row.get("experiment"))
    value = number(said) if said else (math.nan if default is None else float(default))
    if math.isfinite(value) and value == int(value) and value >= 1:
        return int(value)
    what = f"experiment '{said}' is no whole number" if said else "the experiment is missing"
    problems.say(file, place, what, "Number the independent experiments 1, 2, 3 ...")
    return 0


def _check_doubles(table: pd.DataFrame, file: str, problems: Problems) -> None:
    """A lane has one band of a target, and holds one sample."""
    keys = ["membrane", "lane", "target"]
    own = table[~table["target"].isin(["ladder", "off_target"])]
    for row in own[own.duplicated(keys)].drop_duplicates(keys).to_dict("records"):
        what = f"membrane {row['membrane']}, lane {row['lane']} has {row['target']} twice"
        problems.say(file, "", what, "Keep one row per lane and target.")
    arm = ["experiment", "genotype", "drug", "stimulus"]
    lanes = own.drop_duplicates(["membrane", "lane", *arm])
    for row in lanes[lanes.duplicated(["membrane", "lane"])].to_dict("records"):
        what = f"membrane {row['membrane']}, lane {row['lane']} holds two different samples"
        problems.say(file, "", what, "Give every lane one genotype, drug and stimulus.")
