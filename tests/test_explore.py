"""The workbench without a browser: the same numbers as a report, changes that are saved whole and
can be undone, messages instead of tracebacks.
"""

from __future__ import annotations

import csv
import dataclasses
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lab import until

import kit
from kit import stats
from kit.analysis import analyse, judge_plates
from kit.config.settings import Settings
from kit.core.errors import InputError
from kit.experiment import exclusions
from kit.explore import Workbench
from kit.explore import protocol as planning
from kit.explore.flow import acquisitions
from kit.explore.plate_widget import picture
from kit.explore.state import experiments_below
from kit.protocol import carryover_model
from kit.simulate.synthetic_flow import write_acquisition

PLATES, GROWTH, APOPTOSIS, CALLS, ASNS, PROTOCOL = *range(5), -1
PLATE = "MOLT-4-48h-R1"


@pytest.fixture
def demo(root: Path, tmp_path: Path) -> Path:
    """A copy of the first demo experiment."""
    target = tmp_path / "EXP-DEMO-01"
    shutil.copytree(root / "data" / "examples" / "EXP-DEMO-01", target)
    return target


@pytest.fixture
def small(demo: Path) -> Path:
    """The demo with one line's plates only: quick to read."""
    path = demo / "experiment.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [
        line
        for line in lines
        if "{plate: MOLT-4" in line
        or not any(mark in line for mark in ("{plate: ", "raw/asns-", "blots:", "expression:"))
    ]
    kept += ["settings:\n", "  bootstrap_draws: 200  # quick\n", "  posterior_draws: 2000\n"]
    path.write_text("".join(kept), encoding="utf-8")
    return demo


@pytest.fixture
def bench(small: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """The page, open on the small experiment."""
    monkeypatch.setenv("KIT_USER", "A. Tester")
    return Workbench(small)


def message(bench: Workbench) -> str:
    return str(bench.page.message.value)


def leave_out(
    bench: Workbench, *wells: str, reason: str = "air bubble", plate: str = PLATE
) -> None:
    """As a person does: choose the plate, the wells, write why, press."""
    tab: Any = bench.tabs[PLATES]
    tab.choice.value = plate
    tab.plate.selected = list(wells)
    tab.reason.value = reason
    tab.leave_out.click()


def control_wells(folder: Path, count: int = 2) -> list[str]:
    wells = kit.load(folder).wells
    return list(
        wells[
            wells["plate"].eq(PLATE) & wells["medium"].eq("complete") & wells["role"].eq("sample")
        ]["well"][:count]
    )


def same_numbers(one: Any, other: Any) -> None:
    assert list(one.tables) == list(other.tables)
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name], obj=name)
    assert one.summary == other.summary


# ---- the same numbers


def test_after_an_exclusion_the_page_has_the_numbers_of_a_report(
    bench: Workbench, small: Path
) -> None:
    before = kit.analyse(kit.load(small))
    leave_out(bench, *control_wells(small))
    fresh = kit.analyse(kit.load(small))
    same_numbers(bench.session.analysis, fresh)
    value = [
        table["value"][table["plate"].eq(PLATE) & table["metric"].eq("cv_control_percent")].item()
        for table in (before.plate_qc, fresh.plate_qc)
    ]
    assert value[0] != value[1], "leaving control wells out changes the CV of control"
    tab: Any = bench.tabs[PLATES]
    assert f"{value[1]:.2f}" in tab.metrics.value and f"{value[0]:.2f}" in tab.metrics.value, (
        "the metric is shown with what it was"
    )


def test_analysing_from_an_earlier_analysis_changes_no_number(small: Path) -> None:
    experiment = kit.load(small)
    first = analyse(experiment)
    wells = experiment.wells[experiment.wells["role"].ne("empty")]
    for chosen in (wells.iloc[::7], wells.iloc[:3], wells.iloc[:0]):
        rows = chosen[["plate", "well"]].assign(reason="x", by="y", at="2026-03-04T09:00:00")
        changed = dataclasses.replace(experiment, exclusions=rows)
        quick = judge_plates(changed, first)
        fresh = analyse(changed)
        pd.testing.assert_frame_equal(quick.plate_qc, fresh.plate_qc)
        first = analyse(changed, quick)
        same_numbers(first, fresh)


def test_other_settings_or_other_flow_are_not_taken_from_an_earlier_analysis(small: Path) -> None:
    loose, strict = kit.load(small), kit.load(small, {"min_z_prime": 0.99})
    same_numbers(analyse(strict, analyse(loose)), analyse(strict))
    other = dataclasses.replace(loose, flow=loose.flow.assign(early_percent=0.0))
    same_numbers(analyse(other, judge_plates(other, analyse(loose))), analyse(other))


