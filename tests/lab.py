"""A bench for tests of the edge: small experiment folders, and small notebooks that do what a test
wants of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PARAMETERS = """experiment: str = ""  # experiment folder
out: str = ""  # where tables and figures go
settings: str = ""  # overrides as JSON"""

CONFIG = """schema_version: 1
experiment_id: {name}
title: {title}
date: 2026-03-02
simulated: {simulated}
cell_lines: {{Jurkat: {{growth_mode: suspension}}}}
media:
  complete: {{role: control}}
  no_asn: {{role: dropout, removes: asparagine}}
plates:
  - {{plate: P1, file: raw/p1.csv, layout: layout.csv, readout: CellTiter-Glo, hours: 48, replicate: 1}}
"""

BANNER = """from types import SimpleNamespace as S
from kit.report.exhibits import Exhibits
show = Exhibits(out)
config = S(title="A title", date="2026-03-02", cell_lines=["Jurkat"])
summary = S(verdict={verdict!r}, reasons=["Edge effect 12 %."], next_actions=["Repeat."])
show.banner(summary, S(id="X", config=config))"""


def experiment(
    parent: Path, name: str, *, simulated: bool = False, title: str = "A small one", extra: str = ""
) -> Path:
    """An experiment folder with one full plate of 96 wells."""
    folder = parent / name
    (folder / "raw").mkdir(parents=True)
    text = (
        CONFIG.format(name=name, simulated=str(simulated).lower(), title=json.dumps(title)) + extra
    )
    (folder / "experiment.yaml").write_text(text, encoding="utf-8")
    rows = [
        f"{row},{','.join(str(1000 + 10 * index + column) for column in range(12))}"
        for index, row in enumerate("ABCDEFGH")
    ]
    (folder / "raw" / "p1.csv").write_text(
        "\n".join([f",{','.join(map(str, range(1, 13)))}", *rows]) + "\n", encoding="utf-8"
    )
    wells = [
        f"{row}{column},Jurkat,{'complete' if column < 7 else 'no_asn'}"
        for row in "ABCDEFGH"
        for column in range(1, 13)
    ]
    (folder / "layout.csv").write_text(
        "\n".join(["well,cell_line,medium", *wells]) + "\n", encoding="utf-8"
    )
    return folder


def notebook(
    folder: Path,
    *cells: str | tuple[str, str],
    name: str = "01_assay_qc",
    parameters: str = PARAMETERS,
) -> Path:
    """A notebook of code cells (`# text` alone is a heading; a pair is a cell with its tag) after
    the parameters cell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: list[dict[str, Any]] = [_cell(parameters, "parameters")]
    made += [_cell(*cell) if isinstance(cell, tuple) else _cell(cell) for cell in cells]
    for index, cell in enumerate(made):
        cell["id"] = f"cell-{index}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {
        "cells": made,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _cell(source: str, tag: str = "") -> dict[str, Any]:
    if source.startswith("# ") and "\n" not in source:
        return {
            "cell_type": "markdown",
            "metadata": {"tags": [tag] if tag else []},
            "source": f"#{source}",
        }
    return {
        "cell_type": "code",
        "metadata": {"tags": [tag] if tag else []},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Run a script of Python in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(condition: Callable[[], Any], what: str, seconds: float = 240.0) -> Any:
    """Wait for a condition, at most so long: the bound is for a machine that is busy with other
    things.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds:g} s in vain: {what}")


def alive(pid: int) -> bool:
    """A process of this number runs (one that ended and waits to be reaped does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def litter(out: Path) -> list[str]:
    """What a run should not leave behind."""
    return sorted(path.name for path in out.iterdir() if path.name.startswith("."))
