"""HTML of tables, badges and banners: everything that came from a user is escaped here, once.

The classes are styled by `templates/report/report.css`; `FALLBACK` is a small style of their own
for JupyterLab, in light and dark
themes, which the report leaves out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kit.core import findings
from kit.report import glossary

Format = str | Callable[[Any], str]
"""How a column is written: a format specification such as `.2f`, or a function of the value that
returns plain text.
"""


class Cell(NamedTuple):
    """One card of `matrix`: `kind` gives its colour class (a word of TONES), `headline` what it
    says first, `beside` what refines it, `lines` the rest.
    """

    kind: str
    headline: str
    lines: Sequence[str] = ()
    beside: str = ""


MAX_ROWS = 500
SCROLL_ROWS = 15
LONG_TEXT = 30
"""Characters from which a cell's text is broken into lines."""

MISSING = "–"

MARKS = {"pass": "✓", "warn": "!", "fail": "✕", "info": "i"}
"""Verdict -> sign, so that a verdict never rests on colour alone."""

TONES = {
    "pass": "pass", "warn": "warn", "fail": "fail", "info": "info", "ok": "pass", "failed": "fail",
    "auxotrophic": "aux", "dependent": "dep", "partially_dependent": "part", "prototrophic": "pro", "inconclusive": "none",
    "full": "plain", "likely_full": "plain", "partial": "plain", "indeterminate": "plain", "not_applicable": "plain",
    "confident": "plain", "provisional": "plain", "reversible": "plain", "partly_reversible": "plain", "irreversible": "plain",
    "no_effect": "plain", "synergistic": "plain", "antagonistic": "plain", "additive": "plain",
}  # fmt: skip
"""Word in a badge -> its colour class."""

NAME_COLUMNS = ("metric", "check", "code", "setting")
"""Columns whose cells are names of the kit: each carries what it means as a tooltip."""

AS_WRITTEN = ("setting", "file", "path", "field")
"""Columns whose names stand as a person has to type them."""

_SNAKE = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")

BADGE_COLUMNS = ("verdict", "call", "class", "rescue", "status", "confidence")

UNITS = {"_uM": "µM", "_uL": "µL", "_h": "h", "_kDa": "kDa", "_percent": "%"}

FALLBACK = (
    "<style>.kit{color:var(--jp-ui-font-color1,inherit);font-family:system-ui,sans-serif;font-size:13px;line-height:1.45}.kit"
    " table{border-collapse:collapse}.kit th,.kit td{padding:3px"
    " 10px;text-align:left!important;border-bottom:1px solid #8884}.kit td.n,.kit"
    " th.n{text-align:right!important;font-variant-numeric:tabular-nums}.kit"
    " .box{max-height:26em;overflow:auto}.kit .badge{border:1px solid"
    " currentColor;border-radius:9px;padding:0 7px;white-space:nowrap;font-weight:600}.kit"
    " .t-pass{color:#00665c;background:#e2f3f0}.kit .t-warn{color:#7d5200;background:#fdf0d3}.kit"
    " .t-fail{color:#9c2a1c;background:#fbe5e0}.kit .t-aux{color:#fff;background:#a5410f}.kit"
    " .t-dep{color:#5c2d00;background:#f6b981}.kit .t-part{color:#4f4300;background:#f3e9a4}.kit"
    " .t-pro{color:#06456b;background:#cde5f5}.kit"
    " .t-plain{border:0;padding:0;font-weight:inherit}.kit .cap,.kit"
    " .muted{opacity:.75;max-width:52em}.kit .banner{border-left:5px solid #888;padding:4px"
    " 14px}.kit .b-fail{border-color:#b3261e}.kit .b-warn{border-color:#b87400}.kit"
    " .b-pass{border-color:#00756a}.kit dl{display:grid;grid-template-columns:max-content"
    " auto;gap:2px 14px}.kit dd{margin:0}</style>"
)


def wrapped(html: str) -> str:
    """HTML as a notebook output: inside `div.kit`, with the fallback style."""
    return f'{FALLBACK}<div class="kit">{html}</div>'


def words(name: object) -> str:
    """A name of the code as words: `partially_dependent` -> `partially dependent`."""
    return str(name).replace("_", " ")


def heading(column: str) -> str:
    """A column's name as a table head, its unit in brackets: `residual_uM` -> `residual (µM)`."""
    for ending, unit in UNITS.items():
        if column.endswith(ending):
            return f"{words(column.removesuffix(ending))} ({unit})"
    return words(column)


def badge(word: str) -> str:
    """A word with its colour class, and its sign where it is a verdict."""
    sign = MARKS.get(word, "")
    sign = f'<span aria-hidden="true">{sign}</span> ' if sign else ""
    text = word.upper() if word in MARKS else words(word)
    return f'<span class="badge t-{tone(word) or "plain"}">{sign}{escape(text)}</span>'


