"""Two schematics for a report: the routes of amino acids to mTORC1, and the exchange-factor
hypothesis of asparagine.

Both are drawn on a page of 7.2 x 3 inches, in inches from the lower left, so that the letters (in
points) keep their room.
A solid arrow is a measured step, a dashed one a hypothesis, a dashed grey one with a cross a
contradicted claim.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

from kit.plots.style import AMINO_ACID, BLUE, FONT, GREY, INK, PURPLE, VERMILION, WIDTH

HEIGHT = 3.0  # inches; with WIDTH the page both schematics are drawn for
SMALL = 7.5  # points: the smallest letters
DASHES = (0, (3.5, 2.2))
MUTED = "#4A5560"  # for citations: small letters need more contrast than the palette's grey has
NEUTRAL = "#5B6770"

CAPTIONS = {
    "mtorc1_routes": (
        "Leucine and arginine reach mTORC1 at the lysosome through the Rag GTPases; glutamine and"
        " asparagine reach it without Rag, through Arf1 and the v-ATPase (Jewell et al. 2015"
        " Science 347:194; Meng et al. 2020 J Biol Chem, doi 10.1074/jbc.AC119.011578). The"
        " source's statement that glutamine needs Rag (crossed out) is contradicted; the readout"
        " phospho-S6K T389 after loss of RagA/B, or after brefeldin A (BFA), which blocks Arf1,"
        " tells the routes apart, whereas the v-ATPase also serves the Rag route."
    ),
    "exchange_factor": (
        "Solid arrows are shown: ASNS makes asparagine from aspartate and glutamine, and asparagine"
        " rescues glutamine-starved cells through protein synthesis, the alternative explanation"
        " (Pavlova et al. 2018 Cell Metab 27:428). Dashed arrows are a hypothesis: uptake of"
        " serine, arginine and histidine follows intracellular asparagine, which is read as"
        " exchange (Krall et al. 2016 Nat Commun 7:11457); the source names LAT1 (SLC7A5), a"
        " histidine and large-neutral amino acid exchanger (Scalise et al. 2018 Front Chem 6:243)"
        " whose classical exchange substrate is glutamine (Nicklin et al. 2009 Cell 136:521)."
    ),
}
"""One caption per schematic, by the name of its function."""


_TRANSPORTER = """The source names LAT1 (SLC7A5), a His / large-
neutral exchanger (Scalise 2018); its classical
exchange substrate is Gln (Nicklin 2009)"""


class Point(NamedTuple):
    """A place on the page, inches from the lower left."""

    x: float
    y: float


# ---- the schematics


def mtorc1_routes(ax: Axes) -> Axes:
    """How amino acids reach mTORC1: Leu and Arg through Rag; Gln and Asn through Arf1 and the
    v-ATPase, without Rag.

    Returns `ax`, its axes switched off. Sources: Jewell 2015 Science 347:194; Meng 2020 J Biol Chem
    (Rag-independence of Asn).
    """
    page(ax)
    middle = 1.50
    lysosome, mtorc1, readout = Point(4.15, middle), Point(4.98, middle), Point(6.52, middle)
    rag, pump, arf1 = Point(lysosome.x, 2.12), Point(lysosome.x, 0.88), Point(2.40, 0.88)
    _lysosome(ax, lysosome, 2 * (mtorc1.x - lysosome.x), rag.y - pump.y)
    for name, y in (("Leu", rag.y + 0.16), ("Arg", rag.y - 0.16)):
        pill(ax, Point(0.42, y), name, NEUTRAL)
    for name, y, color in (
        ("Gln", arf1.y + 0.16, AMINO_ACID["glutamine"]),
        ("Asn", arf1.y - 0.16, AMINO_ACID["asparagine"]),
    ):
        pill(ax, Point(0.42, y), name, color)
    box(ax, rag, "Rag GTPases", PURPLE, 1.04)
    box(ax, arf1, "Arf1", BLUE, 0.62)
    box(ax, pump, "v-ATPase", BLUE, 0.86)
    box(ax, mtorc1, "mTORC1", INK, 0.86, 0.42)
    box(ax, readout, "pS6K T389", INK, 0.98)
    note(ax, Point(readout.x, middle - 0.31), "readout")

    arrow(ax, Point(0.74, rag.y), Point(3.58, rag.y), PURPLE)
    arrow(ax, Point(0.74, arf1.y), Point(2.04, arf1.y), BLUE)
    arrow(ax, Point(2.75, arf1.y), Point(3.67, arf1.y), BLUE)
    arrow(ax, Point(4.72, rag.y), Point(5.08, middle + 0.26), PURPLE, bend=-0.42)
    arrow(ax, Point(4.63, pump.y), Point(5.08, middle - 0.26), BLUE, bend=0.42)
    arrow(ax, Point(5.46, middle), Point(5.98, middle), INK)
    _headings(ax)
    _tests(ax, rag, arf1)
    _wrong_route(ax)
    return ax


def exchange_factor(ax: Axes) -> Axes:
    """The hypothesis that exported asparagine pays for the uptake of Ser, Arg and His, beside what
    is known.

    Returns `ax`, its axes switched off. Sources: Krall 2016 (exchange), Scalise 2018 and Nicklin
    2009 (LAT1), Pavlova 2018 (alternative).
    """
    page(ax)
    membrane = 3.86
    _cell(ax, membrane)
    asn, synthesis = Point(2.25, 2.18), Point(2.25, 1.22)
    pill(ax, Point(0.42, 2.36), "Asp", NEUTRAL)
    pill(ax, Point(0.42, 2.00), "Gln", AMINO_ACID["glutamine"])
    box(ax, Point(1.32, asn.y), "ASNS", INK, 0.66)
    pill(ax, asn, "Asn", AMINO_ACID["asparagine"])
    box(ax, synthesis, "protein\nsynthesis", INK, 0.86, 0.44)
    box(ax, Point(0.62, synthesis.y), "growth", INK, 0.72)
    box(ax, Point(membrane, 1.88), "LAT1 ?", PURPLE, 0.62, 1.06, dashed=True)
    arrow(ax, Point(0.70, asn.y), Point(0.96, asn.y), INK)
    arrow(ax, Point(1.68, asn.y), Point(1.96, asn.y), INK)
    arrow(ax, Point(asn.x, 2.02), Point(asn.x, 1.48), INK)
    arrow(ax, Point(1.79, synthesis.y), Point(1.01, synthesis.y), INK)
    note(
        ax,
        Point(2.16, 1.67),
        "alternative: Asn rescues through\nprotein synthesis (Pavlova 2018)",
        align="right",
    )
    note(
        ax,
        Point(0.14, 0.84),
        "slower growth alone lowers uptake: compare per new cell",
        align="left",
    )

    outside = Point(4.94, 2.18)
    pill(ax, outside, "Asn", AMINO_ACID["asparagine"], dashed=True)
    for name, x, color in (
        ("Ser", 4.94, AMINO_ACID["serine"]),
        ("Arg", 5.50, NEUTRAL),
        ("His", 6.06, NEUTRAL),
    ):
        pill(ax, Point(x, 1.58), name, color)
    arrow(ax, Point(2.55, asn.y), Point(3.51, asn.y), PURPLE, dashed=True)
    arrow(ax, Point(4.20, outside.y), Point(4.65, outside.y), PURPLE, dashed=True)
    arrow(ax, Point(4.65, 1.58), Point(4.20, 1.58), PURPLE, dashed=True)
    arrow(ax, Point(3.51, 1.58), Point(2.72, synthesis.y), PURPLE, dashed=True, bend=-0.18)
    note(
        ax, Point(5.26, outside.y), "out, in exchange for\nSer, Arg, His (Krall 2016)", align="left"
    )
    note(ax, Point(4.36, 0.99), _TRANSPORTER, align="left")
    _grades(ax)
    return ax


# ---- parts of one schematic


def _lysosome(ax: Axes, at: Point, width: float, height: float) -> None:
    ax.add_patch(
        Ellipse(
            at, width, height, facecolor=tint(GREY, 0.10), edgecolor=GREY, linewidth=1.6, zorder=1
        )
    )
    note(ax, at, "lysosome")


def _headings(ax: Axes) -> None:
    """The name of each route, and who showed it."""
    for y, name in ((2.80, "Rag-dependent"), (0.37, "Rag-independent")):
        heading(ax, Point(0.14, y), name)
        note(ax, Point(0.14, y - 0.19), "Jewell 2015, Meng 2020", align="left")


def _tests(ax: Axes, rag: Point, arf1: Point) -> None:
    """What breaks each route: a bar instead of an arrow head."""
    arrow(ax, Point(rag.x, rag.y + 0.50), Point(rag.x, rag.y + 0.21), INK, block=True)
    note(ax, Point(rag.x, rag.y + 0.60), "test: RagA/B knock-out", INK)
    arrow(ax, Point(arf1.x, arf1.y - 0.50), Point(arf1.x, arf1.y - 0.21), INK, block=True)
    note(ax, Point(arf1.x, arf1.y - 0.60), "test: BFA blocks Arf1", INK)


def _wrong_route(ax: Axes) -> None:
    """The source's claim, struck out."""
    start, end = Point(0.74, 1.13), Point(3.58, 1.99)
    arrow(ax, start, end, GREY, dashed=True)
    at = Point(start.x + 0.34 * (end.x - start.x), start.y + 0.34 * (end.y - start.y))
    ax.plot(
        [at.x],
        [at.y],
        marker="X",
        markersize=9,
        color=VERMILION,
        markeredgecolor="white",
        markeredgewidth=0.8,
        zorder=6,
    )
    note(ax, Point(1.90, 1.33), "source says glutamine\nneeds Rag: contradicted", INK, align="left")


