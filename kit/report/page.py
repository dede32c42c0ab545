"""Executed notebooks -> one self-contained report.html that opens offline and asks no host for
anything.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kit.core.paths import share
from kit.report import glossary, markup

FIRST, LAST, HIDDEN = "first-screen", "last-section", "no-report"
"""Tags of cells: to the top of the page, to the last section, not in the report at all."""

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_HEADING = re.compile(r"<h([1-4])>(.*?)</h\1>", re.S)
Cell = dict[str, Any]


@dataclass
class Page:
    """What the template needs of the notebooks: HTML of the three places and the headings for the
    navigation.
    """

    first: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    last: list[str] = field(default_factory=list)
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    """(level, id, text)"""


def write(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Write `folder`/report.html from its executed notebooks and its manifest; returns the path."""
    path = folder / "report.html"
    path.write_text(render(folder, manifest), encoding="utf-8")
    return path


def render(folder: Path, manifest: Mapping[str, Any]) -> str:
    """The report of `folder`, whose notebooks the manifest names in their order; those never
    started are left out.
    """
    page = Page()
    for entry in manifest.get("notebooks", ()):
        path = folder / "notebooks" / f"{entry['name']}.ipynb"
        if path.is_file():
            _add_notebook(page, entry["name"], json.loads(path.read_text(encoding="utf-8")))
    style, script = asset("report.css"), asset("report.js")
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            manifest=manifest,
            page=page,
            first=_join([*page.first[:1], *_choices(manifest), *page.first[1:]]),
            body=_join(page.body),
            last=_join(page.last),
            settings=Markup(_settings_table(manifest.get("settings", {}))),
            inputs=Markup(_frame_table(manifest.get("inputs", ()), ("path", "sha256"))),
            packages=Markup(
                markup.definitions(
                    {"Python": manifest.get("python", ""), **manifest.get("packages", {})}.items()
                )
            ),
            files=_files(folder),
            glossary=Markup(_glossary([*page.first, *page.body])),
            style=Markup(style),
            script=Markup(script),
            policy=policy(script),
        )
    )


