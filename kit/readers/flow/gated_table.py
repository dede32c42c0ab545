"""Gated flow tables: the kit's own form and what FlowJo, FACSDiva and CytExpert export, one row per
sample or per population.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kit.core.errors import Problems, refused
from kit.readers.flow.headings import QUADRANTS, Heading, fold, quadrant_of, recognise, statistic_of
from kit.readers.flow.samples import choose_sample_column, split_sample_name, tube_above
from kit.readers.sheets import Sheet, open_source, text_sheets

COLUMNS = ("cell_line", "medium", "replicate", *(f"{name}_percent" for name in QUADRANTS), "events")
TOLERANCE = 1.0
"""How far, in percent points, the four quadrants may be from 100 (rounding in exports)."""

_CONTROL_TUBE = (
    r"unstained|single[ -]?stain|\bfmo\b|\bcomp(ensation)?\b|(annexin|pi|7-?aad)["
    r" -]?only|\bbeads?\b|\bblank\b"
)
_SUMMARY_ROW = r"mean|sd|std\.? ?dev\.?|cv|average|median"
_ROWS_SEARCHED = 60

Record = dict[Any, Any]


def read_flow_table(
    path: Path | str,
    *,
    name: str | None = None,
    lines: Collection[str] | None = None,
    media: Collection[str] | None = None,
) -> pd.DataFrame:
    """One row per sample with `COLUMNS`; percents lie in 0..100 and sum to 100.

    Where the table has counts, percents are computed from them. `lines` and `media`, the names in
    experiment.yaml, help to take a sample's
    name apart (`MOLT-4_no_asn_R1.fcs`) where the table has no columns for that. Rows of control
    tubes are left out and listed in
    `attrs["notes"]`. Raises InputError with every problem: file, row, value, remedy.
    """
    path, name = Path(path), name or Path(path).name
    tables = [
        (sheet, header) for sheet in _sheets(path, name) if (header := _header(sheet)) is not None
    ]
    if not tables:
        raise refused(name, "holds no flow table: no row names the four quadrants", _form())
    if len(tables) > 1:
        names = ", ".join(f"'{sheet.name}'" for sheet, _ in tables)
        raise refused(
            name, f"holds {len(tables)} flow tables (sheets {names})", "Keep one of them per file."
        )
    problems, notes = Problems(), list[str]()
    sheet, header = tables[0]
    meanings, note = choose_sample_column(
        sheet.rows[header:], [recognise(cell) for cell in sheet.rows[header]], lines, media
    )
    notes += [f"{name}: {note}"] if note else []
    records = _records(sheet, header, meanings, name, problems)
    rows = []
    for record in records:
        tube = fold(record.get("sample", ""))
        if "sample" in record and re.search(_CONTROL_TUBE, tube) and not record.get("cell_line"):
            notes.append(
                f"{name}: {record['place']}: '{record['sample']}' is a control tube and was"
                " left out"
            )
            continue
        rows.append(
            {
                **_keys(record, name, lines, media, problems),
                **_numbers(record, name, problems),
                "_place": record["place"],
            }
        )
    if not rows and not problems:
        problems.say(name, "", "holds no samples", _form())
    _check_doubles(rows, name, problems)
    _to_percent(rows, name, problems)
    problems.raise_if_any()
    table = pd.DataFrame(rows).drop(columns="_place")
    table = table[[*COLUMNS, *(column for column in table if column not in COLUMNS)]].astype(
        {"replicate": np.int64}
    )
    table.attrs["notes"] = notes
    return table


def _form() -> str:
    return f"Write one row per sample with the columns {', '.join(COLUMNS)}."


# ---- finding the table


def _sheets(path: Path, name: str) -> list[Sheet]:
    """Excel's sheets, or the text cut by the first delimiter that shows a flow table."""
    if path.is_file():
        with path.open("rb") as handle:
            if handle.read(3) == b"FCS":
                remedy = (
                    "Name the sample sheet of the FCS files (columns file, cell_line, medium,"
                    " replicate, role) and give `gates`."
                )
                raise refused(name, "is an FCS file, not a gated table", remedy)
    source = open_source(path, name, None)
    cuts = [sheet for sheet in text_sheets(source.text) if sheet.delimiter != " "]
    return list(source.sheets) or [sheet for sheet in cuts if _header(sheet) is not None][:1]


