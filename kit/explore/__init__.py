"""The workbench: ipywidgets that wire controls to the functions and plots of the reports. `Workbench(path)` in a notebook's cell shows it,
`beside(analysis, "Calls")` some of its tabs in a report's notebook.

One module per tab; `state` holds the open experiment and what can be undone, `parts` what all tabs share. No number is computed here.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.explore.app import Workbench
    from kit.explore.notebook import beside

__all__ = ["Workbench", "beside"]


def __getattr__(name: str) -> Any:
    """Import on first use: the command line should not wait for widgets."""
    if name == "Workbench":
        from kit.explore.app import Workbench

        return Workbench
    if name == "beside":
        from kit.explore.notebook import beside

        return beside
    raise AttributeError(f"module 'kit.explore' has no attribute {name!r}")
