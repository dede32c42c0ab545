"""settings and tables -> compliance verdicts: was the assay done as the protocol asks, and what
follows where it was not.

A check judges and changes nothing. `CHECKS` declares them all; `compliance` runs them;
`protocol_findings` says the result in sentences.
"""

from __future__ import annotations

import pandas as pd

from kit.config.model import ExperimentConfig
from kit.core.columns import check
from kit.protocol.base import Check, Evidence, Ruling, as_rows, covers
from kit.protocol.cells import CELL_CHECKS
from kit.protocol.data import DATA_CHECKS
from kit.protocol.findings import protocol_findings
from kit.protocol.media import MEDIA_CHECKS
from kit.protocol.plausible import PLAUSIBLE_CHECKS
from kit.protocol.washes import WASH_CHECKS

__all__ = ["CHECKS", "Check", "Evidence", "Ruling", "affecting", "compliance", "protocol_findings"]

CHECKS: tuple[Check, ...] = tuple(
    sorted(
        (*MEDIA_CHECKS, *CELL_CHECKS, *WASH_CHECKS, *DATA_CHECKS, *PLAUSIBLE_CHECKS),
        key=lambda item: item.id,
    )
)
"""Every check of the protocol, P01 to P30."""


def compliance(
    config: ExperimentConfig,
    wells: pd.DataFrame | None = None,
    growth: pd.DataFrame | None = None,
    carryover: pd.DataFrame | None = None,
    priors: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The contract's `compliance` table: one or more rows for each of P01 to P30, one per subject
    judged.

    `wells`, `growth` and `carryover` are the contract's tables (None where the data do not allow
    one); `priors` has `cell_line`,
    `amino_acid` and `disputed`. Further columns: `scope` (`all`, a line, an amino acid, or
    `line|amino_acid`: the calls it touches),
    `effect` (`void`: no call; `masking`: no partial or prototrophic call where it fails, none above
    provisional where it warns,
    auxotrophic calls untouched; `cap`: provisional at most; `none`), `missing` (the fields to fill
    in, where that is what is wrong).
    """
    evidence = Evidence(config, wells, growth, carryover, priors)
    rows = [row for item in CHECKS for row in as_rows(item, evidence)]
    return check(pd.DataFrame(rows), "compliance")


def affecting(table: pd.DataFrame, line: str, amino_acid: str) -> pd.DataFrame:
    """The rows of `compliance` that have an effect on the call of `line` and `amino_acid`."""
    touched = [
        effect != "none" and covers(scope, line, amino_acid)
        for scope, effect in zip(table["scope"], table["effect"], strict=True)
    ]
    return table[touched]