def test_a_what_if_is_what_a_run_with_these_settings_gives_and_saves_nothing(
    bench: Workbench, small: Path
) -> None:
    tab: Any = bench.tabs[CALLS]
    bench.stack.selected_index = CALLS
    text = (small / "experiment.yaml").read_text(encoding="utf-8")
    tab.sliders["gr_auxotroph"].value = 0.42
    tab.sliders["min_probability_confident"].value = 0.95
    assert "What if: gr_auxotroph = 0.42" in tab.state.value
    wanted = kit.analyse(
        kit.load(small, {"gr_auxotroph": 0.42, "min_probability_confident": 0.95})
    ).calls
    pd.testing.assert_frame_equal(bench.session.calls_with(tab.what_if), wanted)
    assert not wanted.equals(bench.session.analysis.calls)
    assert (small / "experiment.yaml").read_text(encoding="utf-8") == text
    leave_out(bench, "B02")
    assert tab.what_if == {
        "gr_auxotroph": 0.42,
        "min_probability_confident": 0.95,
    }, "a what-if outlives a well left out"
    tab.reset.click()
    assert not tab.what_if and not tab.state.value


def test_cutoffs_are_saved_after_the_diff_was_shown_and_then_count(
    bench: Workbench, small: Path
) -> None:
    tab: Any = bench.tabs[CALLS]
    bench.stack.selected_index = CALLS
    text = (small / "experiment.yaml").read_text(encoding="utf-8")
    tab.sliders["gr_auxotroph"].value = 0.42
    tab.saving.show.click()
    assert "+  gr_auxotroph: 0.42" in tab.saving.diff.value
    assert (small / "experiment.yaml").read_text(encoding="utf-8") == text
    tab.saving.cancel.click()
    assert tab.saving.proposal is None
    tab.saving.confirm.click()
    assert (small / "experiment.yaml").read_text(encoding="utf-8") == text, (
        "what was cancelled cannot be written"
    )
    tab.saving.show.click()
    tab.saving.confirm.click()
    assert kit.load(small).settings.gr_auxotroph == 0.42
    assert not tab.what_if
    same_numbers(bench.session.analysis, kit.analyse(kit.load(small)))


def settings_of(folder: Path, **values: float) -> None:
    """Somebody else writes settings into the file."""
    path = folder / "experiment.yaml"
    lines = [
        line
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True)
        if not any(line.strip().startswith(f"{name}:") for name in values)
    ]
    path.write_text(
        "".join([*lines, *(f"  {name}: {value}\n" for name, value in values.items())]),
        encoding="utf-8",
    )


def test_a_colleagues_cutoffs_are_no_what_if_of_ours(bench: Workbench, small: Path) -> None:
    """With a comparison open, somebody else saves other cut-offs: they stand in the sliders nobody
    moved, and the comparison is gone.
    """
    bench.stack.selected_index = CALLS
    tab: Any = bench.tabs[CALLS]
    tab.sliders["gr_auxotroph"].value = 0.30
    tab.saving.show.click()
    assert tab.saving.proposal is not None
    settings_of(small, gr_prototroph=0.70)
    bench.session.look_again()
    assert (
        tab.what_if == {"gr_auxotroph": 0.30}
        and tab.sliders["gr_prototroph"].value == 0.70
        and tab.saving.proposal is None
    )
    settings_of(small, gr_auxotroph=0.30)
    bench.session.look_again()
    assert tab.what_if == {}, "now it is what is saved"


