"""What all tabs share: messages instead of tracebacks, a sign of progress, figures and tables as
HTML.
"""

from __future__ import annotations

import base64
import difflib
import functools
import io
import sys
from collections.abc import Callable, Hashable, Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg

from kit.core.errors import InputError
from kit.core.labels import Labels
from kit.explore.state import Nothing
from kit.plots import style
from kit.report import markup
from kit.report.exhibits import relabel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 130
TURN_S = 0.0005
"""How long a thread may keep Python: what is shown leaves by a thread of its own, which would wait
ten times as long while numbers are made.
"""
SIGNS = {"pass": "✓", "warn": "!", "fail": "✕", "info": "i"}

STYLE = """<style>
.kit-app{color:var(--jp-ui-font-color1,#1f2933);font-family:system-ui,sans-serif;font-size:13px}
.kit-app .kit-busy{display:inline-flex;align-items:center;gap:8px;min-width:110px}
.kit-app .kit-busy i{width:12px;height:12px;border:2px solid #8888;border-top-color:#0072b2;border-radius:50%;animation:kit-turn .8s linear infinite}
@keyframes kit-turn{to{transform:rotate(360deg)}}
.kit-app .kit-msg{border-left:5px solid #5b6770;padding:4px 12px;margin:4px 0;background:var(--jp-layout-color2,#eef1f4);white-space:pre-line}
.kit-app .kit-msg.fail{border-color:#b3261e}.kit-app .kit-msg.warn{border-color:#b87400}.kit-app .kit-msg.pass{border-color:#00756a}
.kit-app .kit-fig{background:#fff;padding:6px;border-radius:4px;display:inline-block;position:relative;max-width:100%}
.kit-app .kit-fig img{display:block;max-width:100%;height:auto}
.kit-app .kit-fig svg{position:absolute;inset:6px;width:calc(100% - 12px);height:calc(100% - 12px)}
.kit-app .kit-fig circle{fill:transparent;pointer-events:all}.kit-app .kit-fig circle:hover{stroke:#000;stroke-width:2}
.kit-app .widget-html-content,.kit-app .cap,.kit-app .muted{line-height:1.45}
.kit-app .cap,.kit-app .muted{opacity:.8;max-width:60em;margin:4px 0 8px}
.kit-app .kit-whatif{border:1px dashed #b87400;padding:2px 10px;border-radius:4px}
.kit-app pre.kit-diff{background:var(--jp-layout-color2,#eef1f4);padding:8px;overflow:auto;max-height:18em;margin:4px 0}
.kit-app pre.kit-diff{color:var(--jp-ui-font-color0,#1f2933)}
.kit-app .kit-diff .add{background:#0072b23d}.kit-app .kit-diff .cut{background:#d55e003d}
.kit-app .widget-dropdown>select{background-image:url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E%3Cpath fill='%23888' d='M4.5 7l4.5 4.6L13.5 7z'/%3E%3C/svg%3E")}
.kit-app table td,.kit-app table th{white-space:normal}.kit-app table td:first-child{white-space:nowrap}
.kit-app .kit table th,.kit-app .kit table td{padding:3px 6px}
.kit-app h3{margin:6px 0 2px}
.kit-app .widget-label,.kit-app .widget-readout{color:inherit}
</style>"""

LABELLED = {"description_width": "195px"}
WIDE = w.Layout(width="450px")


class Page:
    """The strip above the tabs: what happened, whether something runs, and who is at the bench."""

    def __init__(self, who: str = "") -> None:
        sys.setswitchinterval(TURN_S)
        self.message = w.HTML()
        self.busy = w.HTML()
        self.who = w.Text(
            value=who,
            description="Your name",
            placeholder="who decides",
            layout=w.Layout(width="260px"),
        )
        self.message.add_class("kit-message")
        self.labels: Callable[[], Labels] = Labels
        """Gives the labels of the open experiment's media."""
        self._depth = 0

    def say(self, text: str, kind: str = "info") -> None:
        """Show a sentence; `kind` is pass, warn, fail or info. An empty text clears the strip."""
        body = (
            f'<div class="kit-msg {kind}" role="status" aria-live="polite">{SIGNS[kind]}'
            f" {escape(text)}</div>"
        )
        self.message.value = body if text else ""

    def end_warning(self) -> None:
        """Clear the strip of a warning or an error; what was done stays."""
        if any(f"kit-msg {kind}" in self.message.value for kind in ("warn", "fail")):
            self.say("")

    def show(self, error: BaseException) -> None:
        """An error as a message: problems one a line, anything unforeseen with a word of apology
        and no traceback.
        """
        if isinstance(error, InputError):
            self.say("\n".join(str(problem) for problem in error.problems), "fail")
        else:
            text = (
                f"This did not work, and the kit did not foresee it: {type(error).__name__}:"
                f" {error}."
            )
            self.say(
                f"{text} Nothing was saved by this step; use Read again, and report it if it comes"
                " back.",
                "fail",
            )

    def working(self, words: str = "Working…") -> Working:
        """`with page.working():` shows that something runs."""
        return Working(self, words)

    def guard(
        self, action: Callable[..., str | None], words: str = "Working…"
    ) -> Callable[..., None]:
        """A handler for a widget: shows progress, says what the action returns, and turns errors
        into messages.
        """

        @functools.wraps(action)
        def handler(*given: Any) -> None:
            _Now.page = self
            try:
                with self.working(words):
                    said = action(*given)
                if said:
                    self.say(said, "warn" if isinstance(said, Nothing) else "pass")
            except Exception as error:
                self.show(error)

        return handler


