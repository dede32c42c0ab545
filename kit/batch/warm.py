"""Everything a report needs, imported and tried out once: processes forked from here start warm.
Imported by the fork server only.
"""

from __future__ import annotations

import signal

SERVER = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
"""This is the fork server: its starter (`kit.batch.isolate`), whose business Ctrl-C is, holds it
back here.
"""
if SERVER:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

import atexit
import gc
import importlib
import io
import os
import pkgutil
import shutil
import sys
from multiprocessing import forkserver
from pathlib import Path

import kit.report.sections

# A grammar for internationalised addresses that jsonschema would compile for almost a second, and
# no notebook needs.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # whatever the user has

MODULES = (
    "kit.analysis", "kit.experiment.load", "kit.report.exhibits", "kit.report.page", "kit.store.store", "kit.batch.engine", "kit.batch.job", "wellmap",
    "matplotlib.pyplot", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "matplotlib_inline.backend_inline",
    "seaborn", "scipy.stats", "scipy.optimize", "papermill", "mistune", "pygments.lexers.python", "pygments.formatters.html", "psutil",
)  # fmt: skip


def _warm_up() -> None:
    sections = [
        f"kit.report.sections.{module.name}"
        for module in pkgutil.iter_modules(kit.report.sections.__path__)
    ]
    for name in (*MODULES, *sections):
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # the notebook that needs it says so
    import matplotlib

    matplotlib.rcdefaults()  # figures do not depend on the user's matplotlibrc
    _draw()
    gc.collect()
    gc.freeze()  # what lives now is never collected, so its pages stay shared with every child


def _draw() -> None:
    """One small figure: fonts are found, text shaped and the grammar of formulas built for the
    first time here.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1), layout="constrained")
    axes = figure.subplots()
    axes.set(title="µ", yscale="log")
    axes.plot([1.0, 1000.0])
    for kind in ("png", "svg"):
        figure.savefig(io.BytesIO(), format=kind)


def _clear_socket() -> None:
    """Remove the folder of the socket this server listened at: its starter does, but cannot when it
    was killed.
    """
    address = getattr(forkserver._forkserver, "_forkserver_address", None)
    if isinstance(address, str) and Path(address).parent.name.startswith("pymp-"):
        shutil.rmtree(Path(address).parent, ignore_errors=True)


_warm_up()
if SERVER:
    atexit.register(_clear_socket)
