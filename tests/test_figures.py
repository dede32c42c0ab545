"""Every figure can be read, with one line or with many: no text lies over another or is cut, no
colour stands for two lines.
"""

from functools import cache

import matplotlib as mpl
import pytest
from figures import cut, legends, overlaps, texts

import kit
from kit.across import pool
from kit.plots import style
from kit.report.sections import asns, assay, blots, death, dropout, protocol
from kit.simulate import synthetic

LONG = "Patient-derived line with a very long name"
OF_ANALYSIS = {
    "carryover": protocol.carryover_figure,
    "residual": lambda analysis: assay.heatmaps(analysis, "residual"),
    "controls": assay.controls,
    "drift": assay.drift,
    "replicates": assay.replicates,
    "overview": dropout.overview,
    "superplots": dropout.superplots,
    "doublings": dropout.doublings,
    "forest": dropout.forest,
    "rescue": dropout.rescue_figure,
    "certainty": dropout.certainty,
    "death": death.figures,
    "levels": blots.levels,
}
OF_STUDY = {
    "nci60": asns.nci60,
    "comparison": asns.comparison,
    "influence": asns.influence,
    "lineage": asns.lineage,
    "positions": asns.positions,
}
MANY = ("controls", "replicates", "overview", "doublings", "death", "positions")
"""Those that put all lines into one figure: drawn with forty, too."""


@cache
def analysed(count):
    """An experiment of so many lines, some of them with long names."""
    source = list(synthetic.SOURCE_LINES.items())
    lines = {}
    for index in range(count):
        name, truth = source[index % len(source)]
        long = f"{LONG} {index}" if index % 3 == 0 else f"Line-{index:02d}"
        lines[name if index < len(source) else long] = truth
    truth = synthetic.Truth(lines, seed=3, replicates=3 if count < 20 else 1)
    return kit.analyse(synthetic.experiment(truth))


ALL = (*OF_ANALYSIS, *OF_STUDY)
CASES = [(name, 1) for name in ALL] + [(name, 9) for name in MANY]
SLOW = [(name, count) for count in (4, 12) for name in ALL] + [(name, 40) for name in MANY]


@pytest.mark.parametrize(
    ("name", "count"), [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)]
)
def test_nothing_overlaps_or_is_cut(name, count):
    analysis = analysed(count)
    subject = analysis if name in OF_ANALYSIS else pool.study(analysis, "")
    drawn = {**OF_ANALYSIS, **OF_STUDY}[name](subject)
    for exhibit in drawn if isinstance(drawn, list) else [drawn]:
        found = texts(exhibit.figure)
        assert overlaps(found) == [], exhibit.name
        assert cut(found, exhibit.figure.bbox) == [], exhibit.name
        for names in legends(exhibit.figure):
            assert len(names) == len(set(names)), exhibit.name


@pytest.mark.parametrize("count", [1, 8, 9, 40])
def test_no_colour_stands_for_two_names(count):
    shades = style.colors(range(count)).values()
    assert len({mpl.colors.to_hex(shade) for shade in shades}) == count


def test_rows_of_names_are_even_and_lose_none():
    assert style.chunks(list(range(13)), 12) == [list(range(7)), list(range(7, 13))]
    assert style.chunks([], 12) == [[]]


def test_an_overlap_and_a_cut_text_are_seen():
    fig, ax = style.figure(3, 2)
    ax.set_axis_off()
    ax.text(0.5, 0.5, "one text here")
    ax.text(0.52, 0.5, "another text here")
    fig.text(0.97, 0.5, "over the edge")
    found = texts(fig)
    assert len(overlaps(found)) == 1 and cut(found, fig.bbox) == ["over the edge"]
