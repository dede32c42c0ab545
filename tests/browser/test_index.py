"""The index of five thousand experiments in a browser: by keyboard, on narrow windows, on paper."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lab import until

from kit.report import index

COUNT = 5000
CALLS = [
    {"cell_line": line, "amino_acid": "asparagine", "call": call, "confidence": "confident"}
    for line, call in zip("ABC", index.CALL_CODES, strict=False)
]


def entries(count: int) -> list[dict[str, Any]]:
    """Experiments of increasing number, the newest first, a third of them not made."""
    return [
        {"experiment_id": f"EXP-{number:05d}", "report": f"EXP-{number:05d}/report.html", "title": "Asparagine dropout in leukaemia lines, third repeat",
         "date": f"2026-01-{1 + number * 28 // count:02d}", "status": "failed" if number % 3 == 0 else "ok", "verdict": "pass",
         "reasons": ["Edge effect 12 % on plate P1."], "cell_lines": ["A"], "simulated": True, "calls": CALLS}
        for number in range(count)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("index") / "index.html"
    path.write_text(index.page(entries(COUNT), across=True), encoding="utf-8")
    return path.as_uri()


FOCUSED = "document.activeElement.textContent"
IN_VIEW = """() => { const list = document.getElementById('rows').getBoundingClientRect(), here = document.activeElement.getBoundingClientRect();
  return here.top >= list.top - 1 && here.bottom <= list.bottom + 1; }"""


def test_tab_goes_through_the_experiments_one_by_one(
    address: str, new_page: Callable[..., Any]
) -> None:
    with new_page() as page:
        page.goto(address)
        page.locator("#rows").focus()
        wanted = page.locator(".row a").first.text_content()
        number = int(wanted.removeprefix("EXP-"))
        step = int(page.locator(".row a").nth(1).text_content().removeprefix("EXP-")) - number
        for place in range(60):
            page.keyboard.press("Tab")
            assert page.evaluate(FOCUSED) == f"EXP-{number + step * place:05d}"
        until(lambda: page.evaluate(IN_VIEW), "the list should follow")
        for place in range(58, 0, -1):
            page.keyboard.press("Shift+Tab")
            assert page.evaluate(FOCUSED) == f"EXP-{number + step * place:05d}"
        assert page.locator(".row").count() < 60


def test_the_focus_outlasts_scrolling_away(address: str, new_page: Callable[..., Any]) -> None:
    with new_page() as page:
        page.goto(address)
        page.locator("#rows").focus()
        page.keyboard.press("Tab")
        name = page.evaluate(FOCUSED)
        page.keyboard.press("PageDown")
        until(
            lambda: page.evaluate("document.getElementById('rows').scrollTop > 200"),
            "the list should follow",
        )
        page.evaluate("document.getElementById('rows').scrollTop = 100000")
        until(
            lambda: page.evaluate("document.querySelectorAll('.row')[1].offsetTop > 90000"),
            "the list should follow",
        )
        assert page.evaluate(FOCUSED) == name
        page.keyboard.press("Tab")
        until(lambda: page.evaluate(IN_VIEW), "the list should follow")


def test_the_sorted_column_says_so(address: str, new_page: Callable[..., Any]) -> None:
    with new_page() as page:
        page.goto(address)
        page.get_by_role("button", name="Experiment").click()
        sorted_by = page.locator("[aria-sort]")
        assert (
            sorted_by.count() == 1
            and sorted_by.get_attribute("role") == "columnheader"
            and sorted_by.get_attribute("aria-sort") == "ascending"
        )
        assert page.locator(".row a").first.text_content() == "EXP-00000"


@pytest.mark.parametrize("width", [1200, 1500])
def test_nothing_of_a_row_is_cut(address: str, new_page: Callable[..., Any], width: int) -> None:
    with new_page() as page:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(address)
        cut = page.evaluate(
            """() => Array.from(document.querySelectorAll('.row')).flatMap(row => Array.from(row.children))
          .filter(cell => cell.scrollWidth > cell.clientWidth || cell.scrollHeight > cell.clientHeight).map(cell => cell.textContent)"""
        )
        assert cut == []
        assert page.locator(".legend b").all_text_contents() == [
            "auxotrophic",
            "dependent",
            "partially dependent",
            "prototrophic",
            "inconclusive",
        ]
        assert page.locator("#across").get_attribute("href") == "across.html"


def test_all_experiments_are_printed_below_one_another(
    tmp_path: Path, new_page: Callable[..., Any]
) -> None:
    (tmp_path / "index.html").write_text(index.page(entries(120)), encoding="utf-8")
    with new_page() as page:
        page.goto((tmp_path / "index.html").as_uri())
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        boxes = page.evaluate(
            "Array.from(document.querySelectorAll('.row')).map(row =>"
            " row.getBoundingClientRect()).map(box => [box.top, box.bottom])"
        )
        assert len(boxes) == 120 and all(one[1] <= other[0] + 1 for one, other in pairwise(boxes))
        page.emulate_media(media="screen")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator(".row").count() < 60