def tone(text: str) -> str:
    """The colour class of a badge's text, by what stands before its first comma (`auxotrophic,
    cytotoxic`); empty where it is no badge.
    """
    return TONES.get(text.split(",")[0].strip().replace(" ", "_"), "")


def table(
    frame: pd.DataFrame,
    *,
    name: str = "",
    caption: str = "",
    columns: Sequence[str] | Mapping[str, str] | None = None,
    formats: Mapping[str, Format] | None = None,
) -> str:
    """A sortable table. `columns` picks and orders the columns (a mapping also names them);
    `formats` overrules how one is written.

    At most `MAX_ROWS` rows are shown: the CSV holds all. Raises ValueError when a column is not in
    the frame.
    """
    names = list(columns) if columns is not None else list(frame.columns)
    unknown = [column for column in names if column not in frame]
    if unknown:
        raise ValueError(f"table {name!r} has no column {', '.join(map(repr, unknown))}")
    titles = (
        dict(columns)
        if isinstance(columns, Mapping)
        else {column: heading(str(column)) for column in names}
    )
    shown = frame[names].head(MAX_ROWS)
    cells = [_cells(shown[column], str(column), (formats or {}).get(column)) for column in names]
    head = "".join(
        _head(str(column), titles[column], _is_number(shown[column]), name) for column in names
    )
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True))
    if shown.empty:
        body = f'<tr><td class="muted" colspan="{max(len(names), 1)}">no rows</td></tr>'
    box = "box long" if len(shown) > SCROLL_ROWS else "box"
    below = f"{caption} " if caption else ""
    if len(frame) > MAX_ROWS:
        below += f"The first {MAX_ROWS} of {len(frame):,} rows; all are in tables/{name}.csv."
    return (
        f'<div class="table" data-name="{escape(name)}"><div class="{box}" tabindex="0"'
        f' role="region" aria-label="{escape(words(name))}">'
        f'<table class="sortable"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        f"{f'<p class=cap>{prose(below.strip())}</p>' if below.strip() else ''}</div>"
    )


def matrix(cells: Mapping[tuple[str, str], Cell], *, name: str = "", caption: str = "") -> str:
    """A table of cards: one row per first key, one column per second, each cell a headline in its
    colour class over small lines.
    """
    rows, columns = (
        list(dict.fromkeys(key[0] for key in cells)),
        list(dict.fromkeys(key[1] for key in cells)),
    )
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr><th"
        f' scope="row">{escape(row)}</th>{"".join(_card(cells.get((row, column)), column) for column in columns)}</tr>'
        for row in rows
    )
    below = f"<p class=cap>{prose(caption)}</p>" if caption else ""
    return (
        f'<div class="table" data-name="{escape(name)}"><div class="box" tabindex="0" role="region"'
        f' aria-label="{escape(words(name))}">'
        "<table"
        f' class="matrix{" several" if len(columns) > 1 else ""}"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>{below}</div>'
    )


def _card(cell: Cell | None, column: str) -> str:
    if cell is None:
        return f'<td class="muted">{MISSING}</td>'
    lines = "".join(f"<br><span>{escape(line)}</span>" for line in cell.lines if line)
    beside = f" {escape(cell.beside)}" if cell.beside else ""
    return (
        f'<td class="card" data-column="{escape(column)}"><b'
        f' class="t-{TONES.get(cell.kind, "plain")}">{escape(cell.headline)}</b>{beside}{lines}</td>'
    )


def _head(column: str, title: str, number: bool, table_name: str) -> str:
    meaning = glossary.meaning(column, table_name)
    tip = f' title="{escape(meaning)}"' if meaning else ""
    return f'<th scope="col"{" class=n" if number else ""}{tip}>{escape(title)}</th>'


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _cells(values: pd.Series, column: str, wanted: Format | None) -> list[str]:
    """One `<td>` per value; `data-v` carries the exact number for sorting."""
    if _is_number(values):
        write = _writer(wanted) if wanted is not None else _number_writer(values, column)
        return [_number_cell(value, write) for value in values]
    badges = column in BADGE_COLUMNS
    own = None if wanted is None else _writer(wanted)
    cells = [_text_cell(value, own, badges, column) for value in values]
    if column not in (*NAME_COLUMNS, *BADGE_COLUMNS):
        return cells
    tips = [
        f"{value}: {tip}" if isinstance(value, str) and (tip := glossary.meaning(value)) else ""
        for value in values
    ]
    return [
        cell.replace("<td", f'<td title="{escape(tip)}"', 1) if tip else cell
        for cell, tip in zip(cells, tips, strict=True)
    ]


def _number_cell(value: Any, write: Callable[[Any], str]) -> str:
    if is_missing(value):
        return f'<td class="n muted">{MISSING}</td>'
    return (
        "<td class=n"
        f' data-v="{escape(repr(float(value)))}">{escape(write(value).replace("-", "−"))}</td>'
    )


