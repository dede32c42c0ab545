"""The label of each medium: the one that is given, or one made from its role and composition."""

from __future__ import annotations

from collections import Counter

from kit.config.model import ExperimentConfig, Medium
from kit.core.findings import number
from kit.core.labels import Labels

SHORT = {
    "asparagine": "Asn", "glutamine": "Gln", "serine": "Ser", "glycine": "Gly", "aspartate": "Asp",
    "glutamate": "Glu", "arginine": "Arg", "leucine": "Leu", "cysteine": "Cys",
    "methionine": "Met", "proline": "Pro", "alanine": "Ala", "histidine": "His",
    "isoleucine": "Ile", "lysine": "Lys", "phenylalanine": "Phe", "threonine": "Thr",
    "tryptophan": "Trp", "tyrosine": "Tyr", "valine": "Val",
}  # fmt: skip
"""The three letters of each amino acid."""


def media_labels(config: ExperimentConfig) -> dict[str, str]:
    """Medium -> label, such as "complete", "−Asn" or "−Asn +Asn 100 µM". Media whose labels would
    be the same carry their names behind them.
    """
    control = config.media.get(config.control_name)
    found = {
        name: medium.label or _label(name, medium, control) for name, medium in config.media.items()
    }
    often = Counter(found.values())
    plain = {name: name.replace("_", " ") for name in found}
    return {
        name: label if often[label] == 1 else f"{label} ({plain[name]})"
        for name, label in found.items()
    }


def labels_of(config: ExperimentConfig) -> Labels:
    """The labels of an experiment's media."""
    return Labels(media_labels(config))


def _label(name: str, medium: Medium, control: Medium | None) -> str:
    """Label from the role: what is taken away, what is added and how much."""
    again = "".join(
        f" +{SHORT[acid]} every {number(hours)} h" for acid, hours in medium.refeeds.items()
    )
    if medium.role == "control":
        return f"complete{again}"
    if medium.role == "dropout" and medium.removes:
        return _without(str(medium.removes).split("+")) + again
    if medium.role == "rescue" and medium.restores:
        restored = str(medium.restores).split("+")
        lacking = [acid for acid in SHORT if control and _lacks(medium, control, acid)]
        added = " ".join(_with(acid, medium.amount_uM(acid)) for acid in restored)
        return f"{_without(lacking or restored)} {added}{again}"
    if medium.role == "other" and control and not medium.inducer:
        differing = [acid for acid in SHORT if _differs(medium, control, acid)]
        if differing:
            return " ".join(_with(acid, medium.amount_uM(acid)) for acid in differing)[1:] + again
    return name.replace("_", " ")


def _differs(medium: Medium, control: Medium, acid: str) -> bool:
    amounts = medium.amount_uM(acid), control.amount_uM(acid)
    return None not in amounts and amounts[0] != amounts[1]


def _lacks(medium: Medium, control: Medium, acid: str) -> bool:
    return medium.amount_uM(acid) == 0 and bool(control.amount_uM(acid))


def _without(acids: list[str]) -> str:
    return " ".join(f"−{SHORT[acid]}" for acid in SHORT if acid in acids)


def _with(acid: str, amount_uM: float | None) -> str:
    return f"+{SHORT[acid]}" + ("" if amount_uM is None else f" {number(amount_uM)} µM")