def _cell(ax: Axes, membrane: float) -> None:
    """The cell on the left of its membrane, the medium on the right."""
    ax.add_patch(
        Rectangle(
            (0.04, 0.70),
            membrane - 0.04,
            HEIGHT - 0.74,
            facecolor=tint(GREY, 0.10),
            edgecolor="none",
            zorder=0,
        )
    )
    for x in (membrane - 0.04, membrane + 0.04):
        ax.plot([x, x], [0.70, HEIGHT - 0.04], color=GREY, linewidth=1.4, zorder=1)
    heading(ax, Point(0.14, 2.82), "cell")
    heading(ax, Point(membrane + 0.14, 2.82), "medium")
    arrow(ax, Point(5.10, 2.82), Point(5.42, 2.82), INK)
    note(ax, Point(5.48, 2.82), "shown", INK, align="left")
    arrow(ax, Point(6.06, 2.82), Point(6.38, 2.82), PURPLE, dashed=True)
    note(ax, Point(6.44, 2.82), "hypothesis", INK, align="left")


def _grades(ax: Axes) -> None:
    """The strip of evidence grades, weakest to strongest."""
    note(ax, Point(0.14, 0.31), "evidence,\nweak to strong", INK, align="left")
    left, step_width, width, point = 1.02, 1.52, 1.47, 0.11
    for step, name in enumerate(
        ("correlative", "growth-corrected", "trans-stimulated", "transporter-dependent")
    ):
        x = left + step * step_width
        corners = [
            (x, 0.14),
            (x + width, 0.14),
            (x + width + point, 0.31),
            (x + width, 0.48),
            (x, 0.48),
            (x + point, 0.31),
        ]
        ax.add_patch(
            Polygon(corners, facecolor=tint(PURPLE, 0.10 + 0.14 * step), edgecolor="none", zorder=1)
        )
        note(ax, Point(x + (width + point) / 2, 0.31), name, INK)


