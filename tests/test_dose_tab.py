"""The workbench's dose-response tab: it starts as the report and follows the points left out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

import kit
from kit.explore.dose import DoseTab
from kit.explore.parts import Page


@pytest.fixture(scope="module")
def analysis(root: Path) -> kit.analysis.Analysis:
    return kit.analyse(kit.load(root / "data" / "examples" / "EXP-DEMO-04"))


@pytest.fixture
def tab(analysis) -> DoseTab:
    found = DoseTab(SimpleNamespace(experiment=analysis.experiment, analysis=analysis), Page())
    found.draw()
    return found


def line(tab: DoseTab):
    curves = tab.what_if()[1]
    return curves[curves["replicate"].eq("all") & curves["scale"].eq("gr")].iloc[0]


def test_it_starts_as_the_report(tab, analysis) -> None:
    report = analysis.dose_response
    own = report[report["replicate"].eq("all") & report["scale"].eq("gr")].iloc[0]
    assert line(tab)["ic50_text"] == own["ic50_text"] and own["ic50_text"] in tab.figure.value
    assert next(label for label, _ in tab.series.options).startswith("MOLT-4, asparaginase in")
    assert not any("no_asn" in label for label, _ in tab.series.options)
    assert "As in the report" in tab.state.value and "<img" in tab.figure.value


def test_points_left_out_move_the_curve_and_come_back(tab) -> None:
    before = line(tab)
    first = [value for label, value in tab.left_out.options if label.startswith("replicate 1")]
    tab.left_out.value = tuple(first[5:7])
    moved = line(tab)
    assert moved["ic50_relative"] != before["ic50_relative"]
    assert "2 points left out" in tab.state.value
    tab.left_out.value = tuple(first[1:])
    assert not line(tab)["reportable"] and "the mean of" not in tab.figure.value
    tab.left_out.value = ()
    assert line(tab)["ic50_relative"] == before["ic50_relative"]


def test_another_series_shows_its_status_in_words(tab) -> None:
    resistant = next(value for label, value in tab.series.options if label.startswith("A549"))
    tab.series.value = resistant
    assert tab.left_out.value == () and ">10" in tab.table.value.replace("&gt;", ">")
    assert "No effect" in tab.figure.value


def test_an_experiment_without_doses_says_so(root: Path) -> None:
    plain = kit.analyse(kit.load(root / "data" / "examples" / "EXP-DEMO-05"))
    tab = DoseTab(SimpleNamespace(experiment=plain.experiment, analysis=plain), Page())
    tab.draw()
    assert "holds doses" in tab.state.value and tab.figure.value == ""