@cache
def environment() -> Environment:
    """Templates of the report; everything is escaped unless it is marked as HTML."""
    return Environment(
        loader=FileSystemLoader(_templates()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def asset(name: str) -> str:
    """The text of a style or script of the report."""
    return (_templates() / name).read_text(encoding="utf-8")


def policy(script: str) -> str:
    """A content policy: no request to any host, and no script but ours, even if markup slipped
    through an escape.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src"
        f" 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _templates() -> Path:
    return share() / "templates" / "report"


def _join(parts: Iterable[str]) -> Markup:
    return Markup("\n".join(parts))  # made of escaped parts


def _add_notebook(page: Page, name: str, notebook: Mapping[str, Any]) -> None:
    waiting: list[
        Cell
        # code without output yet: shown together with the next cell's, not as a pile of empty folds
    ] = []
    for index, cell in enumerate(notebook["cells"]):
        tags = set(cell.get("metadata", {}).get("tags", ()))
        if HIDDEN in tags or any(tag.startswith("papermill-error") for tag in tags):
            continue
        place = page.first if FIRST in tags else page.last if LAST in tags else page.body
        if cell["cell_type"] == "markdown":
            html = _with_ids(
                markdown(_text(cell["source"])),
                f"{name}-{index}",
                page if place is page.body else None,
            )
            place.append(f'<div class="prose">{html}</div>')
        elif cell["cell_type"] == "code":
            waiting.append(cell)
            outputs, _ = _outputs(cell.get("outputs", ()))
            if place is page.first and any(outputs in earlier for earlier in place):
                continue  # every notebook may show the verdict; the page says it once
            if outputs:
                place.append(_code(waiting) + outputs if place is page.body else outputs)
                waiting = waiting if place is not page.body else []


def markdown(text: str) -> str:
    """Markdown of a notebook as HTML."""
    return str(_markdown()(text))


@cache
def _markdown() -> Any:
    import mistune

    return mistune.create_markdown(escape=False, plugins=["table", "footnotes", "strikethrough"])


def _with_ids(html: str, stem: str, page: Page | None) -> str:
    """Give each heading an id and note it for the navigation; a notebook's title becomes the second
    level.
    """

    def replace(match: re.Match[str]) -> str:
        level, inner = int(match[1]) + 1, match[2]
        text = Markup(re.sub(r"<[^>]+>", "", inner)).unescape()
        slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        anchor = f"{stem}-{slug}" if slug else stem
        if page is not None and level <= 3:
            page.headings.append((level, anchor, text))
        return f'<h{level} id="{anchor}">{inner}</h{level}>'

    return _HEADING.sub(replace, html)


def _code(cells: Sequence[Cell]) -> str:
    """The code of cells, and what it wrote to stderr, folded away."""
    source = "\n\n".join(text for cell in cells if (text := _text(cell["source"]).strip()))
    messages = "".join(_outputs(cell.get("outputs", ()))[1] for cell in cells)
    notes = f'<pre class="messages">{escape(messages)}</pre>' if messages else ""
    return (
        "<details"
        f' class="code"><summary>Code</summary><pre><code>{_highlight(source)}</code></pre>{notes}</details>\n'
    )


def _outputs(outputs: Sequence[Cell]) -> tuple[str, str]:
    """HTML of a cell's outputs, and what was written to stderr (shown with the code only)."""
    html, messages, captions = [], [], _captions(outputs)
    for output in outputs:
        about = output.get("metadata", {}).get("kit", {})
        if output["output_type"] == "stream":
            text = _ANSI.sub("", _text(output["text"]))
            if output["name"] == "stderr":
                messages.append(text)
            elif text.strip():
                html.append(f"<pre>{escape(text)}</pre>")
        elif output["output_type"] == "error":
            html.append(_error(output))
        elif "caption_of" not in about:
            html.append(
                _display(
                    output["data"],
                    output.get("metadata", {}),
                    captions.get(about.get("exhibit"), ""),
                )
            )
    return "\n".join(html), "".join(messages)


def _captions(outputs: Sequence[Cell]) -> dict[str | None, str]:
    """Exhibit's name -> its caption, which is an output of its own."""
    found: dict[str | None, str] = {}
    for output in outputs:
        name = output.get("metadata", {}).get("kit", {}).get("caption_of")
        if name:
            found[name] = _own(_text(output["data"]["text/html"]))
    return found


def _own(html: str) -> str:
    """HTML of ours without the style that is for JupyterLab."""
    return html.replace(markup.FALLBACK, "")


def _display(data: Mapping[str, Any], metadata: Mapping[str, Any], caption: str) -> str:
    """The richest form of an output that a page can show."""
    if "image/svg+xml" in data:
        # As an image, not inline: identifiers of two figures cannot clash and nothing in it can
        # run.
        return _figure(
            "data:image/svg+xml,"
            + quote(_compact_svg(_text(data["image/svg+xml"])), safe=" /:=,;()'!*~@&+?$"),
            "",
            metadata,
            caption,
        )
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            width = metadata.get(kind, {}).get("width")
            return _figure(
                f"data:{kind};base64,{_text(data[kind]).replace(chr(10), '')}",
                f' width="{int(width)}"' if width else "",
                metadata,
                caption,
            )
    if "text/html" in data:
        return _own(_text(data["text/html"]))
    if "text/markdown" in data:
        return f'<div class="prose">{markdown(_text(data["text/markdown"]))}</div>'
    text = _text(data.get("text/plain", ""))
    return f"<pre>{escape(text)}</pre>" if text and not text.startswith("<Figure size") else ""


def _figure(source: str, size: str, metadata: Mapping[str, Any], caption: str) -> str:
    about = metadata.get("kit", {})
    anchor = f' id="figure-{escape(about["exhibit"])}"' if about.get("exhibit") else ""
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    data = f"<template>{escape(about['tsv'])}</template>" if about.get("tsv") else ""
    return (
        f'<figure class="exhibit"{anchor}><img src="{escape(source, quote=True)}"'
        f' alt="{escape(about.get("alt", "figure"))}"{size}>{below}{data}</figure>'
    )


def _compact_svg(svg: str) -> str:
    """The drawing without the prolog and the line breaks that only make it longer."""
    return re.sub(r"\s*\n\s*", " ", svg[max(svg.find("<svg"), 0) :]).strip()


def _error(output: Cell) -> str:
    trace = _ANSI.sub("", "\n".join(output.get("traceback", ())))
    head = f"{output.get('ename', 'Error')}: {_ANSI.sub('', output.get('evalue', ''))}"
    return (
        f'<div class="note b-fail" id="stopped-here">{markup.badge("fail")} The analysis stopped'
        f" here: {escape(head)}<details><summary>Technical"
        f" details</summary><pre>{escape(trace)}</pre></details></div>"
    )


def _highlight(source: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))


def _text(source: str | Sequence[str]) -> str:
    """nbformat stores text as one string or as lines."""
    return source if isinstance(source, str) else "".join(source)


def _choices(manifest: Mapping[str, Any]) -> list[str]:
    """What the report owes to settings that were moved and to wells left out."""
    return [markup.note(text) for text in manifest.get("choices", ())]


def _glossary(parts: Sequence[str]) -> str:
    names = glossary.used("\n".join(parts))
    return markup.definitions(names) if names else ""


def _settings_table(settings: Mapping[str, Any]) -> str:
    """Every setting in force, with its meaning and source; those that differ from the kit's come
    first and show the kit's value.
    """
    from kit.config.settings import Settings

    rows = []
    for name, value in settings.items():
        known = Settings.model_fields.get(name)
        extra = known.json_schema_extra if known is not None else None
        usual = json.loads(json.dumps(known.default, default=str)) if known is not None else value
        source = extra.get("source", "") if isinstance(extra, dict) else ""
        meaning = (known.description if known is not None else "") or ""
        changed = f"changed from {_plain(usual)}" if usual != value else ""
        rows.append((name, _plain(value), changed, meaning, source))
    rows.sort(key=lambda row: not row[2])
    columns = ["setting", "value", "changed", "meaning", "source"]
    return markup.table(pd.DataFrame(rows, columns=columns), name="settings")


def _plain(value: Any) -> str:
    """A setting as people write it: yes or no, 10 for 10.0, several with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _frame_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    return markup.table(
        pd.DataFrame(
            [[row.get(column) for column in columns] for row in rows], columns=list(columns)
        ),
        name="inputs",
    )


def _files(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Kind -> (link, name) of everything that lies beside the report."""
    found = {
        kind: [
            (quote(path.relative_to(folder).as_posix()), path.name)
            for path in sorted((folder / kind).glob("*"))
        ]
        for kind in ("notebooks", "tables", "figures")
    }
    return {kind: files for kind, files in found.items() if files}