# ---- marks both use


def page(ax: Axes) -> None:
    """Make one unit of data one inch of a WIDTH x HEIGHT page, with no axes drawn."""
    ax.set_axis_off()
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(0, HEIGHT)


def tint(color: str, strength: float) -> tuple[float, float, float]:
    """`color` thinned with white: 0 is white, 1 the colour itself."""
    red, green, blue = (1 - strength * (1 - channel) for channel in to_rgb(color))
    return red, green, blue


def box(
    ax: Axes,
    at: Point,
    name: str,
    color: str,
    width: float,
    height: float = 0.32,
    *,
    round_by: float = 0.07,
    dashed: bool = False,
) -> None:
    """A named rounded box centred on `at`; dashed where the thing itself is hypothetical. Sizes in
    inches.
    """
    corner = (at.x - width / 2, at.y - height / 2)
    style = f"round,pad=0,rounding_size={round_by}"
    look: dict[str, Any] = {
        "facecolor": tint(color, 0.16),
        "edgecolor": color,
        "linewidth": 1.2,
        "linestyle": DASHES if dashed else "solid",
    }
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, zorder=4, **look))
    _words(ax, at, name, FONT, INK, "center")


def pill(ax: Axes, at: Point, name: str, color: str, *, dashed: bool = False) -> None:
    """An amino acid."""
    box(ax, at, name, color, 0.48, 0.27, round_by=0.13, dashed=dashed)


