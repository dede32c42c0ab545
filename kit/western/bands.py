"""Files of an experiment -> bands and mRNA: the edge where blot tables, blot images and expression
files are told apart and read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from kit.asns.expression import delta_delta_cq
from kit.core import reference
from kit.core.errors import Problems, did_you_mean
from kit.readers.blots.blot import read_table_or_image
from kit.readers.blots.image import BlotImage
from kit.readers.qpcr import is_cq_file, read_cq, read_expression
from kit.western.conditions import with_conditions


def read_blot(
    folder: Path | str,
    file: str,
    settings: Any,
    *,
    lanes: str | None = None,
    replicate: int | None = None,
    lines: Iterable[str] | None = None,
    dark_bands: bool | None = None,
) -> tuple[pd.DataFrame, BlotImage | None]:
    """Bands of one blot of `folder`, table or image by content, and the image where it is one (for
    its overlay figure).

    `lanes` is the lane list's file (needed for an image), `replicate` fills lysates not named,
    `lines` are the experiment's names: another
    spelling of one of them becomes that name. `dark_bands` says whether an image's bands are dark;
    None: told from its border. Raises InputError with every problem.
    """
    known = list(lines or [])
    bands, image = read_table_or_image(
        folder, file, settings, lanes=lanes, replicate=replicate, dark_bands=dark_bands
    )
    return _named(bands, known, lanes or file), image


def _named(bands: pd.DataFrame, known: list[str], file: str) -> pd.DataFrame:
    """`bands` with the experiment's own spelling of each line; a sample that neither the experiment
    nor the list of lines knows is refused.
    """
    if not known:
        return bands
    by_key = {reference.line_key(line): line for line in known}
    problems = Problems()
    for lane, line, role in (
        bands[["lane", "cell_line", "lane_role"]].drop_duplicates().itertuples(index=False)
    ):
        unknown = (
            role == "sample"
            and reference.line_key(str(line)) not in by_key
            and reference.line_key(str(line)) not in _world()
        )
        if unknown:
            problems.say(
                file,
                f"lane {lane}",
                f"cell line '{line}' is neither in experiment.yaml nor a known line",
                did_you_mean(line, known),
            )
    problems.raise_if_any()
    return bands.assign(
        cell_line=[by_key.get(reference.line_key(str(line)), line) for line in bands["cell_line"]]
    )


def _world() -> set[str]:
    return set(reference.table("cell_lines")["name"])


def read_mrna(
    folder: Path | str,
    file: str,
    *,
    unit: str = "",
    target: str = "ASNS",
    references: Sequence[str] = (),
    calibrator: str | None = None,
    lines: Iterable[str] | None = None,
    media: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """mRNA of one file: a qPCR export (delta-delta Cq of `target` against `references`) or a table
    of one value per line.

    Columns `cell_line`, `replicate`, `value` (log2), `note`; a qPCR file adds those of
    `kit.asns.expression.delta_delta_cq`. `media` are
    those of experiment.yaml: the control medium is the basal condition.
    """
    path, known = Path(folder) / file, list(lines or [])
    if is_cq_file(path, name=file):
        wells = with_conditions(read_cq(path, name=file, lines=known), media).drop(
            columns="starved"
        )
        return delta_delta_cq(wells, target, list(references), calibrator, name=file)
    return read_expression(path, name=file, unit=unit, lines=known)
