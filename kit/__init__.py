"""Amino-acid dropout analysis kit.

readers + layout + config -> tidy -> quality -> growth / apoptosis / western -> effects -> calls / asns
-> plots -> exhibits -> report -> store
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Analysis", "Experiment", "InputError", "analyse", "load"]

if TYPE_CHECKING:
    from kit.analysis import Analysis, analyse
    from kit.errors import InputError
    from kit.experiment import Experiment, load

_HOMES = {"load": "experiment", "Experiment": "experiment", "analyse": "analysis", "Analysis": "analysis", "InputError": "errors"}


def __getattr__(name: str) -> Any:
    """Import on first use: `kit --help` should not wait for pandas."""
    import importlib

    if name in _HOMES:
        return getattr(importlib.import_module(f"kit.{_HOMES[name]}"), name)
    try:
        return importlib.import_module(f"kit.{name}")
    except ModuleNotFoundError:
        raise AttributeError(f"module 'kit' has no attribute {name!r}") from None