def _header(sheet: Sheet) -> int | None:
    """Index of the row that names all four quadrants, or that begins a list with one row per
    population.
    """
    for index, row in enumerate(sheet.rows[:_ROWS_SEARCHED]):
        meanings = [recognise(cell) for cell in row if cell not in (None, "")]
        fields = {meaning.field for meaning in meanings if meaning}
        if len(fields & set(QUADRANTS)) >= 3 or (
            "population" in fields and any(statistic_of(fold(cell))[0] for cell in row)
        ):
            return index
    return None


def _records(
    sheet: Sheet, header: int, meanings: list[Heading | None], name: str, problems: Problems
) -> list[Record]:
    """Rows below the header as {field or (quadrant, statistic): cell, place: ...}; summary rows are
    dropped.
    """
    headings = sheet.rows[header]
    if any(meaning and meaning.field == "population" for meaning in meanings):
        return _pivot(sheet, header, meanings, name, problems)
    meanings = _unique(headings, meanings, sheet.place(header), name, problems)
    _check_complete(meanings, name, problems)
    records = []
    for number, row in enumerate(sheet.rows[header + 1 :], start=header + 1):
        cells = {
            _key(meaning): cell for meaning, cell in zip(meanings, row) if meaning and _text(cell)
        }
        if len(row) > len(meanings) and any(_text(cell) for cell in row[len(meanings) :]):
            what = f"has {len(row)} cells under {len(meanings)} headings"
            problems.say(
                name,
                sheet.place(number),
                what,
                "Decimal commas need another delimiter than the comma, or quotes.",
            )
        elif cells and not re.fullmatch(_SUMMARY_ROW, fold(cells.get("sample", ""))):
            records.append({**cells, "place": sheet.place(number)})
    return records


def _pivot(
    sheet: Sheet, header: int, meanings: list[Heading | None], name: str, problems: Problems
) -> list[Record]:
    """One record per sample from a list with one row per population."""
    headings = sheet.rows[header]
    fields = {
        meaning.field: position
        for position, meaning in enumerate(meanings)
        if meaning and not meaning.statistic
    }
    statistics = {
        position: statistic_of(fold(cell))
        for position, cell in enumerate(headings)
        if cell and statistic_of(fold(cell))[0]
    }
    by_sample: dict[tuple[str, ...], Record] = defaultdict(dict)
    tube = tube_above(sheet.rows[:header]) if "sample" not in fields else {}
    for number, row in enumerate(sheet.rows[header + 1 :], start=header + 1):
        cells = {
            field: row[position]
            for field, position in fields.items()
            if position < len(row) and _text(row[position])
        }
        population = fold(cells.pop("population", ""))
        cells = {**tube, **cells}
        if not population:
            continue
        record = by_sample[tuple(f"{key}={cells[key]}" for key in sorted(cells))]
        record.update({**cells, "place": record.get("place", sheet.place(number))})
        for position, (statistic, software, _) in statistics.items():
            quadrant = quadrant_of(population, software)
            singlets = statistic == "count" and re.search(
                r"(^|/)(singlets?|single ?cells)$", population
            )
            key = (quadrant, statistic) if quadrant else "events" if singlets else None
            if key and position < len(row) and _text(row[position]):
                if key in record:
                    problems.say(
                        name,
                        sheet.place(number),
                        f"population '{population}' stands there twice for one sample",
                        "Keep one.",
                    )
                record[key] = row[position]
    return list(by_sample.values())


def _key(meaning: Heading) -> Any:
    return (meaning.field, meaning.statistic) if meaning.field in QUADRANTS else meaning.field


def _unique(
    headings: list[Any], meanings: list[Heading | None], place: str, name: str, problems: Problems
) -> list[Heading | None]:
    """Problems for two columns of one meaning; an unnamed first column counts as the sample only
    when no other does.
    """
    named = any(
        meaning and meaning.field == "sample" and _text(cell)
        for cell, meaning in zip(headings, meanings)
    )
    kept = [
        (
            None
            if meaning and meaning.field == "sample" and not _text(cell) and (named or position)
            else meaning
        )
        for position, (cell, meaning) in enumerate(zip(headings, meanings))
    ]
    for meaning in {meaning for meaning in kept if meaning and kept.count(meaning) > 1}:
        twins = [str(cell) for cell, other in zip(headings, kept) if other == meaning]
        what = (
            f"columns {' and '.join(repr(twin) for twin in twins)} both look like {meaning.field}"
            f" {meaning.statistic}".rstrip()
        )
        problems.say(name, place, what, "Keep one.")
    return kept


