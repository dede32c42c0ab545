"""How quickly single steps answer, in CPU seconds: python tests/benchmarks/answers.py

A plate is judged again after an exclusion (a 384-well plate, as the workbench does), a million
events counted in their quadrants, plate files
of 384 wells read, and an index of 5,000 experiments opened in Chromium, where that is installed.
The best of three.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd

import kit
from kit.analysis import analyse, judge_plates
from kit.explore.plate_widget import picture
from kit.flow.gating import quadrants
from kit.readers import read_plates
from kit.report import index
from kit.report import page as report

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)


def best(step: Callable[[], Any]) -> float:
    """CPU seconds of the quickest of three."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        step()
        seconds.append(time.process_time() - start)
    return min(seconds)


def plate() -> tuple[float, float]:
    """Judging again after an exclusion, and the whole analysis."""
    experiment = kit.load(ROOT / "data" / "examples" / "EXP-DEMO-01")
    shifts = [(i, j) for i in (0, 1) for j in (0, 1)]
    wide = pd.concat(
        [
            experiment.wells.assign(
                row=experiment.wells["row"] + 8 * i, column=experiment.wells["column"] + 12 * j
            )
            for i, j in shifts
        ]
    )
    wide["well"] = [
        f"{'ABCDEFGHIJKLMNOP'[row - 1]}{column:02d}"
        for row, column in zip(wide["row"], wide["column"], strict=True)
    ]
    large = dataclasses.replace(experiment, wells=wide.reset_index(drop=True))
    first, name = analyse(large), str(wide["plate"].iloc[0])
    rows = pd.DataFrame(
        [{"plate": name, "well": "C05", "reason": "x", "by": "y", "at": "2026-03-04"}]
    )
    again = best(
        lambda: picture(
            judge_plates(dataclasses.replace(large, exclusions=rows), first).wells, name, "raw"
        )
    )
    start = time.process_time()
    analyse(large)
    return again, time.process_time() - start


def files(folder: Path) -> tuple[float, float]:
    """A plate file of 384 wells as text and as a workbook."""
    rng = np.random.default_rng(3)
    lines = [",".join(["", *map(str, range(1, 25))])]
    lines += [",".join([chr(65 + row), *map(str, rng.integers(0, 10**6, 24))]) for row in range(16)]
    (folder / "p.csv").write_text("Luminescence\n" + "\n".join(lines) + "\n", encoding="utf-8")
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append([int(cell) if cell.isdigit() else cell for cell in line.split(",")])
    book.save(folder / "p.xlsx")
    return best(lambda: read_plates(folder / "p.csv")), best(lambda: read_plates(folder / "p.xlsx"))


def opened(folder: Path, count: int) -> float | None:
    """Seconds until the index of so many experiments has drawn itself, by the browser's own clock;
    None without a browser.
    """
    if CHROMIUM is None:
        return None
    calls = [
        {
            "cell_line": f"LINE-{line}",
            "amino_acid": amino,
            "call": "dependent",
            "confidence": "confident",
        }
        for line in range(4)
        for amino in ("asparagine", "serine")
    ]
    entries = [
        {"experiment_id": f"EXP-{number:05d}", "report": f"EXP-{number:05d}/report.html", "title": f"Experiment {number}", "date": "2026-03-01", "status": "ok",
         "verdict": "pass", "reasons": ["Edge effect 12 %."], "cell_lines": ["LINE-0"], "simulated": False, "calls": calls}
        for number in range(count)
    ]  # fmt: skip
    script = report.asset("index.js")
    page = index.page(entries).replace(script, f"{script}\n;document.title = performance.now();")
    (folder / "index.html").write_text(
        re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page), encoding="utf-8"
    )
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder / 'profile'}",
        "--dump-dom",
    ]
    told = subprocess.run(
        [CHROMIUM, *flags, (folder / "index.html").as_uri()], capture_output=True, text=True
    ).stdout
    found = re.search(r"<title>([\d.]+)</title>", told)
    return float(found[1]) / 1000 if found else None


def rows(experiments: int = 5000, events: int = 1_000_000) -> Iterator[str]:
    """The rows of the table."""
    again, whole = plate()
    yield (
        f"| judge a 384-well plate again after an exclusion | {again:.3f} | {again / whole:.2f} of"
        " the whole analysis |"
    )
    values = np.random.default_rng(0).lognormal(6, 2, (events, 2)).astype(np.float32)
    counting, sorting = (
        best(lambda: quadrants(values[:, 0], values[:, 1], 400.0, 400.0)),
        best(lambda: np.sort(values, axis=0)),
    )
    yield (
        f"| count {events:,} events in quadrants | {counting:.3f} | {counting / sorting:.2f} of"
        " sorting them |"
    )
    with tempfile.TemporaryDirectory() as held:
        text, book = files(Path(held))
        yield f"| read a plate file of 384 wells, text | {text:.3f} | |"
        yield f"| the same, workbook | {book:.3f} | {book / text:.1f} of text |"
        seconds = opened(Path(held), experiments)
        yield (
            f"| open the index of {experiments:,} experiments (browser's clock) |"
            f" {f'{seconds:.2f}' if seconds else 'no browser here'} | |"
        )


HEAD = "| step | CPU s | ratio |\n|---|---|---|"


def main() -> None:
    """Print the table."""
    print(HEAD)
    for row in rows():
        print(row, flush=True)


if __name__ == "__main__":
    main()
