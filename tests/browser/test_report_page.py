"""A report in a browser: rows are filtered, data are copied, pictures saved, choices are said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab import until


@pytest.fixture(scope="module")
def address(root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out, source = tmp_path_factory.mktemp("reports"), root / "data" / "examples" / "EXP-DEMO-02"
    command = [sys.executable, "-m", "kit", "run", str(source), "--out", str(out)]
    command += ["--set", "gr_prototroph=0.7"]
    subprocess.run(command, capture_output=True, timeout=300, check=False)
    return (out / source.name / "report.html").as_uri()


WATCH = """() => document.addEventListener('copy', () => {
  window.copied = document.activeElement.value; }, true)"""


def test_filter_copy_and_save(address: str, new_page: Callable[..., Any], tmp_path: Path) -> None:
    with new_page() as page:
        page.goto(address)
        page.evaluate(WATCH)
        part = page.locator("div.table").filter(has=page.locator("input")).first
        rows = part.locator("tbody tr")
        every, first = rows.count(), rows.first.locator("td").first.text_content()
        part.locator("input").fill(first)
        until(lambda: 0 < part.locator("tbody tr:visible").count() < every, "rows are filtered")
        part.get_by_role("button", name="Copy", exact=True).click()
        lines = page.evaluate("window.copied").split("\n")
        assert len(lines) == 1 + part.locator("tbody tr:visible").count()
        assert all(first in line for line in lines[1:])

        figure = page.locator("figure.exhibit").filter(has=page.locator("template")).first
        figure.get_by_role("button", name="Copy data").click()
        head = page.evaluate("window.copied").split("\n")[0]
        assert "\t" in head and "cell_line" in head.split("\t")
        for ending, starts in (("svg", b"<svg"), ("png", b"\x89PNG")):
            with page.expect_download() as waiting:
                figure.get_by_role("button", name=f"Save {ending.upper()}").click()
            saved = tmp_path / waiting.value.suggested_filename
            waiting.value.save_as(saved)
            assert saved.suffix == f".{ending}" and saved.read_bytes().startswith(starts)


def test_choices_and_names_are_explained(address: str, new_page: Callable[..., Any]) -> None:
    with new_page() as page:
        page.goto(address)
        first = page.locator("section.first").text_content()
        assert "gr_prototroph 0.7 (0.6)" in first
        row = page.locator("[data-name=settings] tbody tr").first.text_content()
        assert "gr_prototroph" in row and "changed from 0.6" in row
        assert page.locator("[data-name=settings] tbody td", has_text="changed from").count() == 1
        terms = page.locator("#glossary ~ details dt").all_text_contents()
        assert {"P01", "z_prime", "gr_prototroph"} <= set(terms)
        assert page.locator("th[title]").count() > 20