def _text_cell(value: Any, write: Callable[[Any], str] | None, badges: bool, column: str) -> str:
    if is_missing(value) or value == "":
        return f'<td class="muted">{MISSING if badges else ""}</td>'
    if write is not None:
        return f"<td>{escape(write(value))}</td>"
    if isinstance(value, bool | np.bool_):
        return f"<td>{'yes' if value else 'no'}</td>"
    if badges and tone(str(value)):
        return f"<td>{badge(str(value))}</td>"
    text = findings.title(str(value)) if column == "metric" else str(value)
    if _SNAKE.fullmatch(text) and column not in AS_WRITTEN:
        text = words(text)
    size = (
        ""
        if len(text) <= LONG_TEXT
        else " class=w"
        if len(text) <= 3 * LONG_TEXT
        else ' class="w ww"'
    )
    return f"<td{size}>{prose(text)}</td>"


def is_missing(value: Any) -> bool:
    """True for None, NaN, NaT and pd.NA."""
    missing = pd.isna(value)
    return isinstance(missing, bool | np.bool_) and bool(missing)


def _writer(wanted: Format) -> Callable[[Any], str]:
    return wanted if callable(wanted) else lambda value: format(value, wanted)


def _number_writer(values: pd.Series, column: str) -> Callable[[Any], str]:
    """Three significant digits of the largest value, the same decimals down the column;
    probabilities and mixed columns by value.
    """
    if column == "p" or column.endswith("_p") or column.startswith(("p_", "q_")):
        return findings.probability
    finite = np.abs(values.to_numpy(dtype=float, na_value=np.nan))
    finite = finite[np.isfinite(finite) & (finite > 0)]
    if finite.size == 0 or bool(np.all(finite == np.round(finite))):
        return lambda value: f"{value:.0f}" if math.isfinite(value) else str(value)
    largest, middle = float(finite.max()), float(np.median(finite))
    if middle < largest / 1000 or (largest >= 30 and middle < largest / 30):
        return significant  # several units or orders of magnitude in one column
    decimals = int(np.clip(2 - math.floor(math.log10(largest)), 0, 6))
    return lambda value: f"{value:,.{decimals}f}" if round(value, decimals) else "0"


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, without an exponent between 1e-4 and 1e6."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return (
        f"{value:,.{max(decimals, 0)}f}" if 1e-4 <= abs(value) < 1e6 else f"{value:.{digits - 1}e}"
    )


def prose(text: object) -> str:
    """A sentence, escaped; what stands in backticks is set as code."""
    return re.sub(r"`([^`<>]+)`", r"<code>\1</code>", escape(str(text)))


def definitions(pairs: Iterable[tuple[str, Any]]) -> str:
    """A list of terms with their values."""
    rows = "".join(
        f"<dt>{escape(str(term))}</dt><dd>{MISSING if is_missing(value) else escape(str(value))}</dd>"
        for term, value in pairs
    )
    return f'<dl class="defs">{rows}</dl>'


def items(texts: Iterable[str], kind: str = "ul") -> str:
    """A list of sentences."""
    return f"<{kind}>{''.join(f'<li>{prose(text)}</li>' for text in texts)}</{kind}>"


VERDICT_WORDS = {
    "pass": "Quality limits met",
    "warn": "Usable with reservations",
    "fail": "Do not rely on these results",
}


def banner(
    verdict: str,
    reasons: Sequence[str],
    next_actions: Sequence[str],
    title: str,
    facts: Sequence[str],
) -> str:
    """The verdict with its first three reasons in words, and what to do next; further reasons fold
    away.
    """
    more = (
        f"<details><summary>{len(reasons) - 3} more</summary>{items(reasons[3:])}</details>"
        if len(reasons) > 3
        else ""
    )
    why = items(reasons[:3]) + more if reasons else "<p>No limit was missed.</p>"
    then = items(next_actions[:3], "ol") if next_actions else "<p>Nothing to repeat.</p>"
    rest = (
        f"<details><summary>{len(next_actions) - 3}"
        f" more</summary>{items(next_actions[3:])}</details>"
        if len(next_actions) > 3
        else ""
    )
    return (
        f'<div class="banner b-{TONES.get(verdict, "info")}"><p'
        f' class="facts">{escape(" · ".join(fact for fact in facts if fact))}</p>'
        f"{f'<h1 class=title>{escape(title)}</h1>' if title else ''}"
        f'<p class="verdict">{badge(verdict)} <span>{VERDICT_WORDS.get(verdict, "")}</span></p>'
        f'<div class="why"><div><h2>Why</h2>{why}</div><div><h2>What to do'
        f" next</h2>{then}{rest}</div></div></div>"
    )


def note(text: str, kind: str = "info") -> str:
    """A remark set apart; `kind` is pass, warn, fail or info."""
    return f'<p class="note b-{TONES.get(kind, "info")}">{badge(kind)} {prose(text)}</p>'
