"""One blot of an experiment folder, table or image by content, as a band table: what the blots of
ASNS and of signalling share.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from kit.core.errors import InputError, Problem
from kit.readers.blots.densitometry import read_bands, read_lanes
from kit.readers.blots.image import BlotImage, read_blot_image
from kit.readers.blots.image_bands import measure

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")


def is_image(path: Path | str) -> bool:
    """Whether a file is an image, by its first bytes; a missing file is none."""
    try:
        with Path(path).open("rb") as file:
            return file.read(12).startswith(_MAGIC)
    except OSError:
        return False


def read_table_or_image(
    folder: Path | str,
    file: str,
    settings: Any,
    *,
    lanes: str | None = None,
    replicate: int | None = None,
    dark_bands: bool | None = None,
    by_line: bool = True,
) -> tuple[pd.DataFrame, BlotImage | None]:
    """Bands of one blot of `folder`, and the image where it is one (for its overlay figure).

    `lanes` is the lane list's file (needed for an image), `replicate` fills lysates not named.
    `dark_bands` says whether an image's bands are dark; None: told from its border. `by_line`: a
    sample lane has to name its cell line. Raises InputError with every problem.
    """
    folder = Path(folder)
    table = read_lanes(folder / lanes, name=lanes) if lanes else None
    if not is_image(folder / file):
        bands = read_bands(
            folder / file, name=file, lanes=table, replicate=replicate, by_line=by_line
        )
        return bands, None
    if table is None:
        what = "is an image without a lane list: what was loaded is unknown"
        own = "cell_line, lane_role" if by_line else "genotype, drug, stimulus"
        remedy = f"Add `lanes:` with a table of lane, {own} and target, from left to right."
        raise InputError(Problem(file, "", what, remedy))
    image = read_blot_image(folder / file, name=file, dark_bands=dark_bands)
    table = table if "lane" in table else table.assign(lane=range(1, len(table) + 1))
    lysate = table["replicate"].fillna(replicate or 1) if "replicate" in table else replicate or 1
    bands = measure(image, table.assign(replicate=lysate), settings)
    return bands.astype({"replicate": int}).assign(format="image"), image
