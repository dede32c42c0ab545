"""How quickly the workbench answers on screen: python tests/benchmarks/workbench.py [--events
1000000]

Opens the page (voila, Chromium, all on this machine) on an experiment of 24 plates of 384 wells
and, for the gate, so many events in FCS files.
Each row is the time from the press to the frame that shows the change, by the browser's own clock,
the median of several presses. Read them
against the first row, which computes nothing in the kernel.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))

import conftest as bench  # tests/browser/conftest.py: how the tests start the page

import kit
from kit.simulate.synthetic_flow import write_acquisition

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "examples" / "EXP-DEMO-01"
PRESSES = 5
PROBE = """([what, where]) => {
  const shown = () => what === 'excluded' ? document.querySelectorAll('.well.excluded').length
    : [...document.querySelectorAll(where)].filter(item => item.getClientRects().length).map(item => item.outerHTML).join();
  const before = shown();
  let start = null;
  for (const name of ['pointerdown', 'keydown']) document.addEventListener(name, () => { start ??= performance.now(); }, {capture: true, once: true});
  window.answered = new Promise(done => {
    const look = () => start !== null && shown() !== before ? done(performance.now() - start) : requestAnimationFrame(look);
    look();
  });
}"""


def wide(folder: Path) -> Path:
    """The first demo on plates of 384 wells: each plate four times over, side by side, with a
    little noise of its own.
    """
    experiment, rng = kit.load(EXAMPLE), np.random.default_rng(1)
    for name in ("raw", "layouts"):
        (folder / name).mkdir(parents=True)
    for plate, wells in experiment.wells.groupby("plate", sort=False):
        parts = [
            wells.assign(row=wells["row"] + 8 * i, column=wells["column"] + 12 * j)
            for i in (0, 1)
            for j in (0, 1)
        ]
        large = pd.concat(parts, ignore_index=True)
        large["well"] = [
            f"{'ABCDEFGHIJKLMNOP'[row - 1]}{column:02d}"
            for row, column in zip(large["row"], large["column"], strict=True)
        ]
        large["signal"] = (large["signal"] * rng.lognormal(0, 0.01, len(large))).round()
        large[["well", "cell_line", "medium", "role"]].to_csv(
            folder / "layouts" / f"{plate}.csv", index=False
        )
        large.pivot(index="row", columns="column", values="signal").rename(
            index=lambda row: "ABCDEFGHIJKLMNOP"[row - 1]
        ).to_csv(folder / "raw" / f"{plate}.csv")
    text = (EXAMPLE / "experiment.yaml").read_text(encoding="utf-8")
    text = re.sub(
        r"\{plate: (\S+), (.*?)file: \S+, layout: \S+,",
        r"{plate: \1, \2file: raw/\1.csv, layout: layouts/\1.csv,",
        text,
    )
    for name in (
        "annexin_72h.csv",
        "asns-mrna.csv",
        *(f"asns-blot-r{number}.csv" for number in (1, 2, 3)),
    ):
        (folder / "raw" / name).write_bytes((EXAMPLE / "raw" / name).read_bytes())
    (folder / "experiment.yaml").write_text(text, encoding="utf-8")
    return folder


def stained(folder: Path, events: int) -> None:
    """Put FCS files of six samples with so many events together in place of the flow table."""
    shares = {"viable": 0.8, "early": 0.1, "late": 0.06, "necrotic": 0.04}
    samples = {
        ("MOLT-4", medium, number): shares
        for medium in ("complete", "no_asn")
        for number in (1, 2, 3)
    }
    write_acquisition(samples, folder / "raw" / "fcs", events=events // len(samples))
    gates = (
        "  - {file: raw/fcs/samples.csv, hours: 72, gates: {annexin: FITC-A, pi: PE-A,"
        " debris_fsc_min: 25000}}\n"
    )
    path = folder / "experiment.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            "  - {file: raw/annexin_72h.csv, hours: 72}\n", gates
        ),
        encoding="utf-8",
    )


def answers(page: Any, press: Callable[[int], None], where: str, what: str = "changed") -> float:
    """Median milliseconds from a press to its answer in what `where` shows; a first press, which
    may have to lay things out, does not count.
    """
    times = []
    for turn in range(PRESSES + 1):
        settled(page)
        page.evaluate(PROBE, [what, where])
        press(turn)
        times.append(page.evaluate("window.answered"))
    return statistics.median(times[1:])


def settled(page: Any) -> None:
    """Wait until nothing runs any more."""
    page.wait_for_function("!document.querySelector('.kit-busy i')")
    page.wait_for_timeout(300)


def measured(page: Any) -> Iterator[tuple[str, float]]:
    """Every control in turn."""
    page.locator(".kit-plate .well").first.wait_for(timeout=120_000)
    wells = page.eval_on_selector_all(
        ".well:not(.empty)", "all => all.map(one => one.dataset.well)"
    )
    yield (
        "choose a well (no kernel)",
        answers(
            page,
            lambda turn: page.locator(f"[data-well={wells[turn]}]").click(),
            ".kit-plate .said",
        ),
    )
    views = ("Less blank", "Raw signal")
    yield (
        "another view of the plate",
        answers(
            page,
            lambda turn: page.get_by_role("button", name=views[turn % 2], exact=True).click(),
            ".kit-plate svg",
        ),
    )
    page.get_by_role("button", name="Clear choice").click()
    page.get_by_placeholder("what was seen").fill("air bubble")
    page.get_by_placeholder("what was seen").press("Tab")

    def turn_back(turn: int) -> None:
        page.get_by_role("button", name=("Undo", "Redo")[turn % 2], exact=True).click()

    page.locator(f"[data-well={wells[40]}]").click()
    page.get_by_role("button", name="Leave out", exact=True).click()
    page.wait_for_function("document.querySelectorAll('.well.excluded').length > 0")
    yield "leave a well out: plate", answers(page, turn_back, "", "excluded")
    yield (
        "leave a well out: metrics and verdict",
        answers(page, turn_back, ".kit-tab-plates .kit [data-name=metrics]"),
    )
    yield "leave a well out: calls, and all else", answers(page, turn_back, ".kit-message")
    tab(page, "Calls")
    handle = page.locator(".kit-tab-calls .noUi-handle").first
    yield "a cut-off of the call", answers(page, arrows(handle), ".kit-tab-calls img")
    tab(page, "Growth")
    scales = ("log2 change", "GR value")
    yield (
        "scale of growth",
        answers(
            page,
            lambda turn: page.get_by_role("button", name=scales[turn % 2], exact=True).click(),
            ".kit-tab-growth img",
        ),
    )
    box = page.locator(".kit-tab-growth input[type=checkbox]").first
    yield "a replicate off and on", answers(page, lambda turn: box.click(), ".kit-tab-growth img")
    tab(page, "Protocol")
    washes = page.locator(".kit-tab-protocol .noUi-handle").nth(1)
    yield "washes of the planner", answers(page, arrows(washes), ".kit-tab-protocol img")
    tab(page, "Apoptosis")
    gate = page.locator(".kit-tab-apoptosis .noUi-handle").first
    gate.wait_for()
    yield "a gate", answers(page, arrows(gate), ".kit-tab-apoptosis img")


def arrows(handle: Any) -> Callable[[int], None]:
    """To and fro with the keyboard."""

    def press(turn: int) -> None:
        handle.focus()
        handle.press("ArrowLeft" if turn % 2 else "ArrowRight")

    return press


def tab(page: Any, name: str) -> None:
    """Open a tab and wait until it is drawn."""
    page.get_by_role("tab", name=name, exact=True).click()
    settled(page)
    page.locator(f".kit-tab-{name.lower()} img").first.wait_for(timeout=120_000)


def show(events: int) -> None:
    """Print the table."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as held, sync_playwright() as driver:
        home = Path(held)
        folder = wide(home / EXAMPLE.name)
        stained(folder, events)
        port = bench._free_port()
        command = [
            sys.executable,
            "-m",
            "kit",
            "explore",
            str(folder),
            "--app",
            *(f"--server={option}" for option in bench._options(True, port, "light")),
        ]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                command, env=bench._environment(home), cwd=home, stdout=log, stderr=log
            )
        try:
            bench._wait_for(f"http://127.0.0.1:{port}/static/", server, home / "log")
            page = driver.chromium.launch(
                executable_path=bench.CHROMIUM, args=bench.FLAGS
            ).new_page(viewport={"width": 1500, "height": 1100})
            page.set_default_timeout(120_000)
            page.goto(f"http://127.0.0.1:{port}/")
            print(
                f"24 plates of 384 wells, {events:,} events in 6 samples.\n\n| control | ms until"
                " it shows |\n|---|---|",
                flush=True,
            )
            for name, milliseconds in measured(page):
                print(f"| {name} | {milliseconds:.0f} |", flush=True)
        finally:
            server.terminate()
            server.wait(60)


def main() -> None:
    """Print the table and how busy the machine was."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    show(parser.parse_args().events)
    start = time.perf_counter()
    sum(range(10_000_000))
    print(
        f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; sum(range(10_000_000)) takes"
        f" {time.perf_counter() - start:.2f} s here."
    )


if __name__ == "__main__":
    main()
