"""A day at the workbench, in a real browser: select, leave out, see it, reload, undo, move cut-offs
and gates, save, make the report.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import kit
from kit.experiment import exclusions

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed (the `test` extra has it)"
)
expect = playwright.expect
expect.set_options(timeout=60_000)
SLOW_MS = 120_000  # a kernel has to start and import
PLATE = "MOLT-4-48h-R1"


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], bench_experiment: Path) -> str:
    """The page without code."""
    return serve(bench_experiment)


@pytest.fixture(scope="module")
def opened(new_page: Callable[..., Any], address: str) -> Iterator[Any]:
    """One page for all tests of this module: starting a kernel takes longer than any of them."""
    with new_page() as page:
        page.goto(address)
        ready(page)
        yield page


@pytest.fixture
def bench(opened: Any, bench_experiment: Path) -> Iterator[Any]:
    """The page on the experiment as it was, nothing left out."""
    text = (bench_experiment / "experiment.yaml").read_text(encoding="utf-8")
    yield opened
    (bench_experiment / exclusions.FILE).unlink(missing_ok=True)
    (bench_experiment / "experiment.yaml").write_text(text, encoding="utf-8")
    tab(opened, "Plates")
    button(opened, "Read again").click()
    expect(said(opened)).to_have_text(re.compile("Read again"))
    opened.locator(".kit-plate").press("Escape")


def ready(page: Any) -> None:
    expect(page.locator(".kit-plate .well").first).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".kit-head")).to_be_visible(timeout=SLOW_MS)
    choose_plate(page)


def choose_plate(page: Any) -> None:
    picker = page.locator("select", has=page.locator("option", has_text=PLATE))
    label = picker.locator("option", has_text=PLATE).first.text_content()
    picker.select_option(label=label)
    expect(page.locator(".kit-verdict")).to_contain_text(PLATE)


def well(page: Any, name: str) -> Any:
    return page.locator(f"[data-well={name}]")


def tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def said(page: Any) -> Any:
    return page.locator(".kit-message")


def button(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def drag(page: Any, first: str, last: str) -> None:
    start, end = (well(page, name).bounding_box() for name in (first, last))
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=6)
    page.mouse.up()


def lasso(page: Any, *corners: str) -> None:
    """Draw a line around wells, from a little outside of each corner."""
    boxes = [well(page, name).bounding_box() for name in corners]
    spots = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    center = [sum(values) / len(spots) for values in zip(*spots, strict=True)]
    around = [
        tuple(middle + 1.25 * (at - middle) for at, middle in zip(spot, center, strict=True))
        for spot in spots
    ]
    page.keyboard.down("Alt")
    page.mouse.move(*around[0])
    page.mouse.down()
    for spot in (*around[1:], around[0]):
        page.mouse.move(*spot, steps=4)
    page.mouse.up()
    page.keyboard.up("Alt")


def entries(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / exclusions.FILE
    return (
        {row["well"]: row for row in csv.DictReader(path.read_text().splitlines())}
        if path.exists()
        else {}
    )


def test_leave_out_see_reload_undo(bench: Any, bench_experiment: Path, address: str) -> None:
    control = [
        name
        for name in kit.load(bench_experiment).wells.query(
            f"plate == '{PLATE}' and medium == 'complete' and role == 'sample'"
        )["well"]
    ][:2]
    chosen = bench.locator(".kit-plate .said")
    well(bench, control[0]).hover()
    expect(bench.locator(".kit-plate .tip")).to_contain_text(f"{control[0]}: MOLT-4, complete")
    expect(button(bench, "Leave out")).to_be_disabled()
    well(bench, control[0]).dblclick()
    well(bench, control[1]).click()
    expect(chosen).to_contain_text("2 selected")
    button(bench, "Leave out").click()
    expect(said(bench)).to_contain_text("reason: is empty")
    assert not entries(bench_experiment)
    bench.get_by_placeholder("what was seen").fill("air bubble")
    bench.get_by_placeholder("what was seen").press("Tab")
    button(bench, "Leave out").dblclick()
    expect(well(bench, control[0])).to_have_class(re.compile("excluded"))
    expect(bench.locator("tr", has_text="CV of control wells").first).to_contain_text(
        re.compile(r"\d+\.\d+.*\d+\.\d+.*\d+\.\d+")
    )
    expect(said(bench)).to_contain_text(f"{', '.join(control)} on {PLATE} left out")
    assert {name: row["by"] for name, row in entries(bench_experiment).items()} == dict.fromkeys(
        control, "A. Tester"
    )
    shown = (
        bench.locator("tr", has_text="CV of control wells")
        .first.locator("td")
        .nth(2)
        .text_content()
    )
    qc = kit.analyse(kit.load(bench_experiment)).plate_qc.query(
        f"plate == '{PLATE}' and metric == 'cv_control_percent'"
    )
    assert float(shown) == pytest.approx(qc["value"].item(), rel=5e-3), (
        "the page shows what a report will say"
    )
    bench.goto(address)
    ready(bench)
    expect(well(bench, control[0])).to_have_class(re.compile("excluded"))
    expect(bench.locator("[data-name=left_out]")).to_contain_text("air bubble")
    well(bench, control[0]).click()
    button(bench, "Bring back").click()
    expect(well(bench, control[0])).not_to_have_class(re.compile("excluded"))
    button(bench, "Undo").click()
    expect(well(bench, control[0])).to_have_class(re.compile("excluded"))
    assert set(entries(bench_experiment)) == set(control)


def test_choose_by_drag_row_lasso_and_keyboard(bench: Any, bench_experiment: Path) -> None:
    chosen = bench.locator(".kit-plate .said")
    drag(bench, "B02", "C04")
    expect(chosen).to_contain_text("6 selected: B02, B03, B04, C02, C03, C04")
    button(bench, "Clear choice").click()
    expect(chosen).to_contain_text("No well selected")
    bench.locator("[data-head='row D']").click()
    expect(chosen).to_contain_text("12 selected: D01")
    plate = bench.locator(".kit-plate")
    plate.press("Escape")
    expect(chosen).to_contain_text("No well selected")
    well(bench, "B02").click()
    plate.press("ArrowRight")
    plate.press("ArrowDown")
    plate.press("Space")
    expect(chosen).to_contain_text("2 selected: B02, C03")
    plate.press("Shift+ArrowRight")
    expect(chosen).to_contain_text("3 selected: B02, C03, C04")
    plate.press("Escape")
    lasso(bench, "F04", "H05", "F06", "D05")
    expect(chosen).to_contain_text("7 selected: D05, E05, F04, F05, F06, G05, H05")
    plate.press("Control+a")
    expect(chosen).to_contain_text("96 selected")
    bench.get_by_placeholder("what was seen").fill("dropped on the floor")
    bench.get_by_placeholder("what was seen").press("Tab")
    button(bench, "Leave out").click()
    expect(said(bench)).to_contain_text("No well of this plate counts any more")
    button(bench, "Undo").click()
    expect(said(bench)).to_contain_text("Undone")
    assert not entries(bench_experiment)


def test_two_tabs_lose_nothing(
    bench: Any, new_page: Callable[..., Any], address: str, bench_experiment: Path
) -> None:
    with new_page() as other:
        other.goto(address)
        ready(other)
        for page, name in ((bench, "B02"), (other, "G11")):
            well(page, name).click()
            page.get_by_placeholder("what was seen").fill("pipetting error")
            page.get_by_placeholder("what was seen").press("Tab")
            button(page, "Leave out").click()
            expect(said(page)).to_contain_text("left out")
        expect(well(other, "B02")).to_have_class(re.compile("excluded"))
        assert set(entries(bench_experiment)) == {"B02", "G11"}
        tab(bench, "Growth")
        expect(said(bench)).to_contain_text("changed by somebody else")
        tab(bench, "Plates")
        expect(well(bench, "G11")).to_have_class(re.compile("excluded"))


def test_cutoffs_gate_and_planner(bench: Any, bench_experiment: Path) -> None:
    text = (bench_experiment / "experiment.yaml").read_text(encoding="utf-8")
    tab(bench, "Calls")
    panel = bench.locator(".kit-tab-calls")
    slider = panel.locator(".noUi-handle").first
    expect(panel.locator("img")).to_be_visible()
    slider.focus()
    for value in (0.21, 0.22, 0.23):
        slider.press("ArrowRight")
        expect(panel).to_contain_text(f"What if: gr_auxotroph = {value}")
    panel.get_by_role("button", name="Save…").click()
    expect(panel.locator(".kit-diff")).to_contain_text("+  gr_auxotroph: 0.23")
    panel.get_by_role("button", name="Cancel").click()
    expect(panel.locator(".kit-diff")).to_be_hidden()
    panel.get_by_role("button", name="Back to the saved cut-offs").click()
    expect(panel).not_to_contain_text("What if")
    assert (bench_experiment / "experiment.yaml").read_text(encoding="utf-8") == text, (
        "a what-if saves nothing"
    )
    tab(bench, "Apoptosis")
    gates = bench.locator(".kit-tab-apoptosis")
    expect(gates.locator("img").first).to_be_visible()
    expect(gates).not_to_contain_text("What if")
    handle = gates.locator(".noUi-handle").first
    handle.focus()
    handle.press("PageUp")
    expect(gates).to_contain_text("What if: annexin_threshold")
    gates.get_by_role("button", name="Save…").click()
    expect(gates.locator(".kit-diff")).to_contain_text("annexin_threshold: ")
    gates.get_by_role("button", name="Write to experiment.yaml").click()
    expect(said(bench)).to_contain_text("Saved in experiment.yaml", timeout=SLOW_MS)
    saved = (bench_experiment / "experiment.yaml").read_text(encoding="utf-8")
    assert (
        "annexin: FITC-A  # green\n" in saved
        and len(saved.splitlines()) == len(text.splitlines()) + 1
    )
    tab(bench, "ASNS")
    expect(bench.locator(".kit-fig circle title", has_text="A549").first).to_be_attached()
    tab(bench, "Protocol")
    plan = bench.locator(".kit-tab-protocol")
    expect(plan).to_contain_text("harmless")
    washes = plan.locator(".noUi-handle").nth(1)
    washes.focus()
    washes.press("ArrowLeft")
    expect(plan).to_contain_text("Repeat with a second wash")


def test_make_and_open_the_report(bench: Any) -> None:
    button(bench, "Make the report").click()
    link = bench.get_by_role("link", name="Open the report")
    expect(link).to_be_visible(timeout=240_000)
    expect(said(bench)).to_contain_text("The report is made")
    with bench.expect_popup() as opened:
        link.click()
    expect(opened.value.locator("body")).to_contain_text("dropout", timeout=SLOW_MS)
    expect(opened.value.locator(".verdict").first).to_be_visible()


def test_in_jupyterlab_in_the_dark(
    new_page: Callable[..., Any], serve: Callable[..., str], bench_experiment: Path
) -> None:
    with new_page() as page:
        page.goto(serve(bench_experiment, app=False))
        page.wait_for_function(
            "window.jupyterapp && window.jupyterapp.restored.then(() => true)", timeout=SLOW_MS
        )
        expect(page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible(timeout=SLOW_MS)
        page.evaluate(
            "window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab"
            " Dark'})"
        )
        idle = (
            "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status ==="
            " 'idle'"
        )
        page.wait_for_function(idle, timeout=SLOW_MS)
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        expect(page.locator(".kit-plate .well").first).to_be_visible(timeout=SLOW_MS)
        choose_plate(page)
        well(page, "B02").click()
        page.locator(".kit-plate").press("ArrowRight")
        page.locator(".kit-plate").press("Space")
        expect(page.locator(".kit-plate .said")).to_contain_text("2 selected: B02, B03")
        ink, ground = (
            brightness(page, ".kit-plate .said", "color"),
            brightness(page, "body", "backgroundColor"),
        )
        assert ink > 150 > ground, "light on dark"


def brightness(page: Any, where: str, what: str) -> float:
    """Mean of red, green and blue of a computed colour."""
    color = page.evaluate(f"getComputedStyle(document.querySelector('{where}')).{what}")
    return sum(map(int, re.findall(r"\d+", color)[:3])) / 3