def test_what_a_slider_cannot_show_is_no_what_if(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut-offs between the slider's steps, and as far out as the settings allow; a browser writes
    back what it can show.
    """
    settings_of(small, gr_auxotroph=-0.785, sa_low=0.104, gr_prototroph=-0.62)
    page = Workbench(small)
    page.stack.selected_index = CALLS
    tab: Any = page.tabs[CALLS]
    assert [
        round(tab.sliders[name].value, 3) for name in ("gr_auxotroph", "gr_prototroph", "sa_low")
    ] == [-0.785, -0.62, 0.104]
    for name, shown in (("gr_auxotroph", -0.78), ("gr_auxotroph", -0.79), ("sa_low", 0.10)):
        tab.sliders[name].value = shown
    assert tab.what_if == {} and "What if" not in tab.state.value
    tab.sliders["sa_low"].value = 0.12
    assert tab.what_if == {"sa_low": 0.12}


def test_cutoffs_that_cross_call_nothing(bench: Workbench) -> None:
    bench.stack.selected_index = CALLS
    tab: Any = bench.tabs[CALLS]
    tab.sliders["gr_auxotroph"].value = 0.70
    assert (
        "gr_auxotroph (0.7) has to be below gr_prototroph (0.6)" in tab.state.value
        and "No calls" in tab.table.value
        and tab.evidence.value == ""
    )
    tab.saving.show.click()
    assert "has to be below" in message(bench) and tab.saving.proposal is None
    tab.sliders["gr_auxotroph"].value = 0.25
    assert "What if" in tab.state.value and "<table" in tab.table.value


def test_without_a_replicate_the_calls_are_those_of_the_other_replicates(
    bench: Workbench, small: Path
) -> None:
    tab: Any = bench.tabs[GROWTH]
    bench.stack.selected_index = GROWTH
    tab._boxes[2].value = False
    assert "not saved" in tab.state.value
    growth = bench.session.analysis.growth
    kept = growth[
        growth["replicate"].ne(2) & growth["medium"].eq("no_asn") & growth["hours"].eq(48)
    ]["gr"]
    assert f"{kept.mean():.2f}".replace("-", "−") in tab.table.value
    assert "none" in tab.table.value, "two replicates: exploratory, no confidence"
    assert not (small / "exclusions.csv").exists()


# ---- exclusions.csv


def entries(folder: Path) -> list[dict[str, str]]:
    path = folder / exclusions.FILE
    return (
        list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []
    )


def test_who_when_and_why_are_written_and_undone(bench: Workbench, small: Path) -> None:
    leave_out(bench, "B02", "B03", reason=' stuck "tip",\nrow B ')
    rows = entries(small)
    assert [(row["plate"], row["well"], row["reason"], row["by"]) for row in rows] == [
        (PLATE, name, 'stuck "tip", row B', "A. Tester") for name in ("B02", "B03")
    ]
    assert pd.Timestamp(rows[0]["at"]).tzinfo is not None
    assert len(kit.load(small).exclusions) == 2
    tab: Any = bench.tabs[PLATES]
    tab.plate.selected = ["B02"]
    tab.back.click()
    assert [row["well"] for row in entries(small)] == ["B03"]
    tab.undo.click()
    assert {row["well"] for row in entries(small)} == {"B02", "B03"}
    tab.undo.click()
    assert not entries(small) and tab.undo.disabled
    tab.redo.click()
    assert {row["well"]: row["reason"] for row in entries(small)} == {
        "B02": 'stuck "tip", row B',
        "B03": 'stuck "tip", row B',
    }
    same_numbers(bench.session.analysis, kit.analyse(kit.load(small)))


@pytest.mark.parametrize(
    ("reason", "who", "said"),
    [
        ("", "A. Tester", "reason: is empty"),
        ("   ", "A. Tester", "reason"),
        ("bubble", "", "by: is empty"),
    ],
)
def test_a_reason_and_a_name_are_asked_for(
    bench: Workbench, small: Path, reason: str, who: str, said: str
) -> None:
    bench.page.who.value = who
    leave_out(bench, "B02", reason=reason)
    assert said in message(bench)
    assert not entries(small)
    assert bench.tabs[PLATES].plate.selected == ["B02"], (
        "the choice stays, so that the reason can be added"
    )  # type: ignore[attr-defined]


def test_a_double_click_is_one_entry(bench: Workbench, small: Path) -> None:
    leave_out(bench, "B02")
    said = message(bench)
    bench.tabs[PLATES].leave_out.click()  # type: ignore[attr-defined]
    assert len(entries(small)) == 1
    assert message(bench) == said


def test_a_whole_plate_can_be_left_out_and_brought_back(bench: Workbench, small: Path) -> None:
    before = bench.session.analysis
    wells = list(before.wells[before.wells["plate"].eq(PLATE)]["well"])
    leave_out(bench, *wells)
    assert "No well of this plate counts any more" in message(bench)
    for index in range(len(bench.tabs)):
        bench.stack.selected_index = index
        assert "✕" not in message(bench), bench.tabs[index].title
    same_numbers(bench.session.analysis, kit.analyse(kit.load(small)))
    bench.tabs[PLATES].undo.click()  # type: ignore[attr-defined]
    same_numbers(bench.session.analysis, before)


def test_two_pages_on_one_experiment_keep_each_others_entries(
    bench: Workbench, small: Path
) -> None:
    other = Workbench(small)
    leave_out(bench, "B02")
    leave_out(other, "B03", reason="cells detached")
    assert {row["well"] for row in entries(small)} == {"B02", "B03"}
    assert "B02" in set(other.session.loaded.exclusions["well"]), (
        "the second page has taken the entry of the first over"
    )
    bench.stack.selected_index = CALLS
    assert "changed by somebody else" in message(bench)
    same_numbers(bench.session.analysis, other.session.analysis)
    bench.stack.selected_index = PLATES
    bench.tabs[PLATES].undo.click()  # type: ignore[attr-defined]
    assert [row["well"] for row in entries(small)] == ["B03"], (
        "undo takes back what this page did, nothing else"
    )


def test_undo_leaves_alone_what_somebody_else_decided_since(bench: Workbench, small: Path) -> None:
    leave_out(bench, "B02", "B03")
    exclusions.bring_back(small, [(PLATE, "B02")])
    exclusions.exclude(small, [(PLATE, "B02")], "contamination", "B. Other")
    bench.tabs[PLATES].undo.click()  # type: ignore[attr-defined]
    assert [(row["well"], row["by"]) for row in entries(small)] == [("B02", "B. Other")]
    assert "1 of the wells had been changed by somebody else" in message(bench)


def test_columns_rows_and_line_ends_of_somebody_else_stay(small: Path) -> None:
    path = small / exclusions.FILE
    path.write_bytes(
        f"Plate,Well,Reason,By,At,ticket\r\n{PLATE},b2,old,X,2026-03-04T09:30:00,T-17\r\n".encode()
    )
    change = exclusions.exclude(small, [(PLATE, "B02"), (PLATE, "B03")], "new", "Y")
    assert [row["well"] for row in change.added] == ["B03"], "b2 is B02, which has its entry"
    text = path.read_bytes().decode()
    assert f"{PLATE},b2,old,X,2026-03-04T09:30:00,T-17\r\n" in text and "\n" not in text.replace(
        "\r\n", ""
    )
    exclusions.revert(small, change)
    assert len(kit.load(small).exclusions) == 1


def test_the_file_is_whole_at_every_moment_and_nothing_is_lost_to_a_second_writer(
    small: Path,
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    names = [f"{row}{column:02d}" for row in "BCDEFG" for column in range(2, 12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: exclusions.exclude(small, [(PLATE, name)], "x", "y"), names))
    assert sorted(row["well"] for row in entries(small)) == sorted(names)
    assert not [item.name for item in small.iterdir() if item.name.startswith(".")]


def test_a_read_only_folder_is_said_and_nothing_changes(
    bench: Workbench, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    leave_out(bench, "B02")
    assert "exclusions.csv: cannot be written: Permission denied" in message(bench)
    assert not entries(small)
    assert not bench.session.analysis.wells["excluded"].any()


# ---- files changed underneath, errors


def test_a_changed_experiment_file_is_read_again(bench: Workbench, small: Path) -> None:
    path = small / "experiment.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "  gr_auxotroph: 0.33\n", encoding="utf-8")
    bench.stack.selected_index = CALLS
    assert "experiment.yaml changed on disk" in message(bench)
    assert bench.tabs[CALLS].sliders["gr_auxotroph"].value == 0.33  # type: ignore[attr-defined]


def test_an_experiment_that_breaks_underneath_says_so_and_the_page_stays(
    bench: Workbench, small: Path
) -> None:
    path = small / "experiment.yaml"
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("role: control", "role: contrl"), encoding="utf-8")
    bench.again.click()
    assert "Did you mean" in message(bench) and "Traceback" not in message(bench)
    assert bench.session.analysis is not None and bench.tabs[PLATES].choice.value  # type: ignore[attr-defined]
    path.write_text(good, encoding="utf-8")
    bench.again.click()
    assert "Read again" in message(bench)


def test_a_broken_exclusions_file_is_said_with_its_line(bench: Workbench, small: Path) -> None:
    (small / exclusions.FILE).write_text(
        "plate,well,reason,by,at\nNO-PLATE,B02,x,y,2026-03-04\n", encoding="utf-8"
    )
    bench.stack.selected_index = CALLS
    assert "line 2" in message(bench) and "NO-PLATE" in message(bench)


@pytest.mark.parametrize("path", ["", "/nowhere/at/all"])
def test_without_an_experiment_the_page_asks_and_the_planner_works(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIT_EXPERIMENT", raising=False)
    page = Workbench(path)
    assert ("Name a folder" if not path else "is not there") in message(page)
    for index in range(len(page.tabs)):
        page.stack.selected_index = index
    plan: Any = page.tabs[PROTOCOL]
    assert "harmless" in plan.residue.value and "µM asparagine" in plan.residue.value
    assert not any("uM" in control.description for control in plan.controls.values()), (
        "units as the sentences and figures write them"
    )
    assert (
        plan.power["sd"].description == "SD of the paired difference from control (log2)"
        and "not that of the replicates" in plan.detectable.value
    )
    leave_out_button: Any = page.tabs[PLATES]
    leave_out_button.plate.selected = ["A01"]
    leave_out_button.leave_out.click()
    assert "no experiment is open" in message(page)


@pytest.mark.parametrize("broken", [False, True])
def test_a_slider_written_back_keeps_what_was_said(
    demo: Path, broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser rounds every slider when it shows it: with nothing open that must not hide the
    welcome, or the error and its line.
    """
    monkeypatch.delenv("KIT_EXPERIMENT", raising=False)
    config = demo / "experiment.yaml"
    config.write_text(
        config.read_text(encoding="utf-8").replace("role: control", "role: contrl"),
        encoding="utf-8",
    )
    page = Workbench(demo if broken else "")
    tab: Any = page.tabs[CALLS]
    before = message(page)
    for slider in tab.sliders.values():
        slider.value = round(slider.value + 0.05, 2)
    tab.reset.click()
    tab.which.options = [("a", 0)]
    assert message(page) == before and (
        "line 19" in before if broken else "Name a folder" in before
    )


@pytest.mark.parametrize(
    "path", ["x" * 5000, "/tmp/" + "y" * 300, "~nobody-of-this-name/data", "a\0b"]
)
def test_a_path_that_cannot_be_is_a_message(bench: Workbench, small: Path, path: str) -> None:
    bench.place.value = path
    assert "kit-msg fail" in message(bench) and "did not foresee" not in message(bench)
    assert bench.session.loaded.id == small.name


def test_folders_that_nobody_may_read_are_passed(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, listed = small.parent / "AAA-LOCKED", Path.iterdir
    locked.mkdir()

    def iterdir(path: Path) -> Any:
        if path.name == locked.name:
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert experiments_below(small.parent) == [small.resolve()]
    with pytest.raises(InputError, match="AAA-LOCKED: cannot be looked into: Permission denied"):
        experiments_below(locked)


def test_what_was_said_of_one_tab_ends_with_it(bench: Workbench) -> None:
    leave_out(bench, "B02", reason="")
    assert "reason: is empty" in message(bench)
    bench.stack.selected_index = GROWTH
    assert message(bench) == ""


def test_undo_with_nothing_to_undo_warns(bench: Workbench, small: Path) -> None:
    for click, said in (
        (bench.session.undo, "nothing to undo"),
        (bench.session.redo, "nothing to do again"),
    ):
        bench.page.guard(click)()
        assert said in message(bench) and "kit-msg warn" in message(bench)
    leave_out(bench, "B02")
    (small / exclusions.FILE).unlink()  # somebody else brought it back
    bench.page.guard(bench.session.undo)()
    assert "Nothing was undone" in message(bench) and "kit-msg warn" in message(bench)


def test_only_wells_of_the_plate_can_be_left_out(bench: Workbench, small: Path) -> None:
    for plate, well in ((PLATE, "Z99"), ("NO-PLATE", "B02"), (None, "B02")):
        with pytest.raises(InputError, match="has no well"):
            bench.session.exclude(plate, [well], "x", "y")  # type: ignore[arg-type]
    assert not entries(small)


def test_what_nobody_foresaw_is_a_message_too(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.explore.state.judge_plates", lambda *_: 1 / 0)
    leave_out(bench, "B02")
    assert (
        "did not foresee" in message(bench)
        and "ZeroDivisionError" in message(bench)
        and "Traceback" not in message(bench)
    )


def test_a_changed_call_stands_beside_what_it_was(bench: Workbench) -> None:
    """In the table behind an arrow, in the message in words, and without the half sentence that
    death was not assessed.
    """
    from kit.explore.calls import call_rows, changes

    now = bench.session.analysis.calls  # type: ignore[union-attr]
    assert changes(now, now) == "" and "was" not in call_rows(now, now)
    before = now.assign(
        call="partially_dependent",
        confidence="provisional",
        probability=0.61,
        subtype="death_not_assessed",
    )
    table = call_rows(now, before)
    assert list(table.columns[:4]) == ["line", "without", "call", "was"] and set(table["was"]) == {
        "← partially dependent, provisional, P 0.61"
    }
    first = now.iloc[0]
    assert (
        f" Changed: {first['cell_line']} −Asn is {first['call']} ({first['confidence']}), was"
        " partially dependent (provisional)" in changes(now, before)
    )
    assert set(call_rows(before)["call"]) == {"partially_dependent"}


@pytest.mark.parametrize(
    ("paper", "ink"),
    [((238, 238, 238), (0, 0, 0)), ((66, 66, 66), (255, 255, 255))],
    ids=["light", "dark"],
)
@pytest.mark.parametrize("kind", ["add", "cut"])
def test_a_diff_can_be_read_in_both_themes(
    paper: tuple[int, ...], ink: tuple[int, ...], kind: str
) -> None:
    """WCAG 2: 4.5 to 1 for text, with JupyterLab's own colours of paper and ink under the tint of
    added and removed lines.
    """
    from kit.explore.parts import STYLE

    red, green, blue, share = (
        int(part, 16) for part in re.findall(rf"\.{kind}{{background:#(..)(..)(..)(..)}}", STYLE)[0]
    )
    tinted = [
        tint * share / 255 + under * (1 - share / 255)
        for tint, under in zip((red, green, blue), paper, strict=True)
    ]
    light, dark = sorted((_luminance(tinted), _luminance(ink)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(color: Any) -> float:
    linear = [
        part / 255 / 12.92 if part / 255 <= 0.03928 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in color
    ]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_user_text_is_escaped(bench: Workbench) -> None:
    leave_out(bench, "B02", reason="<img src=x onerror=alert(1)>")
    tab: Any = bench.tabs[PLATES]
    assert "<img" not in tab.left_out.value and "&lt;img" in tab.left_out.value
    bench.place.value = "/tmp/<b>none"
    bench.find.click()
    assert "<b>none" not in message(bench)


def test_the_experiment_that_is_named_is_the_one_that_is_open(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one that cannot be read leaves the first open, and named; mended, it opens."""
    broken = small.parent / "EXP-BROKEN"
    shutil.copytree(small, broken)
    config = broken / "experiment.yaml"
    config.write_text(
        config.read_text(encoding="utf-8").replace("role: control", "role: contrl"),
        encoding="utf-8",
    )
    page = Workbench(small.parent)
    assert "Did you mean" in message(page) and "EXP-BROKEN: experiment.yaml: line 19" in message(
        page
    ), "EXP-BROKEN comes first"
    assert page.session.loaded.id == small.name and page.choice.value == str(small), (
        "the first that can be read is open"
    )
    page.choice.value = str(broken)
    assert "Did you mean" in message(page)
    assert page.session.loaded.id == small.name and page.choice.value == str(small)
    page.place.value = str(broken)
    assert page.choice.value == str(small) and page.session.loaded.id == small.name
    text = (
        config.read_text(encoding="utf-8")
        .replace("contrl", "control")
        .replace("experiment_id: EXP-DEMO-01", "experiment_id: EXP-BROKEN")
    )
    config.write_text(text, encoding="utf-8")
    page.choice.value = str(broken)
    assert page.session.loaded.id == "EXP-BROKEN" and "✕" not in message(page)


def test_a_folder_of_experiments_is_listed(root: Path) -> None:
    assert [path.name for path in experiments_below(root / "data" / "examples")][:2] == [
        "EXP-DEMO-01",
        "EXP-DEMO-02",
    ]
    with pytest.raises(InputError, match="holds no"):
        experiments_below(root / "kit")


# ---- inside the reports' notebooks


def test_widgets_show_where_a_person_sits_and_nowhere_else() -> None:
    """A kernel is asked as JupyterLab asks it, and as papermill, nbconvert and nbval do; the batch
    has no kernel at all.
    """
    from jupyter_client.manager import start_new_kernel

    from kit.explore.notebook import show_tabs, somebody_is_there

    assert not somebody_is_there() and show_tabs(None, "Calls") is None  # type: ignore[arg-type]
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        for person in (True, False):
            cell = (
                "from kit.explore.notebook import somebody_is_there; import sys;"
                " (somebody_is_there(), 'ipywidgets' in sys.modules)"
            )
            said: list[str] = []
            client.execute_interactive(
                cell, allow_stdin=person, timeout=60, output_hook=_result_into(said)
            )
            assert said == [f"({person}, False)"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _result_into(said: list[str]) -> Callable[[dict[str, Any]], None]:
    return lambda message: (
        said.append(message["content"]["data"]["text/plain"])
        if message["msg_type"] == "execute_result"
        else None
    )


def test_beside_a_notebooks_cells_stand_its_own_numbers(small: Path) -> None:
    """The tabs take the notebook's analysis as it is, with the settings it was given, also after
    something was left out.
    """
    from kit.explore.app import Beside

    analysis = kit.analyse(kit.load(small, {"gr_auxotroph": 0.45}))
    shown = Beside(analysis, ("Plates", "Calls"))
    assert shown.session.analysis is analysis and "✕" not in shown.page.message.value
    shown.stack.selected_index = 1
    sliders = shown.tabs[1].sliders  # type: ignore[attr-defined]
    assert sliders["gr_auxotroph"].value == 0.45 and shown.tabs[1].what_if == {}  # type: ignore[attr-defined]
    shown.session.exclude(PLATE, control_wells(small), "air bubble", "A. Tester")
    (small / "experiment.yaml").touch()
    shown.session.look_again()
    assert shown.session.analysis is not None and shown.session.loaded.settings.gr_auxotroph == 0.45
    same_numbers(shown.session.analysis, kit.analyse(kit.load(small, {"gr_auxotroph": 0.45})))


@pytest.mark.parametrize("name", ["01_assay_qc", "02_dropout_analysis", "03_asns_correlation"])
def test_each_notebook_has_widgets_that_a_run_leaves_out(root: Path, name: str) -> None:
    from kit.explore.app import TABS

    cells = json.loads((root / f"notebooks/{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    asked = [
        title
        for cell in cells
        for title in re.findall(r'"(\w+)"', "".join(cell["source"]))
        if "".join(cell["source"]).startswith("show_tabs(")
    ]
    assert asked and set(asked) <= {tab.title for tab in TABS}


# ---- what is drawn


def test_the_picture_shows_every_well_in_its_place(small: Path) -> None:
    wells = kit.analyse(kit.load(small)).wells
    drawn = picture(wells, PLATE, "raw")
    here = wells[wells["plate"].eq(PLATE)].set_index("well")
    assert (drawn["rows"], drawn["columns"]) == (8, 12)
    assert {cell[0] for cell in drawn["wells"]} == set(here.index)
    for name, row, column, _, _, text in drawn["wells"]:
        assert name == f"{'ABCDEFGH'[row]}{column + 1:02d}"
        assert text.startswith(f"{name}:")
    fill = {cell[0]: cell[3] for cell in drawn["wells"]}
    shown = here[here["signal"].gt(0)]
    brightness = shown.index.map(
        lambda name: sum(
            int(fill[name][i : i + 2], 16) * share for i, share in ((1, 0.3), (3, 0.59), (5, 0.11))
        )
    )
    assert stats.spearman(shown["signal"], np.asarray(brightness, float)).r > 0.99, (
        "viridis grows lighter with the signal"
    )


# ---- gates


@pytest.fixture
def stained(small: Path) -> Path:
    """The experiment with FCS files in place of the gated table."""
    dying = {"viable": 0.6, "early": 0.25, "late": 0.1, "necrotic": 0.05}
    well = {"viable": 0.94, "early": 0.03, "late": 0.02, "necrotic": 0.01}
    samples = {
        ("MOLT-4", medium, number): dying if medium == "no_asn" else well
        for medium in ("complete", "no_asn")
        for number in (1, 2, 3)
    }
    write_acquisition(samples, small / "raw" / "fcs", events=3000)
    path = small / "experiment.yaml"
    gates = (
        "  - file: raw/fcs/samples.csv  # 72 h\n    hours: 72\n    gates:\n      annexin: FITC-A  #"
        " green\n      pi: PE-A\n      debris_fsc_min: 25000\n"
    )
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            "  - {file: raw/annexin_72h.csv, hours: 72}\n", gates
        ),
        encoding="utf-8",
    )
    return small


def test_percentages_follow_the_gate_as_a_run_with_that_gate_counts_them(stained: Path) -> None:
    page = Workbench(stained)
    tab: Any = page.tabs[APOPTOSIS]
    page.stack.selected_index = APOPTOSIS
    assert not tab.what_if and not tab.state.value
    tab.sliders["annexin_threshold"].value = 20_000.0
    assert "What if" in tab.state.value
    run, file = tab.run, tab.run.files[-1]
    live = run.percents(file, 20_000.0, run.saved["pi_threshold"])
    tab.saving.show.click()
    assert "+      annexin_threshold: 20000.0" in tab.saving.diff.value
    tab.saving.confirm.click()
    text = (stained / "experiment.yaml").read_text(encoding="utf-8")
    assert "annexin: FITC-A  # green\n" in text and "  # 72 h\n" in text
    fresh = kit.load(stained)
    row = fresh.flow[fresh.flow["medium"].eq("no_asn") & fresh.flow["replicate"].eq(3)].iloc[0]
    for name, percent in live.items():
        assert row[f"{name}_percent"] == pytest.approx(percent, abs=1e-9)
    assert not tab.what_if, "what is saved is no what-if any more"
    same_numbers(page.session.analysis, kit.analyse(fresh))


def test_all_events_are_counted_and_the_saved_gates_give_the_saved_table(stained: Path) -> None:
    experiment = kit.load(stained)
    (run,) = acquisitions(experiment)
    again = run.flow(experiment.flow, run.saved)
    pd.testing.assert_frame_equal(again, experiment.flow)
    assert [run.events(file) for file in run.files] == list(experiment.flow["events"])


# ---- planners


def test_the_carry_over_planner_is_the_reports_model(bench: Workbench) -> None:
    tab: Any = bench.tabs[PROTOCOL]
    bench.stack.selected_index = len(bench.tabs) - 1
    tab.like.value = "MOLT-4, asparagine"
    row = bench.session.analysis.carryover.query(
        "cell_line == 'MOLT-4' and amino_acid == 'asparagine'"
    ).iloc[0]
    assert tab.plan.washes == row["washes"] and tab.plan.doublings == pytest.approx(
        row["control_doublings"], abs=0.06
    )
    plan = planning.Plan(washes=1, residual_uL=20, dialyzed=False)
    settings = Settings()
    carry = plan.carry(settings)
    by_hand = (378 * 20 * 20 / 120 + 100 * 0.1 * settings.serum_asparagine_uM) / 120
    assert carry.residual_uM == pytest.approx(by_hand)
    assert planning.verdict(carry, settings) == "fail"
    assert (
        planning.verdict(
            dataclasses.replace(plan, washes=4, dialyzed=True).carry(settings), settings
        )
        == "pass"
    )
    assert carryover_model.next_wash_advice(carry, settings.gr_mask_moderate) is not None


@pytest.mark.parametrize("replicates", [3, 4, 6])
def test_the_replicate_planner_keeps_its_promise(replicates: int) -> None:
    """Simulated experiments with the promised difference are found as often as was promised."""
    media, sd = 3, 0.4
    effect = planning.smallest(replicates, media, sd, 0.8, 0.05)
    rng = np.random.default_rng(1)
    y = rng.normal(0, sd / np.sqrt(2), (4000, replicates, media + 1))
    y[:, :, 1] -= effect
    centred = (
        y - y.mean(2, keepdims=True) - y.mean(1, keepdims=True) + y.mean((1, 2), keepdims=True)
    )
    df = (replicates - 1) * media
    se = np.sqrt(2 * (centred**2).sum((1, 2)) / df / replicates)
    difference = y[:, :, 1] - y[:, :, 0]
    se = np.maximum(se, difference.std(1, ddof=1) / np.sqrt(replicates))
    between = np.sqrt(df * (replicates - 1))
    found = np.mean(np.abs(difference.mean(1)) / se > stats.dunnett_critical(media, between, 0.05))
    assert found == pytest.approx(0.8, abs=0.05)


# ---- starting


def test_the_notebook_is_copied_and_the_kit_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    from kit.explore import launch

    asked: dict[str, Any] = {}
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(
        launch,
        "_become",
        lambda server, environment: asked.update(command=server, env=environment) or 0,
    )
    assert launch.explore(str(root / "data" / "examples"), app=True, options=["--no-browser"]) == 0
    copy = tmp_path / "data" / "asn-dropout-kit" / "explore.ipynb"
    assert copy.read_bytes() == (root / "notebooks" / "explore.ipynb").read_bytes()
    assert (
        "kit.explore.serve" in asked["command"]
        and str(copy) in asked["command"]
        and asked["command"][-1] == "--no-browser"
    )
    assert asked["env"]["KIT_EXPERIMENT"] == str(root / "data" / "examples")
    assert launch.explore(app=False) == 0 and "jupyterlab" in asked["command"]
    with pytest.raises(InputError, match="is not a folder"):
        launch.explore(str(root / "README.md"))


def test_the_page_without_code_asks_for_a_token_and_for_the_machines_own_name(
    tmp_path: Path,
) -> None:
    """Started for real in a folder of traps: a module and a configuration that must not run."""
    traps = tmp_path / "traps"
    traps.mkdir()
    for name in ("voila", "jupyter_config", "voila_config", "random"):
        (traps / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--server=--port={port}", "--server=--no-browser", "--server=--Voila.token=secret"]
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "kit", "explore", "--app", *options],
        cwd=traps,
        env={**os.environ, "JUPYTER_DATA_DIR": str(tmp_path / "data")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def ask(path: str, host: str = "") -> tuple[int, str]:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            line.request("GET", path, headers={"Host": host} if host else {})
            answer = line.getresponse()
            return answer.status, answer.headers.get("Location", "")
        except OSError:
            return 0, ""
        finally:
            line.close()

    try:
        until(lambda: ask("/login")[0] == 200, "the server should answer")
        status, where = ask("/")
        assert status == 302 and where.startswith("/login")
        assert ask("/api/kernels/0")[0] in (302, 403)
        assert ask("/?token=secret", "evil.example")[0] == 403
    finally:
        server.terminate()
        server.wait(60)
    assert not (tmp_path / "ran").exists()


def test_the_report_button_runs_the_batch_command(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kit.explore import report

    script = (
        "import pathlib,sys; p=pathlib.Path(sys.argv[2])/sys.argv[1]; p.mkdir(parents=True);"
        " (p/'report.html').write_text('<p>whole</p>')"
    )
    seen: list[tuple[Path, Path]] = []

    def command(folder: Path, out: Path) -> list[str]:
        seen.append((folder, out))
        return [report.sys.executable, "-c", script, folder.name, str(out)]

    real: Callable[..., Any] = report._command
    assert real(Path("/e"), Path("/o"))[1:] == ["-m", "kit", "run", "/e", "--out", "/o"]
    monkeypatch.setattr(report, "_command", command)
    bench.report.out.value = str(tmp_path / "out")
    bench.report.run.click()
    bench.report.run.click()  # a double click
    bench.report.running.join(20)  # type: ignore[union-attr]
    assert len(seen) == 1
    assert bench.report.link.page == "<p>whole</p>" and "The report is made" in message(bench)
    script = "import sys; print('disk full'); sys.exit(1)"
    bench.report.run.click()
    bench.report.running.join(20)  # type: ignore[union-attr]
    assert "disk full" in message(bench)
