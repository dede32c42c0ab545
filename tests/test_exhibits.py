"""Exhibits: what is saved, what is shown, and that text of users stays text."""

from __future__ import annotations

import base64
import csv
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from kit.report import exhibits, markup
from kit.report.exhibits import Exhibit, Exhibits

NASTY = "<script>alert(1)</script>"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What would appear in the notebook: (data by format, metadata)."""
    seen: list[tuple[dict[str, Any], dict[str, Any]]] = []
    monkeypatch.setattr(
        exhibits, "display", lambda data, metadata, raw: seen.append((data, metadata))
    )
    return seen


def figure(size: tuple[float, float] = (4, 3)) -> Figure:
    drawn = Figure(figsize=size, layout="constrained")
    drawn.subplots().plot([0, 1], [0, 1], label="line")
    return drawn


class _Cells(HTMLParser):
    """The rows of a table as lists of cell texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def test_nothing_is_written_without_out(
    tmp_path: Path, shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    show = Exhibits("")
    show.show(Exhibit("one", "One", "Caption.", figure(), pd.DataFrame({"x": [1]}), both=True))
    show.table("two", pd.DataFrame({"x": [1]}), "Caption.")
    show.write_tables({"growth": pd.DataFrame({"gr": [1.0]})})
    assert list(tmp_path.iterdir()) == []
    assert len(shown) == 4


@pytest.mark.parametrize("kind, mime", [("svg", "image/svg+xml"), ("png", "image/png")])
def test_the_saved_bytes_are_those_displayed(
    tmp_path: Path, shown: list[Any], kind: Any, mime: str
) -> None:
    Exhibits(str(tmp_path)).show(Exhibit("fig", "Title", "Caption.", figure((4, 3)), kind=kind))
    data = shown[0][0][mime]
    displayed = base64.b64decode(data) if kind == "png" else data.encode()
    assert (tmp_path / "figures" / f"fig.{kind}").read_bytes() == displayed
    with Image.open(tmp_path / "figures" / "fig.png") as png:
        assert png.size == (800, 600)  # 200 dots per inch
    if kind == "png":
        assert (
            shown[0][1]["image/png"]["width"] == 384
        )  # 4 inches of a screen, so shown at more than twice its density


def test_each_format_is_rendered_once(
    tmp_path: Path, shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, draw = [], Figure.draw

    def counting(self: Figure, renderer: Any) -> None:
        calls.append(type(renderer).__name__)
        draw(self, renderer)

    monkeypatch.setattr(Figure, "draw", counting)
    Exhibits(str(tmp_path)).show(Exhibit("fig", "Title", "Caption.", figure()))
    assert sorted(calls) == ["MixedModeRenderer", "RendererAgg"]


def test_figures_are_the_same_bytes_each_time(tmp_path: Path, shown: list[Any]) -> None:
    for run in ("a", "b"):
        Exhibits(str(tmp_path / run)).show(Exhibit("fig", "Title", "Caption.", figure()))
    for name in ("fig.png", "fig.svg"):
        assert (tmp_path / "a" / "figures" / name).read_bytes() == (
            tmp_path / "b" / "figures" / name
        ).read_bytes()


def test_ids_of_two_figures_do_not_collide_and_text_stays_text(
    tmp_path: Path, shown: list[Any]
) -> None:
    show = Exhibits(str(tmp_path), simulated=True)
    for name in ("one", "two"):
        show.show(Exhibit(name, name, "Caption.", figure()))
    svgs = [(tmp_path / "figures" / f"{name}.svg").read_text() for name in ("one", "two")]
    clips = [set(re.findall(r'clipPath id="(\w+)"', svg)) for svg in svgs]
    assert clips[0] and not clips[0] & clips[1]
    assert all("SIMULATED DATA" in "".join(ET.fromstring(svg).itertext()) for svg in svgs)


@pytest.mark.parametrize("layout", ["constrained", "tight", None])
def test_marks_do_not_cover_the_axes(layout: Any, shown: list[Any]) -> None:
    drawn = Figure(figsize=(4, 3), layout=layout)
    axes = drawn.subplots()
    axes.set_xlabel("a label below")
    exhibits._draw_marks(drawn, ("SIMULATED DATA", "EXPLORATORY"))
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    mark = drawn.texts[-1]
    assert mark.get_text() == "SIMULATED DATA  ·  EXPLORATORY"
    renderer = canvas.get_renderer()
    assert (
        not mark.get_window_extent(renderer).overlaps(axes.get_tightbbox(renderer))
        or layout is None
    )


def test_tables_are_exact_and_contract_tables_are_not_overwritten_in_part(
    tmp_path: Path, shown: list[Any]
) -> None:
    values = [0.1 + 0.2, 1e-300, np.nan, -0.0, 1 / 3]
    whole = pd.DataFrame(
        {"cell_line": list("abcde"), "gr": values, "note": [None, "x,y", 'q"', "ü", "a\nb"]}
    )
    show = Exhibits(str(tmp_path))
    show.write_tables({"growth": whole})
    show.table("growth", whole.head(1), "Part of it.")
    with (tmp_path / "tables" / "growth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["gr"] or "nan") for row in rows] == pytest.approx(
        values, rel=0, abs=0, nan_ok=True
    )
    assert [row["note"] for row in rows] == ["", "x,y", 'q"', "ü", "a\nb"]
    assert b"\r" not in (tmp_path / "tables" / "growth.csv").read_bytes()


def test_everything_of_a_user_is_escaped(shown: list[Any]) -> None:
    frame = pd.DataFrame({NASTY: [NASTY, "b"], "verdict": [NASTY, "pass"], "n": [1.0, np.nan]})
    show = Exhibits("")
    show.show(Exhibit("fig", NASTY, NASTY, figure()))
    show.table("t", frame, NASTY)
    show.note(NASTY, "fail")
    show.definitions({NASTY: NASTY})
    show.bullets([NASTY, f"`{NASTY}`"])
    config = SimpleNamespace(title=NASTY, date=None, cell_lines=[NASTY])
    show.banner(
        SimpleNamespace(verdict="fail", reasons=(NASTY,) * 5, next_actions=(NASTY,)),
        SimpleNamespace(config=config, id=NASTY),
    )
    html = "".join(data["text/html"] for data, _ in shown if "text/html" in data)
    assert "script" not in _Cells(html).tags
    assert html.count("&lt;script&gt;") >= 14


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b", "x\n"])
def test_a_name_that_would_leave_the_folder_is_refused(
    name: str, tmp_path: Path, shown: list[Any]
) -> None:
    with pytest.raises(ValueError, match="not a file name"):
        Exhibits(str(tmp_path)).table(name, pd.DataFrame({"x": [1]}), "")
    assert list(tmp_path.rglob("*")) == []


NUMBERS = [
    # column, values, texts shown
    ("gr", [1.0, -0.1234, 0.5], ["1.00", "−0.12", "0.50"]),
    ("hours", [0.0, 48.0, 72.0], ["0", "48", "72"]),
    ("p", [0.5, 0.0123, 1e-9, 0.00042], ["0.50", "0.012", "< 0.0001", "0.0004"]),
    ("williams_p", [0.04], ["0.040"]),
    ("signal", [123456.7, 98765.4], ["123,457", "98,765"]),
    ("value", [0.912, 37571.0, 2.83, 0.5], ["0.912", "37,571", "2.83", "0.500"]),
    ("x", [np.nan, 1.25], ["–", "1.25"]),
    ("whole", [3, 4], ["3", "4"]),
]


@pytest.mark.parametrize("column, values, texts", NUMBERS, ids=lambda case: str(case))
def test_numbers_have_sensible_digits(column: str, values: list[float], texts: list[str]) -> None:
    assert [
        row[0] for row in _Cells(markup.table(pd.DataFrame({column: values}), name="t")).rows[1:]
    ] == texts


def test_sort_keys_hold_the_exact_number() -> None:
    html = markup.table(pd.DataFrame({"x": [0.1 + 0.2]}))
    assert [float(text) for text in re.findall(r'data-v="([^"]+)"', html)] == [0.1 + 0.2]


def test_formats_and_columns() -> None:
    frame = pd.DataFrame({"a": [1.234], "b": ["x"], "c": [True]})
    html = markup.table(frame, columns={"c": "Third", "a": "First"}, formats={"a": ".1f"})
    assert _Cells(html).rows == [["Third", "First"], ["yes", "1.2"]]
    with pytest.raises(ValueError, match="no column 'z'"):
        markup.table(frame, columns=["z"])


def test_a_verdict_is_a_sign_and_a_word_not_a_colour_alone() -> None:
    rows = _Cells(markup.table(pd.DataFrame({"verdict": ["pass", "warn", "fail", "info"]}))).rows[
        1:
    ]
    assert [row[0].split() for row in rows] == [
        ["✓", "PASS"],
        ["!", "WARN"],
        ["✕", "FAIL"],
        ["i", "INFO"],
    ]


def test_long_tables_scroll_and_very_long_ones_say_where_the_rest_is() -> None:
    assert 'class="box long"' not in markup.table(pd.DataFrame({"x": range(15)}))
    assert 'class="box long"' in markup.table(pd.DataFrame({"x": range(16)}))
    html = markup.table(pd.DataFrame({"x": range(1000)}), name="wells", caption="Wells.")
    assert len(_Cells(html).rows) == 501
    assert "The first 500 of 1,000 rows; all are in tables/wells.csv." in html


def test_units_stand_in_brackets() -> None:
    assert [markup.heading(name) for name in ("residual_uM", "viable_percent", "mw_kDa", "cell_line")] == [
        "residual (µM)", "viable (%)", "mw (kDa)", "cell line"
    ]  # fmt: skip


def test_no_data_says_so(shown: list[Any]) -> None:
    Exhibits("").table("apoptosis", None, "No flow cytometry was listed.")
    assert "no data. No flow cytometry was listed." in shown[0][0]["text/html"]
