"""Amino-acid dropout analysis kit: one import, one line a step.

    experiment = kit.load("EXP-2026-014")   # folder -> checked Experiment
    analysis = kit.analyse(experiment)      # Experiment -> every table
    analysis.calls                          # the same table as the report's
    kit.store.read("reports", "calls")      # the calls of all reports in a folder

The packages stand in the order of the data: readers and config, plates, flow, western and asns,
protocol, effects, calls, analysis, report, batch, explore, cli.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Analysis",
    "Experiment",
    "InputError",
    "analyse",
    "exchange_rate",
    "fit_curve",
    "gr_value",
    "growth_rate",
    "load",
    "open_notebook",
    "potency_ratio",
    "robust_z_prime",
    "ssmd",
    "z_prime",
]

if TYPE_CHECKING:
    from kit.analysis import Analysis, analyse
    from kit.core.errors import InputError
    from kit.dose.curve import fit_curve, potency_ratio
    from kit.exchange.rates import exchange_rate
    from kit.experiment.load import Experiment, load
    from kit.plates.growth import gr_value
    from kit.plates.metrics import robust_z_prime, ssmd, z_prime
    from kit.report.notebook import open_notebook
    from kit.timecourse.rates import growth_rate

_HOMES = {
    "load": "experiment.load",
    "Experiment": "experiment.load",
    "analyse": "analysis",
    "Analysis": "analysis",
    "InputError": "core.errors",
    "exchange_rate": "exchange.rates",
    "fit_curve": "dose.curve",
    "potency_ratio": "dose.curve",
    "gr_value": "plates.growth",
    "growth_rate": "timecourse.rates",
    "open_notebook": "report.notebook",
    "z_prime": "plates.metrics",
    "robust_z_prime": "plates.metrics",
    "ssmd": "plates.metrics",
}
_MODULES = {"growth": "plates.growth", "quality": "plates.quality"}


def __getattr__(name: str) -> Any:
    """Import on first use: `kit --help` should not wait for pandas."""
    import importlib

    if name in _HOMES:
        return getattr(importlib.import_module(f"kit.{_HOMES[name]}"), name)
    module = f"kit.{_MODULES.get(name, name)}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise AttributeError(f"module 'kit' has no attribute {name!r}") from None
