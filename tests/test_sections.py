"""Every exhibit of the notebooks over good, bad, hostile and thin experiments: it draws, stays
inside its page, and labels do not collide.
"""

import dataclasses
import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import kit
from kit.report.sections import assay, death, dropout, protocol
from kit.simulate import synthetic
from kit.simulate.synthetic import SOURCE_LINES, Truth

HOSTILE = "<b>$x_{</b> & \\frac"


def simulated(truth, **changes):
    experiment = synthetic.experiment(truth)
    return kit.analyse(
        dataclasses.replace(
            experiment, **{name: change(experiment) for name, change in changes.items()}
        )
    )


CASES = {
    "demo_01": lambda: simulated(synthetic.demo_01()),
    "one line, no flow": lambda: simulated(
        Truth({"A549": SOURCE_LINES["A549"]}, replicates=1), flow=lambda e: None
    ),
    "no 0 h": lambda: simulated(
        Truth({"A549": SOURCE_LINES["A549"]}), wells=lambda e: e.wells[e.wells["hours"].gt(0)]
    ),
    "names that break things": lambda: simulated(
        Truth({HOSTILE: SOURCE_LINES["A549"], "$": SOURCE_LINES["MOLT-4"]})
    ),
    "ten lines of long names": lambda: simulated(
        Truth(
            {f"A very long line name {index}": SOURCE_LINES["Jurkat"] for index in range(10)},
            replicates=2,
        )
    ),
    "only control": lambda: simulated(
        Truth({"A549": SOURCE_LINES["A549"]}),
        wells=lambda e: e.wells[e.wells["medium"].eq("complete")],
        flow=lambda e: None,
    ),
}
FIGURES = {
    "raw": lambda a: [assay.heatmaps(a, "raw")], "residual": lambda a: [assay.heatmaps(a, "residual")], "controls": lambda a: [assay.controls(a)],
    "drift": lambda a: [assay.drift(a)], "replicates": lambda a: [assay.replicates(a)], "carry-over": lambda a: [protocol.carryover_figure(a)],
    "overview": lambda a: [dropout.overview(a)], "doublings": lambda a: [dropout.doublings(a)], "superplot": lambda a: [dropout.superplots(a, "gr")],
    "viability": lambda a: [dropout.superplots(a, "relative_viability")], "forest": lambda a: [dropout.forest(a)], "rescue": lambda a: [dropout.rescue_figure(a)],
    "death": death.figures, "certainty": lambda a: [dropout.certainty(a)],
}  # fmt: skip


@pytest.fixture(scope="module")
def analyses():
    made = {}
    return lambda name: made.setdefault(name, CASES[name]())


@pytest.mark.parametrize(("case", "figure"), list(itertools.product(CASES, FIGURES)))
def test_exhibit(analyses, case, figure):
    for exhibit in FIGURES[figure](analyses(case)):
        assert exhibit.caption and exhibit.title
        fig = exhibit.figure
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        renderer = canvas.get_renderer()
        page = fig.bbox.expanded(1.02, 1.02)
        for ax in fig.axes:
            labels = [
                label
                for label in ax.get_xticklabels()
                if label.get_text() and label.get_visible() and ax.axison
            ]
            boxes = [
                label.get_window_extent(renderer)
                for label in labels
                if label.get_rotation() in (0.0, 90.0)
            ]
            inside = [
                box for box in boxes if box.x0 >= ax.bbox.x0 - 60 and box.x1 <= ax.bbox.x1 + 60
            ]
            for left, right in itertools.pairwise(sorted(inside, key=lambda box: box.x0)):
                assert left.x1 <= right.x0 + 1.0, (case, figure, "tick labels overlap")
            for text in [*ax.texts, ax.title]:
                if text.get_text() and ax.axison:
                    box = text.get_window_extent(renderer)
                    assert page.x0 <= box.x0 and box.x1 <= page.x1, (
                        case,
                        figure,
                        f"'{text.get_text()}' is cut",
                    )


