"""What a new cell needs of an amino acid for its protein."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kit.core import reference

RESIDUE_DA = 110.0  # mean mass of an amino-acid residue in protein


def amino_acid_per_cell_fmol(
    protein_pg: ArrayLike, share_of_residues: ArrayLike
) -> NDArray[np.float64]:
    """Amino acid bound in the protein of one new cell, fmol: 1000 m share / 110 with protein mass m
    in pg.
    """
    return np.asarray(
        1000 * np.asarray(protein_pg, float) * np.asarray(share_of_residues, float) / RESIDUE_DA,
        float,
    )


@cache
def protein_demand_fmol(amino_acid: str, protein_pg: float) -> float:
    """The same with the share of the human proteome; NaN for what is no amino acid of protein.

    >>> round(protein_demand_fmol("leucine", 200), 1)
    181.3
    """
    shares = reference.table("amino_acids").set_index("name")["share_of_residues"]
    return float(amino_acid_per_cell_fmol(protein_pg, shares.get(amino_acid, float("nan"))))
