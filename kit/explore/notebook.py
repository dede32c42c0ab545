"""The workbench's tabs inside a report's notebook, where a person sits at it; nothing where a run
makes a report. Light to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.analysis import Analysis


def show_tabs(analysis: Analysis, *tabs: str) -> Any | None:
    """Tabs of the workbench by title (Plates, Growth, Calls, ASNS ...) on this very analysis, or
    None where nobody could use them.

    As the last line of a cell it shows them. What is changed in them is saved as in the workbench;
    the notebook's own figures follow when
    its cells run again.
    """
    if not somebody_is_there():
        return None
    from kit.explore.app import Beside

    return Beside(analysis, tabs)


def somebody_is_there() -> bool:
    """Whether the running cell was sent by a page at which a person sits.

    A request to run a cell says whether its sender could answer a question (`allow_stdin` of the
    messaging protocol): JupyterLab and
    editors say yes; papermill, nbconvert, nbval and voila say no; the batch runs cells without a
    kernel, so without a request.
    """
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    request = {} if kernel is None else kernel.get_parent()
    return bool(request.get("content", {}).get("allow_stdin", False))
