"""A figure travels with its table and caption: shown in the notebook and saved for publication,
rendered once per format.
"""

from __future__ import annotations

import base64
import functools
import io
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

import matplotlib as mpl
import pandas as pd
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.layout_engine import ConstrainedLayoutEngine, TightLayoutEngine
from matplotlib.text import Text

from kit.core.columns import TABLES
from kit.core.labels import Labels
from kit.report import markup
from kit.store.tables import tsv, write_csv

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 200
"""Resolution of PNG figures: twice that of a screen of 100 dots per inch."""

CSS_DPI = 96
"""Dots of an inch in HTML: sets the width at which a PNG is shown."""

_METADATA: dict[str, dict[str, None]] = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
    "png": {"Software": None},
}
MAX_COPIED = 1000
"""Rows of a figure's table that the page carries for its button "Copy data"."""

P = ParamSpec("P")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Exhibit:
    """One thing to show: `figure` with the `table` that would redraw it, a title and a caption that
    says what to look for.

    `kind` is how the figure is shown: `svg` for light ones, `png` (2x) for dense ones such as plate
    heatmaps.
    """

    name: str
    title: str
    caption: str
    figure: Figure | None = None
    table: pd.DataFrame | None = None
    kind: Literal["svg", "png"] = "svg"
    data: bool = True
    """False for a drawing that shows no data, and so carries no mark of simulated data."""
    columns: Sequence[str] | Mapping[str, str] | None = None
    """Columns of the table that are shown, with their headings where it is a mapping."""
    formats: Mapping[str, markup.Format] | None = None
    """How columns of the table are written."""
    cards: Mapping[tuple[str, str], markup.Cell] | None = None
    """Cards in rows and columns, shown in the place of the table."""
    marks: Sequence[str] | None = None
    """What the figure says of itself in the place of the page's marks."""
    both: bool = False
    """Show the table below the figure."""


@dataclass(frozen=True)
class Banner:
    """A verdict with its reasons and next actions, under a title with some facts."""

    verdict: str
    reasons: Sequence[str]
    next_actions: Sequence[str]
    title: str
    facts: Sequence[str]


Tabled = tuple[Any, ...]
"""(table or None, caption), and where wanted the columns shown."""


def tabled(
    name: str, formats: Mapping[str, markup.Format] | None = None
) -> Callable[[Callable[P, Tabled]], Callable[P, Exhibit]]:
    """Make a function that gives a table and its caption one that gives an Exhibit of that name."""

    def decorate(function: Callable[P, Tabled]) -> Callable[P, Exhibit]:
        @functools.wraps(function)
        def exhibit(*args: P.args, **kwargs: P.kwargs) -> Exhibit:
            table, caption, *columns = function(*args, **kwargs)
            shown = columns[0] if columns else None
            return Exhibit(name, "", caption, table=table, columns=shown, formats=formats)

        return exhibit

    return decorate


Shown = Exhibit | Banner | Iterable[Any] | None
"""What `Exhibits.show` shows."""