@pytest.mark.parametrize("case", CASES)
def test_tables_and_sentences(analyses, case):
    analysis = analyses(case)
    for shown in (assay.glance(analysis), assay.qc_details(analysis), protocol.compliance(analysis), protocol.carryover(analysis), dropout.effects(analysis),
                      dropout.rescue(analysis), death.samples(analysis), death.effects(analysis), assay.left_out(analysis)):  # fmt: skip
        assert shown.caption and (shown.table is None or list(shown.table.columns))
    card = dropout.call_cards(analysis)
    called = 0 if card.table is None else len(analysis.calls)
    assert card.caption and len(card.cards) == called
    assert all(sentence.endswith(".") for sentence in dropout.methods(analysis))
    assert len(dropout.reasons(analysis)) == (0 if analysis.calls is None else len(analysis.calls))


def test_death_is_tested_in_sight(analyses):
    """The contrasts of death reach the report with unit, n and adjustment, the tables folder and
    the methods; two replicates give no p.
    """
    good, few = analyses("demo_01"), analyses("ten lines of long names")
    one = death.effects(good)
    table, caption, shown = one.table, one.caption, one.columns
    assert (
        {"p_adjusted", "n_replicates", "odds_ratio"} <= set(shown)
        and (table["n_replicates"] == 3).all()
        and table["p"].notna().all()
    )
    assert all(words in caption for words in ("biological replicates", "Holm", "paired t"))
    assert table["adjustment"].str.startswith("paired t on logits, Holm over ").all()
    assert "apoptosis_effects" in good.tables
    assert "paired t tests on logits" in " ".join(dropout.methods(good))
    thin = few.apoptosis_effects
    assert thin["estimate"].notna().all() and thin[
        ["p", "p_adjusted", "ci_low", "odds_ratio_high", "se"]
    ].isna().all(axis=None)
    for said in (dropout.effects(few).caption, " ".join(dropout.methods(few))):
        assert "nothing was tested" in said and "Holm" not in said and "Dunnett" not in said
    assert "Death was not tested" in " ".join(dropout.methods(few))


def test_what_could_be_found_is_said_for_each_line_and_family(analyses):
    """No line's least detectable difference is larger than the number its caption gives; interval
    and p are named as what they are.
    """
    one = dropout.effects(analyses("demo_01"))
    table, caption, shown = one.table, one.caption, one.columns
    power = caption.split("80 % power")[1]
    for family, text in (
        ("dropout", power.split("rescue ")[0]),
        ("rescue", power.split("rescue ")[1]),
    ):
        for line, rows in table[table["family"].eq(family)].groupby("cell_line"):
            assert f"{line} {rows['mde_log2'].max():.2f}" in text
    assert "mde_log2" in shown and "Bonferroni" in caption
    forest = dropout.forest(analyses("demo_01")).caption
    assert "one at a time" not in forest and "Bonferroni" in forest


def test_the_first_screen_is_a_superplot(analyses):
    """Every used well of a shown arm stands behind its replicates, at the GR of its own signal."""
    analysis = analyses("demo_01")
    ax = dropout.overview(analysis).figure.axes[0]
    media = [
        name
        for name, medium in analysis.experiment.config.media.items()
        if medium.role in ("dropout", "rescue")
    ]
    arms = analysis.growth[analysis.growth["medium"].isin(media)]
    drawn = sorted(
        y
        for points in ax.collections
        if points.get_zorder() == 1.5
        for y in points.get_offsets()[:, 1]
    )
    keys = ["cell_line", "medium", "replicate", "hours"]
    merged = analysis.wells.query("role == 'sample' and used").merge(
        arms[[*keys, "signal_control", "signal_0h"]], on=keys
    )
    gr = (
        2
        ** (
            np.log2(merged["signal_corrected"] / merged["signal_0h"])
            / np.log2(merged["signal_control"] / merged["signal_0h"])
        )
        - 1
    )
    assert len(drawn) == merged.shape[0] and np.allclose(drawn, sorted(gr))
    assert "well" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert ax.figure.get_figwidth() == 4.6
