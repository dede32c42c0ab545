"""The schematics are legible: every word has its own room at the size of a page, and says what the
literature says.
"""

import itertools
import re

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.transforms import Bbox

from kit.plots import pathways, style

SCHEMATICS = {"mtorc1_routes": pathways.mtorc1_routes, "exchange_factor": pathways.exchange_factor}
WORDS = {
    "mtorc1_routes": (
        "Leu", "Arg", "Gln", "Asn", "Rag GTPases", "Arf1", "v-ATPase", "mTORC1", "lysosome", "pS6K T389", "BFA", "RagA/B knock-out",
        "Rag-dependent", "Rag-independent", "Jewell 2015", "Meng 2020", "source says glutamine needs Rag: contradicted",
    ),
    "exchange_factor": (
        "Asp", "Gln", "ASNS", "Asn", "Ser", "Arg", "His", "LAT1 ?", "SLC7A5", "protein synthesis", "hypothesis", "shown", "alternative",
        "Krall 2016", "Scalise 2018", "Nicklin 2009", "Pavlova 2018",
        "correlative", "growth-corrected", "trans-stimulated", "transporter-dependent",
    ),
}  # fmt: skip
GAP = 1.0  # points kept free around every word
STRIP = 0.2  # inches a report may take from the foot of a figure for its marks


class Drawn:
    """A schematic laid out at a size, with the extents of what stands on it in points."""

    def __init__(self, name, width=style.WIDTH, height=3.0, foot=0.0):
        self.fig, self.ax = style.figure(width, height)
        self.returned = SCHEMATICS[name](self.ax)
        self.fig.get_layout_engine().set(rect=(0, foot / height, 1, 1 - foot / height))
        self.fig.set_dpi(72)  # one dot is one point
        self.renderer = FigureCanvasAgg(self.fig).get_renderer()
        self.fig.draw(self.renderer)
        self.texts = [text for text in self.ax.texts if text.get_text()]

    def extent(self, artist):
        return artist.get_window_extent(self.renderer)

    def words(self):
        """(words, extent) of every text."""
        return [(text.get_text(), self.extent(text)) for text in self.texts]

    def patches(self, kind):
        return [patch for patch in self.ax.patches if isinstance(patch, kind)]

    def track(self, arrow):
        """Points along the outline of an arrow, shaft first, at most a point or so apart."""
        outline = arrow.get_path().transformed(arrow.get_transform()).to_polygons(closed_only=False)
        pieces = [np.linspace(a, b, 200) for line in outline for a, b in itertools.pairwise(line)]
        return np.vstack(pieces)

    def shafts(self):
        """Arrows but for the short solid ends of dashed ones."""
        return [
            arrow
            for arrow in self.patches(FancyArrowPatch)
            if np.ptp(self.track(arrow), axis=0).max() > 10
        ]

    def box(self, words):
        """The boxes that hold `words`."""
        inside = [at for said, at in self.words() if said == words]
        return [
            patch
            for patch in self.patches(FancyBboxPatch)
            if any(within(at, self.extent(patch)) for at in inside)
        ]

    def from_box(self, words):
        """Shafts that begin within 12 points of the box that holds `words`."""
        starts = [(arrow, self.track(arrow)[0]) for arrow in self.shafts()]
        return [
            arrow
            for arrow, start in starts
            if any(padded(self.extent(box), 12).contains(*start) for box in self.box(words))
        ]


@pytest.fixture(
    scope="module", params=[(name, foot) for name in SCHEMATICS for foot in (0.0, STRIP)], ids=str
)
def drawn(request):
    name, foot = request.param
    return name, Drawn(name, foot=foot)


def flat(texts):
    return " | ".join(re.sub(r"\s+", " ", text.get_text()) for text in texts)


def padded(box, by):
    return Bbox.from_extents(box.x0 - by, box.y0 - by, box.x1 + by, box.y1 + by)


def within(inner, outer):
    return (
        inner.x0 >= outer.x0
        and inner.y0 >= outer.y0
        and inner.x1 <= outer.x1
        and inner.y1 <= outer.y1
    )


def contrast(one, other):
    """Contrast ratio of two colours (WCAG 2.1 relative luminance), 1 to 21."""
    light = []
    for color in (one, other):
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)
        ]
        light.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(light) + 0.05) / (min(light) + 0.05)


def test_returns_its_axes_with_nothing_but_the_drawing(drawn):
    _, page = drawn
    assert page.returned is page.ax
    assert not page.ax.axison
    assert not page.ax.images


def test_says_what_it_must(drawn):
    name, page = drawn
    said = flat(page.texts)
    assert [words for words in WORDS[name] if words not in said] == []


def test_no_text_overlaps_another(drawn):
    _, page = drawn
    pairs = itertools.combinations(page.words(), 2)
    assert [(a, b) for (a, at), (b, bt) in pairs if padded(at, GAP).overlaps(padded(bt, GAP))] == []


