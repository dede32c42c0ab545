"""The workbench: ipywidgets that wire controls to the functions and plots of the reports. `Workbench(path)` in a notebook's cell shows it.

One module per tab; `state` holds the open experiment and what can be undone, `parts` what all tabs share. No number is computed here.
"""

from kit.explore.app import Workbench

__all__ = ["Workbench"]
