"""The report and the index as a browser and a reader meet them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lab import notebook

from kit.core.columns import TABLES
from kit.core.errors import InputError
from kit.report import index, markup
from kit.report import page as report
from kit.store import store

NASTY = "<script>alert('x')</script>"
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip
browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")

MANIFEST: dict[str, Any] = {
    "experiment_id": "EXP-1", "status": "ok", "verdict": "pass", "reasons": [], "problems": [], "kit_version": "0", "python": "3", "packages": {},
    "settings": {"min_z_prime": 0.4, "seed": 1}, "seed": 1, "inputs": [{"path": NASTY, "sha256": "0" * 64}],
    "notebooks": [{"name": "01_assay_qc", "status": "ok", "seconds": 1, "error": None}], "started": "2026-03-02T00:00:00", "seconds": 1.0,
    "simulated": False, "title": NASTY, "date": "2026-03-02", "cell_lines": [NASTY], "calls": [], "next_actions": [],
}  # fmt: skip


class Page(HTMLParser):
    """Everything a page refers to, the scripts it would run, and the ids it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.refers: list[tuple[str, str]] = []
        self.scripts = 0
        self.handlers: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script" and ("type", "application/json") not in attrs
        for name, value in attrs:
            if name in ("src", "href", "data", "action", "poster", "srcset"):
                self.refers.append((tag, value or ""))
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def outputs(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return list(given)


def html(content: str, **about: Any) -> dict[str, Any]:
    return {
        "output_type": "display_data",
        "data": {"text/html": content},
        "metadata": {"kit": about},
    }


SVG = {
    "output_type": "display_data",
    "data": {
        "image/svg+xml": (
            '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9"'
            ' height="9"><text>50 % "µ" #1</text></svg>'
        )
    },
    "metadata": {"kit": {"exhibit": "fig", "title": "T", "alt": f'T "{NASTY}"'}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A report's folder with one executed notebook, made by hand."""
    path = notebook(
        tmp_path / "notebooks",
        "# Plates & wells",
        "x = 1",
        "show",
        ("first", "first-screen"),
        ("hidden", "no-report"),
        "boom",
    )
    content = json.loads(path.read_text())
    cells = content["cells"]
    cells[3]["outputs"] = outputs(
        SVG, html('<p class="cap">CAPTION</p>', caption_of="fig"),
        {"output_type": "stream", "name": "stdout", "text": [NASTY]}, {"output_type": "stream", "name": "stderr", "text": "a warning"},
    )  # fmt: skip
    cells[4]["outputs"] = outputs(html("<p>FIRST</p>"))
    cells[5]["outputs"] = outputs(html("<p>HIDDEN</p>"))
    cells[6]["outputs"] = outputs(
        {
            "output_type": "error",
            "ename": "ValueError",
            "evalue": NASTY,
            "traceback": [f"\x1b[31m{NASTY}\x1b[39m"],
        }
    )
    path.write_text(json.dumps(content))
    return tmp_path


def test_a_report_refers_to_nothing_outside_and_runs_one_script(folder: Path) -> None:
    page = Page(report.render(folder, MANIFEST))
    for tag, value in page.refers:
        assert value.startswith(("#", "data:image/")) or (
            tag == "a" and re.match(r"(\.\./index\.html|(notebooks|tables|figures)/)", value)
        ), (tag, value)
    assert page.scripts == 1 and page.handlers == []
    assert len(page.ids) == len(set(page.ids))


def test_styles_and_scripts_load_nothing() -> None:
    for name in ("report.css", "report.js", "index.css", "index.js"):
        assert not re.search(
            r"url\(|@import|https?:|fetch\(|XMLHttpRequest|import\(", report.asset(name)
        ), name


def test_everything_of_a_user_is_escaped(folder: Path) -> None:
    text = report.render(
        folder,
        MANIFEST
        | {
            "status": "failed",
            "problems": [NASTY],
            "experiment_id": NASTY,
            "packages": {NASTY: NASTY},
        },
    )
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert") >= 7
    assert Page(text).scripts == 1


def test_the_content_policy_allows_our_script_only(folder: Path) -> None:
    import base64
    import hashlib

    text = report.render(folder, MANIFEST)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert (
        f"script-src &#39;sha256-{digest}&#39;" in text or f"script-src 'sha256-{digest}'" in text
    )
    assert "default-src" in text


def test_order_first_screen_hidden_cells_captions_and_code(folder: Path) -> None:
    text = report.render(folder, MANIFEST)
    assert (
        text.index("FIRST")
        < text.index('id="01_assay_qc-1-plates-wells"')
        < text.index("CAPTION")
        < text.index('id="provenance"')
    )
    assert "HIDDEN" not in text
    figure = text[text.index('<figure class="exhibit"') : text.index("</figure>")]
    assert "CAPTION" in figure and text.count("CAPTION") == 1
    code = re.findall(r'<details class="code">.*?</details>', text, re.S)
    assert len(code) == 2 and "a warning" in code[0]  # x = 1 and show are folded together


def test_an_embedded_figure_is_the_drawing(folder: Path) -> None:
    from urllib.parse import unquote
    from xml.etree import ElementTree

    (source,) = [
        value for tag, value in Page(report.render(folder, MANIFEST)).refers if tag == "img"
    ]
    drawing = ElementTree.fromstring(unquote(source.removeprefix("data:image/svg+xml,")))
    assert "".join(drawing.itertext()).strip() == '50 % "µ" #1'


def test_changed_settings_are_marked(folder: Path) -> None:
    rows = re.findall(r"<tr>(.*?)</tr>", report.render(folder, MANIFEST), re.S)
    (row,) = [row for row in rows if "min_z_prime" in row]
    assert "0.4" in row and "changed" in row and "Zhang 1999" in row


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_data_say_so(folder: Path, simulated: bool) -> None:
    text = report.render(folder, MANIFEST | {"simulated": simulated})
    assert ("SIMULATED DATA" in text) == simulated
    assert ('class="simulated-mark">' in text) == simulated


# Index


def entries(count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(0)
    lines = [f"LINE-{number}" for number in range(40)]
    calls, verdicts = list(index.CALL_CODES), ["pass", "warn", "fail"]
    made = []
    for number in range(count):
        here = random.choice(lines, 4, replace=False).tolist()
        made.append({
            "experiment_id": f"EXP-{number:05d}", "report": f"EXP-{number:05d}/report.html", "title": NASTY if number == 0 else f"Experiment {number}",
            "date": f"2026-{number % 12 + 1:02d}-01", "status": "failed" if number % 50 == 7 else "ok", "verdict": verdicts[number % 3],
            "reasons": ["Edge effect 12 % on plate P1 of three."] * 2, "cell_lines": here, "simulated": number % 2 == 0,
            "calls": [{"cell_line": line, "amino_acid": amino, "call": calls[int(random.integers(5))], "confidence": "confident", "gr": "0.1"}
                      for line in here for amino in ("asparagine", "glutamine", "serine")],
        })  # fmt: skip
    return made


def test_the_index_reads_manifests_and_lists_failures(tmp_path: Path) -> None:
    for name, status in (("EXP-1", "ok"), ("EXP-2", "failed"), ("not-a-report", "")):
        (tmp_path / name).mkdir()
        if status:
            told = MANIFEST | {"experiment_id": name, "status": status, "reasons": [NASTY]}
            (tmp_path / name / "manifest.json").write_text(json.dumps(told))
    index.write(tmp_path)
    listed = json.loads((tmp_path / "index.json").read_text())["experiments"]
    assert [(entry["experiment_id"], entry["status"], entry["reasons"]) for entry in listed] == [
        ("EXP-2", "failed", [NASTY]), ("EXP-1", "ok", [NASTY])
    ]  # fmt: skip
    text = (tmp_path / "index.html").read_text()
    assert "<script>alert" not in text and Page(text).scripts == 1
    assert all(value.startswith("#") for _, value in Page(text).refers)


def in_browser(path: Path, *options: str) -> str:
    """What Chromium makes of a page."""
    command = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={path.parent}/profile",
        *options,
        path.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=240).stdout


@browser
def test_five_thousand_experiments_are_drawn_in_a_browser(tmp_path: Path) -> None:
    probe = "\n;document.title = document.querySelectorAll('.row').length;"
    script = report.asset("index.js")
    page = index.page(entries(5000)).replace(script, script + probe)
    page = re.sub(
        r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page
    )  # the probe is not our script
    (tmp_path / "index.html").write_text(page)
    rows = int(
        re.search(r"<title>(.*?)</title>", in_browser(tmp_path / "index.html", "--dump-dom"))[1]
    )  # type: ignore[index]
    assert 10 < rows < 60  # only what is in view exists


@browser
def test_our_script_runs_under_our_policy_and_escapes(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(index.page(entries(3)))
    drawn = in_browser(tmp_path / "index.html", "--dump-dom")
    assert "3 experiments" in drawn
    assert "&lt;script&gt;alert('x')&lt;/script&gt;" in drawn
    assert 'href="EXP-00001/report.html"' in drawn


@browser
def test_the_report_script_runs_under_its_policy(folder: Path) -> None:
    report.write(folder, MANIFEST)
    drawn = in_browser(folder / "report.html", "--dump-dom")
    assert re.search(r'class="here"', drawn)  # the navigation follows the page


# Store


def tables(random: np.random.Generator, rows: int = 6) -> dict[str, pd.DataFrame]:
    """Every contract table, with values of each kind and some missing."""
    made = {}
    for name, columns in TABLES.items():
        content: dict[str, Any] = {}
        for column, (kind, _) in columns.items():
            number = random.normal(size=rows)
            content[column] = {
                "number": np.where(random.random(rows) < 0.2, np.nan, number), "whole": random.integers(0, 9, rows),
                "flag": random.random(rows) < 0.5, "text": [None, 'q"uote', "ü, comma", "line\nbreak", NASTY, "x"],
            }[kind]  # fmt: skip
        made[name] = pd.DataFrame(content)
    return made


def stored(folder: Path, name: str, frames: dict[str, pd.DataFrame]) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    store.write(folder / name, name, frames)


@pytest.mark.parametrize("table", [name for name in TABLES if name != "wells"])
def test_the_store_gives_back_every_table_exactly(tmp_path: Path, table: str) -> None:
    frames = {
        name: tables(np.random.default_rng(seed)) for seed, name in enumerate(["EXP-1", "EXP-2"])
    }
    for name, made in frames.items():
        stored(tmp_path, name, made)
    read = store.read(tmp_path, table)
    whole = pd.concat(
        [made[table].assign(experiment_id=name) for name, made in frames.items()], ignore_index=True
    )
    assert list(read) == ["experiment_id", *TABLES[table]]
    for column in read:
        got, wanted = read[column], whole[column]
        assert got.isna().tolist() == wanted.isna().tolist()
        assert got.dropna().tolist() == wanted.dropna().tolist()


def test_a_report_made_again_replaces_its_own_rows(tmp_path: Path) -> None:
    for seed in (0, 1):
        stored(tmp_path, "EXP-1", tables(np.random.default_rng(seed)))
    assert len(store.read(tmp_path, "calls")) == 6


def test_the_store_when_there_is_nothing_or_nonsense(tmp_path: Path) -> None:
    assert list(store.read(tmp_path, "calls")) == ["experiment_id", *TABLES["calls"]]
    with pytest.raises(InputError, match="Did you mean 'calls'"):
        store.read(tmp_path, "call")
    stored(tmp_path, "EXP-1", {})
    assert store.read(tmp_path, "calls").empty


def test_another_schema_version_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store, "SCHEMA_VERSION", 9)
        stored(tmp_path, "EXP-9", tables(np.random.default_rng(0)))
    stored(tmp_path, "EXP-1", tables(np.random.default_rng(0)))
    with pytest.raises(InputError, match=r"EXP-9.*schema version 9; this kit reads 2") as caught:
        store.read(tmp_path, "calls")
    assert len(caught.value.problems) == 1


def test_infinite_numbers_survive(tmp_path: Path) -> None:
    frame = tables(np.random.default_rng(0))["dose_response"].assign(
        ic50_absolute=[np.inf, -np.inf, np.nan, 1.0, 2.0, 3.0]
    )
    stored(tmp_path, "EXP-1", {"dose_response": frame})
    assert store.read(tmp_path, "dose_response")["ic50_absolute"].tolist()[:2] == [np.inf, -np.inf]


def test_a_notebook_shows_verdicts_and_calls_in_the_reports_colours(root: Path) -> None:
    css = (root / "templates" / "report" / "report.css").read_text(encoding="utf-8")
    named = dict(re.findall(r"--([\w-]+):\s*(#\w+)", css.split("@media")[0]))
    plain = re.sub(r"var\(--([\w-]+)\)", lambda found: named.get(found[1], found[0]), css)
    report, notebook = (
        {
            name: pair
            for name, *pair in re.findall(
                r"\.t-(\w+)\s*\{\s*color:\s*([^;]+);\s*background:\s*([^;}]+)", text
            )
        }
        for text in (plain, markup.FALLBACK)
    )
    assert {"pass", "warn", "fail", "aux", "dep", "part", "pro"} <= set(notebook)
    assert notebook == {name: report[name] for name in notebook}
