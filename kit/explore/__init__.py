"""The workbench: ipywidgets that wire controls to the functions and plots of the reports.
`Workbench(path)` in a notebook's cell shows it,
`show_tabs(analysis, "Calls")` some of its tabs in a report's notebook.

One module per tab; `state` holds the open experiment and what can be undone, `parts` what all tabs
share. No number is computed here.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.explore.app import Workbench
    from kit.explore.notebook import show_tabs

__all__ = ["Workbench", "show_tabs"]


def __getattr__(name: str) -> Any:
    """Import on first use: the command line should not wait for widgets."""
    if name == "Workbench":
        from kit.explore.app import Workbench

        return Workbench
    if name == "show_tabs":
        from kit.explore.notebook import show_tabs

        return show_tabs
    raise AttributeError(f"module 'kit.explore' has no attribute {name!r}")
