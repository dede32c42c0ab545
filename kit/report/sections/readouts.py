"""ATP against counts, an exhibit of 02_dropout_analysis."""

from __future__ import annotations

from kit.analysis import Analysis
from kit.plots import growth as plots
from kit.plots import style
from kit.report.exhibits import Exhibit, Tabled, tabled

SHOWN = {"cell_line": "line", "medium": "medium", "replicate": "replicate", "readout_signal": "signal", "gr_signal": "GR of signal", "readout_count": "count",
         "gr_count": "GR of count", "mean_difference": "mean difference", "agrees": "agrees"}  # fmt: skip


def figures(analysis: Analysis) -> list[Exhibit]:
    """GR of the signal on GR of the counts; nothing where no cells were counted."""
    table, settings = analysis.readout_agreement, analysis.experiment.settings
    if table is None:
        return []
    fig, ax = style.figure(4.4, 3.4)
    plots.agreement(table, settings, ax)
    caption = (
        "Markers are biological replicates, each medium named where it lies outside the band. The"
        " band is the accepted difference; outside it (mean over replicates) the call rests on"
        " counts."
    )
    return [
        Exhibit("readout_agreement_figure", "GR by ATP and by counts", caption, fig, data=False)
    ]


@tabled("readout_agreement")
def agreement(analysis: Analysis) -> Tabled:
    """The table of both readouts with its caption."""
    table, limit = (
        analysis.readout_agreement,
        analysis.experiment.settings.max_readout_disagreement_gr,
    )
    if table is None:
        return (
            None,
            (
                "Cells or nuclei were not counted beside the signal, so that its GR could not be"
                " checked against counts."
            ),
        )
    bad = table[~table["agrees"].astype(bool)]
    found = (
        "Signal and counts agree everywhere."
        if bad.empty
        else "Where they disagree, the call rests on counts and stays provisional."
    )
    return (
        table[list(SHOWN)].rename(columns=SHOWN),
        f"Accepted mean difference: {limit:g} GR (max_readout_disagreement_gr). {found}",
    )
