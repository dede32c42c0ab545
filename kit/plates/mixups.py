"""Failed plates -> what would explain them: another layout of the experiment, or the plate turned by
180 degrees. The kit names what fits and never applies it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from kit.config.model import ExperimentConfig
from kit.core.findings import Finding
from kit.core.wells import PLATES, plate_shape
from kit.plates.design import untreated_rows
from kit.plates.metrics import z_prime

PLACE = ["row", "column"]
ROLES = ["role", "cell_line", "medium", "agent", "concentration"]
MIN_WELLS = 3


def mixup_findings(
    wells: pd.DataFrame, qc: pd.DataFrame, config: ExperimentConfig
) -> list[Finding]:
    """One finding for each plate whose Z' is below 0 and that passes under another reading.

    wells: the contract's `wells`; qc: its `plate_qc`. The reading with the highest Z' is named.
    """
    low = qc[qc["metric"].eq("z_prime") & qc["value"].lt(0)]
    found = []
    for plate in dict.fromkeys(low["plate"]):
        stands = float(low.loc[low["plate"].eq(plate), "value"].min())
        readings = [(z, said) for z, said in _readings(wells, str(plate), config) if pd.notna(z)]
        fits, said = max(readings, key=lambda reading: reading[0], default=(float("nan"), {}))
        if fits >= config.settings.min_z_prime:
            code = "PLATE_OTHER_LAYOUT" if said else "PLATE_TURNED"
            values = {"fits": fits, "stands": stands, **said}
            found.append(Finding(code, "fail", str(plate), values))
    return found


def _readings(
    wells: pd.DataFrame, plate: str, config: ExperimentConfig
) -> Iterator[tuple[float, dict[str, str]]]:
    """Z' of a plate turned, and under each other layout of the experiment."""
    mine = wells[wells["plate"].eq(plate)]
    rows, columns = plate_shape((*mine[PLACE].itertuples(index=False, name=None),)) or PLATES[-1]
    signals = mine[[*PLACE, "signal"]]
    turned = signals.assign(row=rows + 1 - signals["row"], column=columns + 1 - signals["column"])
    own = mine[[*PLACE, *ROLES]]
    yield _separation(turned, own, config), {}
    tried = [own]
    for other, part in wells[wells["plate"].ne(plate)].groupby("plate", sort=False):
        layout = part[[*PLACE, *ROLES]]
        if any(_same(layout, known) for known in tried):
            continue
        tried.append(layout)
        hours = part["hours"].iloc[0], mine["hours"].iloc[0]
        times = f", as they are of {hours[0]:g} h and {hours[1]:g} h" * int(hours[0] != hours[1])
        said = {"other": str(other), "times": times}
        yield _separation(signals, layout, config), said


def _same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two layouts give the same treatment to the same wells."""
    keys = [*PLACE, "role", "medium"]
    first, second = (
        frame[keys].sort_values(PLACE).reset_index(drop=True) for frame in (one, other)
    )
    return first.astype(str).equals(second.astype(str))


def _separation(signals: pd.DataFrame, layout: pd.DataFrame, config: ExperimentConfig) -> float:
    """The lowest Z' over the lines of a layout when these signals stand in its wells."""
    placed = layout.merge(signals, on=PLACE).dropna(subset=["signal"])
    killed = placed["role"].eq("kill")
    values = []
    control = untreated_rows(
        placed[placed["role"].eq("sample") & placed["medium"].eq(config.control_name)]
    )
    for line, rows in control.groupby("cell_line", sort=False):
        low = placed[killed & placed["cell_line"].isin([line, ""])]
        low = low if len(low) else placed[placed["role"].eq("blank")]
        if min(len(rows), len(low)) < MIN_WELLS:
            return float("nan")
        values.append(float(z_prime(rows["signal"].to_numpy(float), low["signal"].to_numpy(float))))
    return min(values, default=float("nan"))