def test_everything_is_inside_the_axes(drawn):
    _, page = drawn
    room = page.ax.get_window_extent(page.renderer)
    assert [words for words, at in page.words() if not within(at, room)] == []
    assert [
        patch for patch in page.ax.patches if not within(page.extent(patch), padded(room, 0.1))
    ] == []


def test_no_text_crosses_the_edge_of_a_box(drawn):
    """Each word is wholly in a box or wholly out of it, and every box holds exactly one text."""
    _, page = drawn
    for patch in page.patches(FancyBboxPatch):
        edge = page.extent(patch)
        held = [words for words, at in page.words() if within(padded(at, GAP), edge)]
        near = [words for words, at in page.words() if padded(at, GAP).overlaps(edge)]
        assert len(held) == 1
        assert near == held


def test_boxes_do_not_overlap(drawn):
    _, page = drawn
    boxes = [page.extent(patch) for patch in page.patches(FancyBboxPatch)]
    assert len(boxes) >= 9
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_no_arrow_runs_through_a_text_or_a_box(drawn):
    _, page = drawn
    obstacles = [padded(at, GAP) for _, at in page.words()] + [
        page.extent(patch) for patch in page.patches(FancyBboxPatch)
    ]
    arrows = page.patches(FancyArrowPatch)
    assert len(arrows) >= 8
    for arrow in arrows:
        x, y = page.track(arrow).T
        hit = [
            box
            for box in obstacles
            if np.any((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1))
        ]
        assert not hit, (arrow, hit)


def test_letters_are_large_and_dark_enough(drawn):
    """At least 7.5 points, and 4.5:1 (WCAG AA) against the darkest ground any of them stands on."""
    _, page = drawn
    assert min(text.get_fontsize() for text in page.texts) >= 7.5
    for text in page.texts:
        middle = page.extent(text).get_points().mean(axis=0)
        under = [patch.get_facecolor()[:3] for patch in page.ax.patches
                 if not isinstance(patch, FancyArrowPatch) and page.extent(patch).contains(*middle)]  # fmt: skip
        assert all(contrast(text.get_color(), ground) >= 4.5 for ground in [*under, "white"]), text


def test_amino_acids_keep_the_colours_of_the_report(drawn):
    """The outline of each amino acid is that of the other figures, so that a reader need not learn
    two keys.
    """
    name, page = drawn
    for short, long in (("Asn", "asparagine"), ("Gln", "glutamine"), ("Ser", "serine")):
        edges = [patch.get_edgecolor()[:3] for patch in page.box(short)]
        assert edges == [to_rgb(style.AMINO_ACID[long])] * len(edges)
        assert edges or (name, short) == ("mtorc1_routes", "Ser")


def dashed(patch):
    return patch.get_linestyle() not in ("-", "solid")


def test_the_exchange_is_drawn_as_a_hypothesis_and_synthesis_as_known():
    page = Drawn("exchange_factor")
    for hypothetical in ("LAT1 ?", "Ser"):
        assert page.from_box(hypothetical) and all(map(dashed, page.from_box(hypothetical)))
    assert all(map(dashed, page.box("LAT1 ?")))
    for known in ("ASNS", "Gln", "protein\nsynthesis"):
        assert page.from_box(known) and not any(map(dashed, page.from_box(known)))
    assert sorted(map(dashed, page.from_box("Asn"))) == [
        False,
        True,
    ]  # protein synthesis is known, export is not


def test_only_the_wrong_route_is_dashed_among_the_routes_and_it_is_crossed():
    page = Drawn("mtorc1_routes")
    wrong = [arrow for arrow in page.shafts() if dashed(arrow)]
    assert len(wrong) == 1 and wrong[0] in page.from_box("Gln")
    crosses = [line for line in page.ax.lines if line.get_marker() == "X"]
    assert len(crosses) == 1
    at = page.ax.transData.transform(np.column_stack(crosses[0].get_data()))[0]
    assert np.min(np.hypot(*(page.track(wrong[0]) - at).T)) < 1.0


@pytest.mark.parametrize("name", SCHEMATICS)
def test_caption_is_short_and_cites(name):
    caption = pathways.CAPTIONS[name]
    cited = {
        "mtorc1_routes": ("Jewell", "Meng"),
        "exchange_factor": ("Krall", "Scalise", "Nicklin", "Pavlova"),
    }[name]
    assert all(re.search(rf"{who} et al\.\s+20\d\d", caption) for who in cited)
    assert len(caption.split()) <= 90
    assert caption.endswith(".")


def test_captions_match_the_functions():
    assert set(pathways.CAPTIONS) == set(SCHEMATICS)


def test_the_same_picture_each_time(tmp_path):
    """Two drawings give the same bytes, as the report's hashes need."""
    with rc_context({"svg.hashsalt": "x"}):
        for name in SCHEMATICS:
            for turn in range(2):
                page = Drawn(name)
                page.fig.savefig(tmp_path / f"{name}{turn}.svg", metadata={"Date": None})
            assert (tmp_path / f"{name}0.svg").read_bytes() == (
                tmp_path / f"{name}1.svg"
            ).read_bytes()
