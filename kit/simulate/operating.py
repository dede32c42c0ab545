"""Error rates, coverage and power of the mTORC1 classes, from simulated assays with planted truth:
`python -m kit.simulate.operating`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kit.config.settings import Settings
from kit.signaling import names
from kit.signaling.activation import activation, less, model_of
from kit.signaling.power import Truth, class_chances, simulated_arms
from kit.simulate.synthetic_signaling import TRUTH

BIOLOGICAL_SD = 0.1
POWER_CELLS = ((0.2, 3), (0.3, 3), (0.3, 4), (0.3, 5), (0.5, 6))
"""(SD of a lane, experiments) of the power table."""
ERROR_CELLS = ((0.2, 3), (0.3, 3), (0.5, 3), (0.3, 5), (0.5, 5))
INDEPENDENT = ("rag_independent", "rag_independent_arf1")


def published() -> dict[str, Truth]:
    """stimulus -> the activations of the simulated example."""
    wild, knock, blocked = (
        TRUTH[arm] for arm in ("WT, vehicle", "RagAB_KO, vehicle", "RagAB_KO, BFA")
    )
    return {name: Truth(wild[name], knock[name], blocked[name]) for name in wild if name != "all"}


def mtorc1_power(n: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Share of assays in which Leu is called Rag-dependent, and Gln and Asn independent."""
    rows = []
    for sd, experiments in POWER_CELLS:
        chances = class_chances(
            published(),
            experiments,
            sd,
            Settings(),
            biological_sd=BIOLOGICAL_SD,
            draws=n,
            seed=seed,
        )
        rows.append(
            {
                "lane_sd": sd,
                "n_experiments": experiments,
                "Leu": chances["Leu"].get("rag_dependent", 0.0),
                "Gln": _independent(chances["Gln"]),
                "Asn": _independent(chances["Asn"]),
            }
        )
    return pd.DataFrame(rows)


def mtorc1_errors(n: int = 2000, seed: int = 0) -> pd.DataFrame:
    """At a true RDI of one half: share called Rag-dependent, share called independent, and coverage
    of the 95 % Fieller interval.
    """
    rows = []
    truths = {str(k): Truth(a, a / 2, 0.1) for k, a in enumerate((2.0, 1.8, 1.6, 1.4))}
    for sd, experiments in ERROR_CELLS:
        options = {"biological_sd": BIOLOGICAL_SD, "draws": n, "seed": seed}
        chances = class_chances(truths, experiments, sd, Settings(), **options).values()
        y = simulated_arms(truths, experiments, sd, **options)
        rows.append(
            {
                "lane_sd": sd,
                "n_experiments": experiments,
                "dependent at RDI 0.5": np.mean([c.get("rag_dependent", 0.0) for c in chances]),
                "independent at RDI 0.5": np.mean([_independent(c) for c in chances]),
                "coverage of RDI": np.mean([_holds(draw) for draw in y]),
            }
        )
    return pd.DataFrame(rows)


def _independent(chances: dict[str, float]) -> float:
    return sum(chances.get(name, 0.0) for name in INDEPENDENT)


def _holds(y: np.ndarray) -> bool:
    """Whether the interval of the first stimulus holds the true RDI of one half."""
    wt, ko = names.WILD_TYPE, names.KNOCK_OUT
    groups = ((wt, names.VEHICLE), (ko, names.VEHICLE), (ko, "BFA"))
    stimuli = (names.STARVED, "Leu", *(f"noise {k}" for k in range(y.shape[1] + 30)))
    arms = [(*group, stimulus) for stimulus in stimuli for group in groups][: y.shape[1]]
    fitted = model_of(range(len(y)), arms, y)
    wild, knock = (activation(g, names.VEHICLE, "Leu") for g in (wt, ko))
    found = fitted.ratio(less(wild, knock), wild)
    return bool(found.low <= 0.5 <= found.high)


def main() -> None:
    """Print both tables."""
    for title, table in (
        ("Power by lane SD and experiments", mtorc1_power()),
        ("Errors at a true RDI of one half", mtorc1_errors()),
    ):
        print(f"\n{title}\n{table.round(3).to_string(index=False)}")


if __name__ == "__main__":
    main()
