"""What a report's manifest says: of the kit and its libraries, of an analysis, of what went wrong."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import kit
from kit.store import reportfolder

PACKAGES = (
    "numpy", "pandas", "scipy", "matplotlib", "seaborn", "pyarrow", "pydantic", "wellmap", "python-calamine", "openpyxl", "flowio", "flowutils",
    "tifffile", "imagecodecs", "ruamel.yaml", "ipython", "ipykernel", "papermill", "nbclient", "nbformat", "jinja2", "mistune", "pygments",
)  # fmt: skip

Manifest = dict[str, Any]
_CALL = ("cell_line", "amino_acid", "call", "confidence", "gr")


def begun(name: str, folder: str, recipe: str, settings: Mapping[str, Any]) -> Manifest:
    """The manifest of an experiment of which nothing is known yet."""
    return {
        "experiment_id": name,
        "status": "failed",
        "verdict": "fail",
        "reasons": [],
        "codes": [],
        "problems": [],
        "kit_version": kit.__version__,
        "python": sys.version.split()[0],
        "packages": packages(),
        "settings": dict(settings),
        "seed": None,
        "inputs": [],
        "notebooks": [],
        "started": _now().isoformat(),
        "seconds": 0.0,
        "simulated": False,
        "title": "",
        "date": None,
        "cell_lines": [],
        "calls": [],
        "next_actions": [],
        "recipe": recipe,
        "source": folder,
    }


def of_analysis(analysis: Any) -> Manifest:
    """What it says of an experiment that could be analysed: the verdict, its reasons, the calls."""
    experiment, summary = analysis.experiment, analysis.summary
    config, settings = experiment.config, experiment.settings.model_dump(mode="json")
    return {
        "status": "ok",
        "verdict": summary.verdict,
        "reasons": list(summary.reasons),
        "codes": list(summary.codes),
        "labels": analysis.labels.known,
        "next_actions": list(summary.next_actions),
        "calls": [] if analysis.calls is None else _calls(analysis.calls),
        "mtorc1": {}
        if analysis.mtorc1_divergence is None
        else _classes(analysis.mtorc1_divergence),
        "simulated": bool(config.simulated),
        "title": config.title,
        "date": str(config.date) if config.date else None,
        "cell_lines": list(config.cell_lines),
        "settings": settings,
        "seed": settings.get("seed"),
        "inputs": [{"path": item.path, "sha256": item.sha256} for item in experiment.inputs],
    }


def _calls(table: Any) -> list[dict[str, str]]:
    """What the index shows of the calls, as text."""
    rows = table[list(_CALL)].astype(object)
    return list(rows.where(rows.notna(), "").astype(str).to_dict("records"))


def _classes(table: Any) -> dict[str, str]:
    """Class of each amino acid towards mTORC1, empty where there is none."""
    return dict(zip(table["stimulus"], table["class"], strict=True))


def spoil(manifest: Manifest, problems: Sequence[str], fault: str = "") -> Manifest:
    """Say that the report is not what it should be, and why. A `fault` of the moment says nothing
    of the data.
    """
    manifest |= {"status": "failed", "verdict": "fail"}
    manifest["problems"] = [*manifest["problems"], *problems]
    manifest["reasons"] = [*problems, *manifest["reasons"]]
    if fault in reportfolder.TRANSIENT:
        manifest["fault"] = fault
    return manifest


def timed(manifest: Manifest) -> Manifest:
    """The manifest with the seconds since the report was begun."""
    since = dt.datetime.fromisoformat(manifest["started"])
    return manifest | {"seconds": round((_now() - since).total_seconds(), 3)}


@functools.cache
def packages() -> dict[str, str]:
    """Versions of the libraries the numbers and pages depend on."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
