"""The workbench: ipywidgets that wire controls to the functions and plots of the reports. `Workbench(path)` in a notebook's cell shows it.

One module per tab; `state` holds the open experiment and what can be undone, `parts` what all tabs share. No number is computed here.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.explore.app import Workbench

__all__ = ["Workbench"]


def __getattr__(name: str) -> Any:
    """Import on first use: the command line should not wait for widgets."""
    if name == "Workbench":
        from kit.explore.app import Workbench

        return Workbench
    raise AttributeError(f"module 'kit.explore' has no attribute {name!r}")