def _check_complete(meanings: list[Heading | None], name: str, problems: Problems) -> None:
    kinds = {
        kind: {m.field for m in meanings if m and m.statistic == kind} & set(QUADRANTS)
        for kind in ("percent", "count")
    }
    if not any(len(found) == 4 for found in kinds.values()):
        missing = [
            quadrant for quadrant in QUADRANTS if quadrant not in max(kinds.values(), key=len)
        ]
        problems.say(
            name,
            "header",
            f"no column for {', '.join(missing)}",
            "Export percent of parent or counts of all four quadrants.",
        )


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


# ---- what a sample is


def _keys(
    record: Record,
    name: str,
    lines: Collection[str] | None,
    media: Collection[str] | None,
    problems: Problems,
) -> Record:
    """cell_line, medium and replicate of a record, by its columns, else by its sample name; plus
    columns carried along.
    """
    given: dict[str, str] = {
        key: _text(record[key]) for key in ("cell_line", "medium", "replicate") if key in record
    }
    if len(given) < 3:
        sample = _text(record.get("sample")) or _text(record.get("specimen"))
        parsed = split_sample_name(sample, lines, media)
        missing = [key for key in ("cell_line", "medium", "replicate") if key not in given]
        if parsed is None:
            what = (
                f"{' and '.join(missing)} of sample '{sample}' cannot be told"
                if sample
                else f"{' and '.join(missing)} missing"
            )
            problems.say(
                name,
                record["place"],
                what,
                "Add the columns cell_line, medium, replicate, or name samples LINE_MEDIUM_R1.",
            )
            return {}
        given = {**parsed, **given}
    replicate = re.fullmatch(
        r"(?:r|rep|replicate|n)?[ _.-]?0*(\d+)(?:\.0+)?", given["replicate"].casefold()
    )
    if not replicate or int(replicate[1]) < 1:
        problems.say(
            name,
            record["place"],
            f"replicate is '{given['replicate']}'",
            "Number biological replicates 1, 2, 3.",
        )
    carried: Record = {
        key: _number(record[key])
        for key in ("hours", "viable_per_mL", "debris_percent")
        if key in record
    }
    if "sample" in record:
        carried["sample"] = _text(record["sample"])
    return {
        "cell_line": given["cell_line"],
        "medium": given["medium"],
        "replicate": int(replicate[1]) if replicate else 0,
        **carried,
    }


def _check_doubles(rows: list[Record], name: str, problems: Problems) -> None:
    seen: dict[tuple[Any, ...], str] = {}
    for row in rows:
        if "cell_line" not in row:
            continue
        key = (row["cell_line"], row["medium"], row["replicate"], row.get("hours"))
        if key in seen:
            what = f"{key[0]}, {key[1]}, replicate {key[2]} stands already in {seen[key]}"
            problems.say(
                name,
                row["_place"],
                what,
                "Give each biological replicate its own number; pool technical tubes before.",
            )
        seen.setdefault(key, row["_place"])


# ---- numbers


def _number(cell: Any, *, count: bool = False) -> float:
    """A cell as a number: a percent sign, a decimal comma and, in counts, grouped thousands are
    understood; NaN otherwise.
    """
    if isinstance(cell, bool):
        return float("nan")
    if isinstance(cell, (int, float)):
        return float(cell)
    text = re.sub(r"[\s\u00a0\u202f'’]|%$", "", _text(cell)).removesuffix("%")
    if count and re.fullmatch(r"\d{1,3}([,.]\d{3})+", text):
        text = re.sub(r"[,.]", "", text)
    if re.fullmatch(r"[+-]?\d*,\d+", text):
        text = text.replace(",", ".")
    return (
        float(text)
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, flags=re.IGNORECASE)
        else float("nan")
    )