class Exhibits:
    """Shows exhibits and, unless `out` is empty, saves them: figures/<name>.png and .svg,
    tables/<name>.csv under `out`.

    A figure of simulated data says so, and every further text of `marks` (such as EXPLORATORY)
    stands beside it. Tables named in `written` have been saved already. What is shown, but no
    table that is saved, has `labels` in the place of the media's names.
    """

    def __init__(
        self,
        out: str,
        simulated: bool = False,
        marks: Sequence[str] = (),
        written: Collection[str] = (),
        labels: Labels | None = None,
    ) -> None:
        self.labels = labels or Labels()
        self.folder, self.written = Path(out) if out else None, frozenset(written)
        self.marks = (*(("SIMULATED DATA",) if simulated else ()), *marks)

    def show(self, *things: Shown) -> None:
        """Display figures with their captions, tables, cards and banners; save figures and tables.
        Of several things each is shown, of nothing nothing.
        """
        for thing in things:
            if isinstance(thing, Exhibit):
                self._show(thing)
            elif isinstance(thing, Banner):
                self._html(markup.banner(**vars(thing)))
            elif thing is not None:
                self.show(*thing)

    def _show(self, one: Exhibit) -> None:
        if one.cards is not None:
            self.matrix(one.name, one.cards, one.caption, one.table)
        elif one.figure is None:
            self.table(one.name, one.table, one.caption, one.columns, one.formats)
        else:
            self._show_figure(one)
            if one.table is not None:
                self._save_table(one.name, one.table)
            if one.both and one.table is not None:
                self._html(markup.table(self.labels.table(one.table), name=one.name, caption=""))

    def table(
        self,
        name: str,
        frame: pd.DataFrame | None,
        caption: str,
        columns: Sequence[str] | Mapping[str, str] | None = None,
        formats: Mapping[str, markup.Format] | None = None,
    ) -> None:
        """Show a sortable table with sensible digits; full precision is in the CSV. None shows that
        there are no data.
        """
        if frame is None:
            self.note(f"{markup.words(name)}: no data. {caption}")
            return
        self._save_table(name, frame)
        self._html(
            markup.table(
                self.labels.table(frame),
                name=name,
                caption=caption,
                columns=columns,
                formats=formats,
            )
        )

    def matrix(
        self,
        name: str,
        cells: Mapping[tuple[str, str], markup.Cell],
        caption: str,
        frame: pd.DataFrame | None = None,
    ) -> None:
        """Show cards in rows and columns; `frame` holds the same as a table and is saved."""
        if frame is not None:
            self._save_table(name, frame)
        if cells:
            named = {
                (self.labels.name(row), self.labels.name(column)): cell
                for (row, column), cell in cells.items()
            }
            self._html(markup.matrix(named, name=name, caption=caption))
        else:
            self.note(f"{markup.words(name)}: no data. {caption}")

    def banner(self, summary: Any, experiment: Any) -> None:
        """The verdict of an analysis, with reasons and next actions in words."""
        config = experiment.config
        facts = [experiment.id, str(config.date or ""), ", ".join(config.cell_lines)]
        title = config.title or experiment.id
        self.show(Banner(summary.verdict, summary.reasons, summary.next_actions, title, facts))

    def note(self, text: str, kind: str = "info") -> None:
        """A remark set apart from the text, if there is one; `kind` is pass, warn, fail or info."""
        if text:
            self._html(markup.note(text, kind))

    def definitions(self, pairs: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """A list of terms with their values."""
        self._html(markup.definitions(pairs.items() if isinstance(pairs, Mapping) else pairs))

    def bullets(self, texts: Iterable[str]) -> None:
        """A list of sentences."""
        self._html(markup.items(texts))

    def write_tables(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Save every table of an analysis as tables/<name>.csv, exactly: floats read back to the
        same number, missing is empty.
        """
        for name, frame in tables.items():
            self._write_csv(name, frame)

    def _show_figure(self, exhibit: Exhibit) -> None:
        title, caption = self.labels.text(exhibit.title), self.labels.text(exhibit.caption)
        exhibit = replace(exhibit, title=title, caption=caption)
        images = self._render(exhibit)
        about = {
            "exhibit": exhibit.name,
            "title": exhibit.title,
            "alt": f"{exhibit.title}. {exhibit.caption}",
        }
        if exhibit.table is not None and len(exhibit.table) <= MAX_COPIED:
            about["tsv"] = tsv(exhibit.table)
        if exhibit.kind == "svg":
            data, size = {"image/svg+xml": images["svg"].decode()}, {}
        else:
            width = round(exhibit.figure.get_figwidth() * CSS_DPI)  # type: ignore[union-attr]
            data, size = (
                {"image/png": base64.b64encode(images["png"]).decode()},
                {"image/png": {"width": width}},
            )
        display(
            {**data, "text/plain": f"<figure {exhibit.name}>"},
            metadata={"kit": about, **size},
            raw=True,
        )
        caption = (
            f'<p class="cap"><b>{markup.escape(exhibit.title)}.</b>'
            f" {markup.prose(exhibit.caption)}</p>"
        )
        self._html(caption, caption_of=exhibit.name)

    def _render(self, exhibit: Exhibit) -> dict[str, bytes]:
        """The figure's bytes in each format wanted: both when saving, else the one shown."""
        figure = exhibit.figure
        _check_name(exhibit.name)
        relabel(figure, self.labels)  # type: ignore[arg-type]
        marks = self.marks if exhibit.marks is None else exhibit.marks
        _draw_marks(figure, marks if exhibit.data else ())  # type: ignore[arg-type]
        formats = [exhibit.kind] if self.folder is None else ["png", "svg"]
        images = {}
        # A set salt and no date: the same data give the same bytes, and ids differ between the
        # figures of a page.
        with mpl.rc_context({"svg.hashsalt": exhibit.name, "svg.fonttype": "none"}):
            for kind in formats:
                said = {"Title": exhibit.title, "Description": exhibit.caption}
                images[kind] = _drawn(figure, kind, {**_METADATA[kind], **said})  # type: ignore[arg-type]
        if self.folder is not None:
            for kind, content in images.items():
                _write(self.folder / "figures" / f"{exhibit.name}.{kind}", content)
        return images

    def _save_table(self, name: str, frame: pd.DataFrame) -> None:
        """Save a table that was shown; those of the contract are saved whole by `write_tables`, not
        in part from here.
        """
        if name not in TABLES:
            self._write_csv(name, frame)

    def _write_csv(self, name: str, frame: pd.DataFrame) -> None:
        _check_name(name)
        if self.folder is not None and name not in self.written:
            write_csv(frame, self.folder / "tables" / f"{name}.csv")

    def _html(self, html: str, **about: Any) -> None:
        display(
            {"text/html": markup.wrapped(self.labels.html(html)), "text/plain": "<html>"},
            metadata={"kit": about},
            raw=True,
        )


def relabel(figure: Figure, labels: Labels) -> None:
    """Write labels in the place of names in every text of a figure: ticks, legends, notes."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            places = list(axis.get_ticklocs())
            found = axis.get_major_formatter().format_ticks(places)
            names = [labels.name(text) for text in found]
            if names != list(found):
                axis.set_ticks(places, names)
    for text in figure.findobj(Text):
        text.set_text(labels.name(text.get_text()))


def _drawn(figure: Figure, kind: str, metadata: Mapping[str, str | None]) -> bytes:
    """The figure in one format, drawn once: `savefig` goes through all of it one time more, to find
    out its size, which is known here.
    """
    buffer = io.BytesIO()
    figure.set_dpi(DPI)
    if kind == "png":
        FigureCanvasAgg(figure).print_png(buffer, metadata=metadata)
    else:
        FigureCanvasSVG(figure).print_svg(buffer, metadata=metadata)
    figure.set_layout_engine("none")  # laid out once
    return buffer.getvalue()


def _check_name(name: str) -> None:
    """Raise ValueError when a name cannot be a file's: names of exhibits are ours, but a slip must
    not leave the folder.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a file name: use letters, digits, '.', '_' and '-'")


def _draw_marks(figure: Figure, marks: Sequence[str]) -> None:
    """Write the marks in a strip below the axes; a layout engine keeps the strip free."""
    if not marks:
        return
    strip = 0.2 / figure.get_figheight()  # inches
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, strip, 1, 1 - strip))
    elif isinstance(engine, TightLayoutEngine):
        engine.set(rect=(0, strip, 1, 1))
    figure.text(
        0.995,
        strip * 0.25,
        "  ·  ".join(marks),
        ha="right",
        va="bottom",
        fontsize=7,
        color="#8a4b00",
        fontweight="bold",
    )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
