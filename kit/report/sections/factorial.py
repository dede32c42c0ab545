"""The factorial of two amino acids, exhibits of 02_dropout_analysis."""

from __future__ import annotations

import pandas as pd

from kit.analysis import Analysis
from kit.plates.design import at_time, read_design, untreated
from kit.plots import factorial as plots
from kit.plots import style
from kit.report.exhibits import Exhibit

SHOWN = {
    "cell_line": "line", "contrast": "against", "amino_acid_a": "first", "amino_acid_b": "second",
    "estimate": "interaction, doublings", "ci_low": "95 % low", "ci_high": "95 % high",
    "p_adjusted": "p (Holm)", "class": "class", "share": "share restored",
    "share_low": "share low", "share_high": "share high", "n_replicates": "replicates",
    "note": "in words",
}  # fmt: skip
_SHORT = {"asparagine": "Asn", "glutamine": "Gln", "serine": "Ser"}


def sentences(analysis: Analysis) -> list[str]:
    """The verdict of every line with a factorial, in words; empty without one."""
    table = analysis.interaction
    if table is None:
        return []
    told = table[table["code"].str.startswith("FACTORIAL_")]
    return [f"{row['cell_line']}: {row['note']}" for row in told.to_dict("records")]


def figures(analysis: Analysis) -> list[Exhibit]:
    """Doublings of the four arms per line; nothing where no medium lacks two amino acids."""
    growth, config = analysis.growth, analysis.experiment.config
    if growth is None or analysis.interaction is None:
        return []
    settings = config.settings
    rows = at_time(untreated(growth), settings.proliferation_h, settings.max_proliferation_offset_h)
    rows = rows.assign(y=rows["log2_fc"] + rows["control_doublings"])
    design, exhibits = read_design(config.media), []
    for both, no_a, no_b in design.factorials():
        arms = [design.control, no_a, no_b, both]
        first, second = (_SHORT.get(name, name) for name in sorted(design.taken[both]))
        names = ["complete", f"−{first}", f"−{second}", f"−{first}\n−{second}"]
        here = rows[rows["medium"].isin(arms)]
        tables = {
            str(line): part.pivot_table(index="replicate", columns="medium", values="y")
            for line, part in here.groupby("cell_line", sort=False)
        }
        lines = {line: table[arms] for line, table in tables.items() if {*arms} <= {*table}}
        if not lines:
            continue
        fig, axes = style.figure(style.WIDTH, 2.9, 1, len(lines), sharey=True)
        flat = list(axes.flat) if len(lines) > 1 else [axes]
        for ax, (line, table) in zip(flat, lines.items()):
            plots.four_arms(table, names, ax)
            ax.set_title(style.short(line), fontsize=style.FONT)
        flat[0].set_ylabel("doublings")
        caption = (
            "Points are biological replicates, black bars their means. The dashed red mark is where"
            " the medium without both would stand if the two losses added up. A mean above the mark"
            " says that the losses overlap, a mean below that they cost more together."
        )
        title = f"{first} and {second} together"
        exhibits.append(Exhibit(f"factorial_{both}", title, caption, fig))
    return exhibits


def verdicts(analysis: Analysis) -> tuple[pd.DataFrame | None, str, dict[str, str] | None]:
    """Interactions with their verdicts."""
    table = analysis.interaction
    if table is None:
        return None, "No medium lacks two amino acids, and no line has a parent here.", None
    caption = (
        "The interaction is the effect of the first amino acid without the second, less its effect"
        " with it. The share is what the first restores of the second's effect. A knockout only"
        " validates: the verdict never rests on the contrast between lines."
    )
    return table, caption, SHOWN