class Working:
    """Shows a turning ring while its block runs; blocks may lie within one another."""

    def __init__(self, page: Page, words: str) -> None:
        self.page, self.words = page, words

    def __enter__(self) -> None:
        self.page._depth += 1
        self.page.busy.value = (
            f'<span class="kit-busy" role="status"><i></i>{escape(self.words)}</span>'
        )

    def __exit__(self, *_: object) -> None:
        self.page._depth -= 1
        if not self.page._depth:
            self.page.busy.value = '<span class="kit-busy"></span>'


class Tab:
    """A tab draws itself when it is looked at and something changed since; subclasses fill `box`
    and write `draw`.
    """

    title = ""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.box = w.VBox()
        self.box.add_class(f"kit-tab-{self.title.lower()}")
        self.visible = False
        self.stale = True

    def draw(self) -> None:
        """Show the session as it is now."""

    def refresh(self) -> None:
        """Draw now if visible, else when shown next."""
        self.stale = True
        if self.visible:
            self.stale = False
            _Now.page = self.page
            self.draw()

    def shown(self, visible: bool) -> None:
        """The tab came to the front, or left it."""
        self.visible = visible
        if visible and self.stale:
            self.refresh()


class _Now:
    """The page that draws now: its labels are shown."""

    page: Page | None = None


def labels() -> Labels:
    """What people read in the place of the media's names of the experiment that is drawn."""
    return _Now.page.labels() if _Now.page is not None else Labels()


# ---- HTML


class Canvas:
    """Axes to draw on again and again. Room for labels is found anew only for a thing that was not
    drawn of late: that is half the work.
    """

    KEPT = 6

    def __init__(self, width: float, height: float) -> None:
        self.size = (width, height)
        self.fig, self.ax = style.figure(*self.size)
        self._drawn: dict[Hashable, tuple[Figure, Axes]] = {}

    def blank(self, thing: Hashable) -> Axes:
        """Empty axes to draw `thing` on."""
        known = self._drawn.pop(thing, None)
        self.fig, self.ax = self._drawn[thing] = known or style.figure(*self.size)
        if len(self._drawn) > self.KEPT:
            del self._drawn[next(iter(self._drawn))]
        if known is None:
            return self.ax
        self.fig.set_layout_engine("none")  # as it was laid out when it was shown
        self.ax.clear()
        return style.clean(self.ax)


def figure(
    fig: Figure, title: str, caption: str = "", names: Iterable[tuple[Axes, float, float, str]] = ()
) -> str:
    """A figure as the reports draw it; `names` are points (axes, x, y, text) that tell their name
    on hover.
    """
    buffer = io.BytesIO()
    relabel(fig, labels())
    fig.set_dpi(DPI)
    FigureCanvasAgg(fig).print_png(
        buffer, pil_kwargs={"compress_level": 1}
    )  # drawn once, where savefig draws twice; it travels no further
    width, height = fig.get_size_inches() * DPI
    image = (
        f'<img alt="{escape(title)}" width="{width / DPI * 96:.0f}"'
        f' src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
    )
    spots = "".join(_spot(ax, x, y, text, height) for ax, x, y, text in names)
    above = f'<svg viewBox="0 0 {width:.0f} {height:.0f}">{spots}</svg>' if spots else ""
    below = f'<p class="cap">{markup.prose(labels().text(caption))}</p>' if caption else ""
    return f'<figure style="margin:0"><div class="kit-fig">{image}{above}</div>{below}</figure>'


def _spot(ax: Axes, x: float, y: float, text: str, height: float) -> str:
    across, up = ax.transData.transform((x, y))
    text = labels().text(text)
    return (
        f'<circle cx="{across:.1f}" cy="{height - up:.1f}" r="9" tabindex="0"'
        f' aria-label="{escape(text)}"><title>{escape(text)}</title></circle>'
    )


def table(
    frame: pd.DataFrame | None, name: str, caption: str, columns: Any = None, formats: Any = None
) -> str:
    """A table as the reports show it."""
    if frame is None:
        return markup.wrapped(markup.note(f"{markup.words(name)}: no data. {caption}"))
    shown = labels().table(frame)
    return markup.wrapped(
        labels().html(
            markup.table(shown, name=name, caption=caption, columns=columns, formats=formats)
        )
    )


def diff(before: str, after: str, name: str) -> str:
    """What would change in a file, added and removed lines marked by sign and colour."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} now", f"{name} then", lineterm="", n=2
    )
    kinds = {"+": "add", "-": "cut"}
    shown = "\n".join(
        f'<span class="{kinds.get(line[:1], "") if index > 1 else ""}">{escape(line)}</span>'
        for index, line in enumerate(lines)
    )
    return f'<pre class="kit-diff" aria-label="changes of {escape(name)}">{shown}</pre>'


def note(text: str, kind: str = "info") -> str:
    """A remark in a box of its own."""
    return f'<div class="kit-msg {kind}">{SIGNS[kind]} {escape(labels().text(text))}</div>'


def row(children: Sequence[w.Widget], gap: str = "12px") -> w.HBox:
    """Widgets side by side, wrapping where the page is narrow."""
    return w.HBox(
        list(children), layout=w.Layout(flex_flow="row wrap", align_items="center", grid_gap=gap)
    )


def button(text: str, style: str = "", tooltip: str = "", width: str = "auto") -> w.Button:
    """A button with a word on it."""
    return w.Button(
        description=text, button_style=style, tooltip=tooltip or text, layout=w.Layout(width=width)
    )
