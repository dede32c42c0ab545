"""Whether a figure can be read: its texts' boxes, as the renderer draws them, against each other
and the edge.
"""

from itertools import combinations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.legend import Legend
from matplotlib.text import Text

TOLERATED = 0.12  # share of the smaller text's box that may lie under another: ascenders, padding
EDGE_PX = 2.0


def texts(figure):
    """Every text that is drawn, with its box in pixels."""
    FigureCanvasAgg(figure).draw()
    renderer = figure.canvas.get_renderer()
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = set(axis.findobj(Text))
            if axes.axison and axes.get_visible():
                drawn = axis._update_ticks()
                ticks = {*axis.get_major_ticks(), *axis.get_minor_ticks()} - set(drawn)
                labels = {label for tick in ticks for label in (tick.label1, tick.label2)}
            hidden |= labels
    found = []
    for item in figure.findobj(Text):
        if item in hidden or not item.get_visible() or not item.get_text().strip():
            continue
        box = item.get_window_extent(renderer)
        if box.width > 0 and np.isfinite([box.x0, box.y0, box.x1, box.y1]).all():
            found.append((item, box))
    return found


def _area(box):
    return max(box.x1 - box.x0, 0) * max(box.y1 - box.y0, 0)


def overlaps(found):
    """Pairs of texts that lie over each other; `found` as from `texts`."""
    pairs = []
    for (a, one), (b, two) in combinations(found, 2):
        width = min(one.x1, two.x1) - max(one.x0, two.x0)
        height = min(one.y1, two.y1) - max(one.y0, two.y0)
        if width <= 0 or height <= 0:
            continue
        slanted = a.get_rotation() % 90 or b.get_rotation() % 90  # its box is mostly empty
        smaller = min(_area(one), _area(two))
        if not slanted and width * height > TOLERATED * smaller:
            pairs.append((a.get_text(), b.get_text()))
    return pairs


def cut(found, edge):
    """Texts that reach over the figure's edge, its bounding box."""
    return [
        item.get_text()
        for item, box in found
        if box.x0 < edge.x0 - EDGE_PX
        or box.y0 < edge.y0 - EDGE_PX
        or box.x1 > edge.x1 + EDGE_PX
        or box.y1 > edge.y1 + EDGE_PX
    ]


def legends(figure):
    """Names of each legend."""
    return [[text.get_text() for text in legend.get_texts()] for legend in figure.findobj(Legend)]