def _numbers(record: Record, name: str, problems: Problems) -> Record:
    """The quadrants' percents as written and the events of a record; counts, where all four are
    there, overrule percents.
    """
    counts = {
        quadrant: _count(record, (quadrant, "count"), f"{quadrant} count", name, problems)
        for quadrant in QUADRANTS
    }
    percents = {quadrant: _percent(record, quadrant, name, problems) for quadrant in QUADRANTS}
    events = _count(record, "events", "events", name, problems)
    exact = all(np.isfinite(value) for value in counts.values())
    if exact:
        total = sum(counts.values())
        if total < 1:
            problems.say(
                name,
                record["place"],
                "all four quadrants count 0 events",
                "Leave the sample out, or record it again.",
            )
        stated = {quadrant: value for quadrant, value in percents.items() if np.isfinite(value)}
        percents = {quadrant: 100 * value / max(total, 1) for quadrant, value in counts.items()}
        _compare(stated, percents, record["place"], name, problems)
        if np.isfinite(events) and abs(events - total) > 0.02 * max(total, 1):
            what = f"{events:.0f} events, but the quadrants count {total:.0f}"
            problems.say(
                name, record["place"], what, "Events are the singlets the quadrants are drawn on."
            )
        events = total
    elif missing := [quadrant for quadrant in QUADRANTS if (quadrant, "percent") not in record]:
        problems.say(
            name, record["place"], f"{', '.join(missing)} missing", "Give all four quadrants."
        )
    return {
        **{f"{quadrant}_percent": value for quadrant, value in percents.items()},
        "events": events,
        "_exact": exact,
    }


def _compare(
    stated: dict[str, float], exact: dict[str, float], place: str, name: str, problems: Problems
) -> None:
    scale = 100.0 if stated and sum(stated.values()) <= 1 + TOLERANCE / 100 else 1.0
    for quadrant, value in stated.items():
        if abs(value * scale - exact[quadrant]) > TOLERANCE:
            what = f"{quadrant} is {value:g} in percent but {exact[quadrant]:.2f} by counts"
            problems.say(
                name, place, what, "Export percent of parent from the same gate as the counts."
            )


def _count(record: Record, key: Any, label: str, name: str, problems: Problems) -> float:
    if key not in record:
        return float("nan")
    value = _number(record[key], count=True)
    if not np.isfinite(value) or value < 0 or value != round(value):
        problems.say(
            name,
            record["place"],
            f"{label} is '{_text(record[key])}'",
            "Write a whole number, 0 or more.",
        )
        return float("nan")
    return value


def _percent(record: Record, quadrant: str, name: str, problems: Problems) -> float:
    key = (quadrant, "percent")
    if key not in record:
        return float("nan")
    value = _number(record[key])
    if not np.isfinite(value):
        problems.say(
            name,
            record["place"],
            f"{quadrant} percent is '{_text(record[key])}', not a number",
            "Write a number from 0 to 100.",
        )
    elif not 0 <= value <= 100:
        problems.say(
            name,
            record["place"],
            f"{quadrant} percent is {value:g}, outside 0 to 100",
            "Write percent of parent.",
        )
    return value


def _to_percent(rows: list[Record], name: str, problems: Problems) -> None:
    """Bring fractions to percent when the whole table holds fractions; check that each row sums to
    100.

    Rows with a quadrant that is no number, or out of range, have been told about already and are
    passed over.
    """
    columns = [f"{quadrant}_percent" for quadrant in QUADRANTS]
    sums = {
        id(row): sum(row[column] for column in columns)
        for row in rows
        if all(0 <= row[column] <= 100 for column in columns)
    }
    written = [sums[id(row)] for row in rows if id(row) in sums and not row["_exact"]]
    fractions = bool(written) and all(abs(total - 1) <= TOLERANCE / 100 for total in written)
    for row in rows:
        scale = 1.0 if row.pop("_exact") or not fractions else 100.0
        total = sums.get(id(row), 100.0 / scale) * scale
        if abs(total - 100) > TOLERANCE:
            alike = abs(total - 1) <= TOLERANCE / 100
            remedy = (
                "They look like fractions; other rows are percents."
                if alike
                else "Export percent of the parent gate (singlets)."
            )
            problems.say(
                name, row["_place"], f"the four quadrants sum to {total:g}, not 100", remedy
            )
        row.update({column: row[column] * scale for column in columns})
