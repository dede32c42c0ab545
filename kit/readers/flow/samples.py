"""How a gated table names its samples: which column, a line above it, and what a sample's name
says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from kit.readers.flow.headings import Heading, fold

RANKS = (r"(tube|sample) ?names?:?", r"tube:?|sample:?", r"file ?names?:?|data ?set.*")
"""Headings of a sample that people fill in, before those that programs number (`Sample ID`, `Well
ID`).
"""


def choose_sample_column(
    rows: Sequence[Sequence[Any]],
    meanings: list[Heading | None],
    lines: Collection[str] | None,
    media: Collection[str] | None,
) -> tuple[list[Heading | None], str]:
    """Of several named columns that could hold the sample the one most of whose cells can be taken
    apart, then the tube's name; and a note.

    `rows` are the headings and all below. Where nothing tells the columns apart all stay, to be
    refused as twins.
    """
    named = [
        i
        for i, meaning in enumerate(meanings)
        if meaning and meaning.field == "sample" and fold(rows[0][i] or "")
    ]
    if len(named) < 2:
        return meanings, ""
    scores = {i: (_resolved(rows[1:], i, lines, media), -_rank(rows[0][i])) for i in named}
    best = [i for i in named if scores[i] == max(scores.values())]
    if len(best) > 1:
        return meanings, ""
    others = ", ".join(f"'{rows[0][i]}'" for i in named if i != best[0])
    return [
        None if i in named and i != best[0] else meaning for i, meaning in enumerate(meanings)
    ], f"samples are named by '{rows[0][best[0]]}', not by {others}"


def _resolved(
    body: Sequence[Sequence[Any]],
    position: int,
    lines: Collection[str] | None,
    media: Collection[str] | None,
) -> int:
    cells = [
        str(row[position])
        for row in body
        if position < len(row) and row[position] not in (None, "")
    ]
    return sum(split_sample_name(cell, lines, media) is not None for cell in cells)


def _rank(heading: Any) -> int:
    return next(
        (index for index, pattern in enumerate(RANKS) if re.fullmatch(pattern, fold(heading))),
        len(RANKS),
    )


def tube_above(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """The sample of a list of one tube, which FACSDiva writes above the headings as `Tube: NAME`,
    in one cell or two.
    """
    for row in reversed(rows):
        text = " ".join(str(cell).strip() for cell in row if cell not in (None, ""))
        match = re.fullmatch(
            r"(?:tube|sample)(?: ?name)?\s*:\s*(.+)", text.strip(), flags=re.IGNORECASE
        )
        if match:
            return {"sample": match[1].strip()}
    return {}


def split_sample_name(
    sample: str, lines: Collection[str] | None = None, media: Collection[str] | None = None
) -> dict[str, str] | None:
    """`MOLT-4_no_asn_R1.fcs` as cell_line, medium, replicate; None unless there is exactly one way
    to read it.

    With the experiment's names, line and medium have to be among them; without, the line is what
    stands before the first underscore. A
    FACSDiva frame (`Specimen_001_..._002`) is taken off.
    """
    stem = re.sub(r"\.(fcs|lmd)$", "", sample.strip(), flags=re.IGNORECASE)
    stem = re.sub(r"^specimen_\d+_(.*?)(_\d{3})?$", r"\1", stem, flags=re.IGNORECASE)
    match = re.fullmatch(
        r"(?P<rest>.+)[_ ](?:r|rep|replicate|n)[_ .-]?(?P<replicate>\d+)", stem, flags=re.IGNORECASE
    )
    if not match:
        return None
    rest = match["rest"]
    if lines is None or media is None:
        parts = rest.split("_", 1)
        return (
            {"cell_line": parts[0], "medium": parts[1], "replicate": match["replicate"]}
            if len(parts) == 2 and all(parts)
            else None
        )
    fits = [
        (line, medium)
        for line in lines
        for medium in media
        if fold(rest) == fold(f"{line}_{medium}")
    ]
    return (
        {"cell_line": fits[0][0], "medium": fits[0][1], "replicate": match["replicate"]}
        if len(fits) == 1
        else None
    )