def note(ax: Axes, at: Point, words: str, color: str = MUTED, *, align: str = "center") -> None:
    """Small words, middle of the line at `at`."""
    _words(ax, at, words, SMALL, color, align)


def heading(ax: Axes, at: Point, words: str) -> None:
    """Bold words that begin at `at`."""
    _words(ax, at, words, FONT, INK, "left", "bold")


def _words(
    ax: Axes, at: Point, words: str, size: float, color: str, align: str, weight: str = "normal"
) -> None:
    # One line is centred on its capitals, so that "Asn" and "Arg" stand level; the lift (in inches)
    # is a tenth of the letters.
    level, lift = ("center", 0.0) if "\n" in words else ("center_baseline", 0.1 * size / 72)
    ax.text(
        at.x,
        at.y + lift,
        words,
        fontsize=size,
        color=color,
        ha=align,
        va=level,
        fontweight=weight,
        zorder=5,
        linespacing=1.15,
    )


def arrow(
    ax: Axes,
    start: Point,
    end: Point,
    color: str,
    *,
    bend: float = 0.0,
    dashed: bool = False,
    block: bool = False,
) -> None:
    """From `start` to `end`: a head for "leads to", a bar (`block`) for "inhibits"; `bend` > 0
    curves to the right of the way.
    """
    head = "|-|,widthA=0,widthB=4" if block else "-|>,head_length=5,head_width=2.6"
    if not dashed:
        _stroke(ax, start, end, head, color, bend)
        return
    # A dashed outline would fray the head: a dashed shaft, then a short solid end along its
    # tangent.
    control = Point(
        (start.x + end.x) / 2 + bend * (end.y - start.y),
        (start.y + end.y) / 2 - bend * (end.x - start.x),
    )
    part = 0.08 / ((end.x - control.x) ** 2 + (end.y - control.y) ** 2) ** 0.5
    neck = Point(end.x - part * (end.x - control.x), end.y - part * (end.y - control.y))
    _stroke(ax, start, neck, "-", color, bend, DASHES)
    _stroke(ax, neck, end, head, color)


def _stroke(
    ax: Axes,
    start: Point,
    end: Point,
    head: str,
    color: str,
    bend: float = 0.0,
    line: Any = "solid",
) -> None:
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle=head,
            connectionstyle=f"arc3,rad={bend}",
            color=color,
            linewidth=1.4,
            linestyle=line,
            mutation_scale=1,
            shrinkA=0,
            shrinkB=0,
            zorder=3,
        )
    )
