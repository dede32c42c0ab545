"""Plate files, and other tables, with one thing spoilt, by a seeded hand: never another number without a word.

Each mutant is refused, or every well holds the number of the sound file or none at all.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from kit.core.errors import InputError
from kit.readers import Read, read_plates
from kit.readers.blots.densitometry import read_bands
from kit.readers.layouts.layout import read_layout
from kit.readers.qpcr import read_cq

FILES = Path(__file__).parent / "cases" / "files"
WELLS = [f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]


def value(k: int) -> str:
    return str(10_007 + 613 * k)


def grid(delimiter: str, closing: str, *, empty: bool = False) -> str:
    lines = [delimiter.join(["", *map(str, range(1, 13))]) + closing]
    for r, row in enumerate("ABCDEFGH"):
        cells = [
            "" if empty and (r in (0, 7) or c in (0, 11)) else value(12 * r + c) for c in range(12)
        ]
        lines.append(delimiter.join([row, *cells]) + closing)
    return "Plate 1\nLuminescence\n" + "\n".join(lines) + "\n"


def listing(head: str, row: Callable[[int, str], str]) -> str:
    return "\n".join([head, *(row(k, well) for k, well in enumerate(WELLS))]) + "\n"


FORMS: dict[str, str] = {
    "grid": grid(",", ""),
    "grid, closing separators": grid(",", ","),
    "grid, tabs": grid("\t", "\t"),
    "grid, inner wells": grid(";", "", empty=True),
    "grid, turned": "Luminescence\n,A,B,C,D,E,F,G,H\n"
    + "\n".join(",".join([str(c + 1), *(value(12 * r + c) for r in range(8))]) for c in range(12))
    + "\n",
    "list": listing("Well,Luminescence", lambda k, well: f"{well},{value(k)}"),
    "list with more": listing(
        "Plate;Well;Luminescence;Sample No", lambda k, well: f"P1;{well};{value(k)};{k}"
    ),
    "list by row and column": listing(
        "Well Row\tWell Col\tContent\tRaw Data",
        lambda k, well: f"{well[0]}\t{well[1:]}\tX{k}\t{value(k)}",
    ),
    "wells across": "Luminescence\nTime,"
    + ",".join(WELLS)
    + "\n0:00,"
    + ",".join(map(value, range(96)))
    + "\n",
    "no labels": "Luminescence\n"
    + "\n".join(",".join(value(12 * r + c) for c in range(12)) for r in range(8))
    + "\n",
}


def drop_cell(text: str, hand: random.Random) -> str:
    lines = text.split("\n")
    r = hand.randrange(len(lines))
    parts = re.split(r"([,;\t])", lines[r])
    k = 2 * hand.randrange((len(parts) + 1) // 2)
    lines[r] = "".join(parts[:k] + parts[k + 2 :])
    return "\n".join(lines)


def drop_line(text: str, hand: random.Random) -> str:
    lines = text.split("\n")
    del lines[hand.randrange(len(lines))]
    return "\n".join(lines)


def swap_lines(text: str, hand: random.Random) -> str:
    lines = text.split("\n")
    k = hand.randrange(len(lines) - 1)
    lines[k], lines[k + 1] = lines[k + 1], lines[k]
    return "\n".join(lines)


def double_line(text: str, hand: random.Random) -> str:
    lines = text.split("\n")
    k = hand.randrange(len(lines))
    return "\n".join([*lines[: k + 1], *lines[k:]])


def drop_delimiter(text: str, hand: random.Random) -> str:
    k = hand.choice([k for k, letter in enumerate(text) if letter in ",;\t"])
    return text[:k] + text[k + 1 :]


def double_delimiter(text: str, hand: random.Random) -> str:
    k = hand.choice([k for k, letter in enumerate(text) if letter in ",;\t"])
    return text[:k] + text[k] + text[k:]


def truncate(text: str, hand: random.Random) -> str:
    return text[: hand.randrange(len(text))]


def other_delimiter(text: str, hand: random.Random) -> str:
    k = hand.choice([k for k, letter in enumerate(text) if letter in ",;\t"])
    return text[:k] + hand.choice(",;\t ") + text[k + 1 :]


MUTATIONS = (
    drop_cell,
    drop_line,
    swap_lines,
    double_line,
    drop_delimiter,
    double_delimiter,
    truncate,
    other_delimiter,
)


def signals(read: Read) -> dict[str, float]:
    held = read.wells[read.wells["signal"].notna()]
    return dict(zip(held["well"], held["signal"], strict=True))


def differing(sound: dict[str, float], reads: list[Read]) -> list[str]:
    """Wells of any read that hold another number than in the sound file."""
    return [
        f"{well} {number}"
        for read in reads
        for well, number in signals(read).items()
        if sound.get(well) != number
    ]


@pytest.mark.parametrize("form", FORMS)
def test_mutants_never_give_another_number(tmp_path: Path, form: str) -> None:
    hand, path = random.Random(form), tmp_path / "mutant.txt"
    path.write_text(FORMS[form])
    (read,) = read_plates(path)
    sound = signals(read)
    for n in range(48):
        mutation = MUTATIONS[n % len(MUTATIONS)]
        if form == "no labels" and mutation is swap_lines:
            continue  # nothing in such a file tells one line from another
        path.write_text(text := mutation(FORMS[form], hand))
        try:
            reads = read_plates(path)
        except InputError:
            continue
        assert not differing(sound, reads), f"{mutation.__name__}\n{text}"


def quantstudio() -> str:
    head = "Well\tWell Position\tOmit\tSample Name\tTarget Name\tTask\tCT\tCt Mean\tCt SD"
    rows = [
        f"{k}\t{well}\tfalse\tLineA R1\t{'ASNS' if k % 2 else 'ACTB'}\tUNKNOWN\t{20 + k / 7:.3f}"
        f"\t{30 + k / 7:.3f}\t0.{100 + k}"
        for k, well in enumerate(WELLS[:24])
    ]
    return "\n".join(["* Instrument Type = QuantStudio", "", "[Results]", head, *rows]) + "\n"


def bands() -> str:
    head = "membrane,lane,cell_line,replicate,target,rf,volume,background,saturated,lane_role"
    rows = [f"M1,{k},L{k},1,ASNS,0.4{k},{1000 + 37 * k},{10 + k},false,sample" for k in range(1, 9)]
    return "\n".join([head, *rows]) + "\n"


def layout() -> str:
    rows = [f"{w},A549,{'no_asn' if k % 2 else 'complete'},sample" for k, w in enumerate(WELLS)]
    return "\n".join(["well,cell_line,medium,role", *rows]) + "\n"


TABLES: dict[str, tuple[str, Callable[[Path], pd.DataFrame], list[str], list[str]]] = {
    "qPCR": (quantstudio(), read_cq, ["well", "target"], ["cq"]),
    "blot": (bands(), read_bands, ["lane", "target"], ["volume", "background"]),
    "layout": (layout(), lambda path: read_layout(path, "map"), ["well"], ["medium", "role"]),
}


@pytest.mark.parametrize("form", TABLES)
def test_mutants_of_tables_never_give_another_value(tmp_path: Path, form: str) -> None:
    text, read, keys, fields = TABLES[form]
    hand, path = random.Random(form), tmp_path / "mutant.csv"

    def held() -> dict[tuple, tuple]:
        table = read(path)
        values = zip(*(table[field] for field in fields), strict=True)
        return dict(zip(zip(*(table[key].astype(str) for key in keys)), values, strict=True))

    path.write_text(text)
    sound = held()
    for n in range(48):
        mutation = MUTATIONS[n % len(MUTATIONS)]
        path.write_text(spoilt := mutation(text, hand))
        try:
            found = held()
        except InputError:
            continue
        assert all(sound.get(key) == value for key, value in found.items()), spoilt
