"""Labels: what people read in the place of the media's names, on a page and in figures."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ipywidgets as w
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from kit.config.labels import media_labels
from kit.config.model import ExperimentConfig
from kit.core.labels import Labels
from kit.experiment.load import load
from kit.explore.app import Workbench
from kit.report.exhibits import Exhibit, Exhibits

CONTROL = {"role": "control", "asparagine_uM": 100, "glutamine_uM": 2000}


def config(**media: dict) -> ExperimentConfig:
    return ExperimentConfig.model_validate(
        {"experiment_id": "X", "cell_lines": {"A": {}}, "media": {"full": CONTROL, **media}}
    )


@pytest.mark.parametrize(
    ("medium", "label"),
    [
        ({"role": "dropout", "removes": "asparagine", "asparagine_uM": 0}, "−Asn"),
        ({"role": "dropout", "removes": ["glutamine", "asparagine"]}, "−Asn −Gln"),
        ({"role": "rescue", "restores": "asparagine", "asparagine_uM": 100}, "−Asn +Asn 100 µM"),
        ({"role": "rescue", "restores": "asparagine"}, "−Asn +Asn"),
        (
            {"role": "rescue", "restores": "asparagine", "asparagine_uM": 1500, "glutamine_uM": 0},
            "−Gln +Asn 1500 µM",
        ),
        ({"role": "control", "refeeds": {"glutamine": 24}}, "complete +Gln every 24 h"),
        ({"role": "other", "inducer": True}, "the arm"),
        ({"role": "other", "label": "5 µM STS"}, "5 µM STS"),
    ],
)
def test_a_label_is_made_from_the_role_or_given(medium: dict, label: str) -> None:
    assert media_labels(config(the_arm=medium)) == {"full": "complete", "the_arm": label}


def test_media_that_would_read_alike_keep_their_names() -> None:
    without = {"role": "dropout", "removes": "asparagine"}
    found = media_labels(config(no_asn_a=without, no_asn_b=without))
    assert list(found.values()) == ["complete", "−Asn (no asn a)", "−Asn (no asn b)"]


def test_sentences_show_labels_and_micro_but_no_word_code_or_file_is_touched() -> None:
    labels = Labels({"no_asn": "−Asn", "no_asn_100": "−Asn +Asn", "control": "complete"})
    assert labels.text("no_asn_100 (2 uM) against no_asn: control") == (
        "−Asn +Asn (2 µM) against −Asn: control"
    )
    for same in ("asparagine_uM", "raw/no_asn.csv", "`no_asn` is a key", "xno_asn", "no_asn_2"):
        assert labels.text(same) == same
    html = '<b title="no_asn">no_asn</b><code>no_asn</code><style>.no_asn{}</style>'
    assert labels.html(html) == html.replace('<b title="no_asn">no_asn', '<b title="no_asn">−Asn')


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("4.75e+06 cells", "4,750,000 cells"),
        ("from 1e+05 to 3e-05", "from 100,000 to 3 × 10⁻⁵"),
        ("GR -0.00 (-0.02 to 0.01), −0 %", "GR 0.00 (−0.02 to 0.01), 0 %"),
        ("A549-0h-R1", "A549-0h-R1"),
        ("line 1E5", "line 1E5"),
        ("-0.003", "−0.003"),
    ],
)
def test_powers_and_zeros_are_written_out(given: str, read: str) -> None:
    assert Labels().text(given) == read


def test_numbers_are_written_as_people_write_them() -> None:
    labels = Labels()
    assert labels.text("GR -0.18 (-0.25 to -0.11), p = 4.1e-05") == (
        "GR −0.18 (−0.25 to −0.11), p < 0.0001"
    )
    for same in ("2026-03-02", "3-10", "MOLT-4", "p = 0.04", "EXP-1.-2", "A549-R1"):
        assert labels.text(same) == same


def test_names_stand_alone_in_cells() -> None:
    labels = Labels({"no_asn": "−Asn", "control": "complete"})
    frame = pd.DataFrame({"medium": ["control", None], "role": ["control", "sample"]})
    shown = labels.table(frame)
    assert shown["medium"].tolist()[0] == "complete" and shown["medium"].isna().tolist()[1]
    assert shown["role"].tolist() == ["control", "sample"]
    assert labels.name("no_asn - control") == "−Asn vs complete"


def test_every_text_of_a_figure_is_relabelled(tmp_path: Path) -> None:
    figure = Figure(layout="constrained")
    left, right = figure.subplots(1, 2)
    left.bar(["no_asn", "control"], [1, 2], label="no_asn")
    left.legend(title="control")
    right.plot([0, 1], [0, 1])
    right.set_xticks([0, 1], ["no_asn", "A"])
    right.set_ylabel("no_asn (uM)")
    page = Exhibits(str(tmp_path), labels=Labels({"no_asn": "−Asn", "control": "complete"}))
    page._render(Exhibit("a", "", "", figure=figure))
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert {"−Asn", "complete", "−Asn (µM)", "A"} <= texts
    svg = (tmp_path / "figures" / "a.svg").read_text()
    assert "−Asn" in svg and "no_asn" not in svg and "control" not in svg


def visible(report: Path) -> str:
    """What a reader sees of a page: no scripts, code or data for copying."""
    html = report.read_text("utf-8")
    html = re.sub(r"<(script|style|code|pre|template)\b.*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", "\n", html)


LONG = ("EXP-DEMO-01", "EXP-DEMO-03", "EXP-DEMO-04")
SHORT = ("EXP-DEMO-02", "EXP-DEMO-05", "EXP-DEMO-06", "EXP-DEMO-07")


@pytest.mark.parametrize(
    "name", [*SHORT, *(pytest.param(name, marks=pytest.mark.slow) for name in LONG)]
)
def test_a_report_shows_labels_only(root: Path, tmp_path: Path, name: str) -> None:
    """In the tables, figures and sentences of a whole report no key of a medium stands that differs
    from its label, no unit in letters of the keyboard and no negative zero.
    """
    source = root / "data" / "examples" / name
    command = [sys.executable, "-m", "kit", "run", str(source), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    media = media_labels(load(source).config)
    keys = [re.escape(key) for key, label in media.items() if key != label]
    stray = re.compile(rf"\buM\b|\buL\b|(?<![\w.])[-−]0\.0+(?![\d])|{_whole(keys)}")
    text = visible(tmp_path / name / "report.html")
    assert stray.findall(text) == []
    assert all(label in text for label in media.values())
    for figure in (tmp_path / name / "figures").glob("*.svg"):
        texts = re.findall(r"<(?:text|tspan)[^>]*>([^<]*)<", figure.read_text("utf-8"))
        assert [text for text in texts if stray.search(text)] == [], figure.name


def _whole(keys: list[str]) -> str:
    """Matches one of the keys that stands by itself."""
    return rf"(?<![\w/.])(?:{'|'.join(keys) or '(?!)'})(?![\w/])"


def test_the_workbench_shows_labels(root: Path) -> None:
    """No tab shows a key of a medium, in figures' captions, tables, notes or choices."""
    page = Workbench(root / "data" / "examples" / "EXP-DEMO-07")
    told = set()
    for index, tab in enumerate(page.tabs):
        page.stack.selected_index = index
        text = "\n".join(_texts(tab.box))
        text = re.sub(r'src="[^"]*"|<(style|code)\b.*?</\1>', "", text, flags=re.DOTALL)
        assert re.findall(r"(?<![\w/.])(?:no_asn\w*|no_gln\w*|uM|uL)\b", text) == [], tab.title
        told |= {tab.title} if "−Asn" in text else set()
    assert {"Growth", "Calls", "Plates"} <= told


def _texts(widget: w.Widget) -> Iterator[str]:
    """What a widget and those within it say."""
    if isinstance(widget, w.HTML):
        yield widget.value
    if isinstance(widget, w.Dropdown):
        yield from (str(item[0] if isinstance(item, tuple) else item) for item in widget.options)
    for child in getattr(widget, "children", ()):
        yield from _texts(child)
