"""report.html -> report.pdf, printed by an installed Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from kit.core.errors import InputError, Problem

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
SECONDS = 120.0
AS_ROOT = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
"""Chromium refuses to run as root with its sandbox, as in a container."""


def browser() -> str:
    """The first of BROWSERS on the path. Raises InputError where there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        what = "no Chromium, Chrome or Edge was found"
        remedy = (
            "Install Chromium, or open report.html in any browser and print it to a file (A4 or"
            " Letter, with background graphics)."
        )
        raise InputError(Problem("--pdf", "", what, remedy))
    return found


def write(folder: Path) -> Path:
    """Print `folder`/report.html to `folder`/report.pdf; returns the path.

    Raises InputError when there is no browser, or it makes no file.
    """
    source, target = folder / "report.html", folder / "report.pdf"
    with tempfile.TemporaryDirectory(prefix="kit-pdf-") as profile:
        made = Path(profile) / "report.pdf"
        command = [
            browser(), "--headless", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", *AS_ROOT, f"--user-data-dir={profile}",
            "--no-pdf-header-footer", f"--print-to-pdf={made}", source.resolve().as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
            shutil.move(made, target)
        except (OSError, subprocess.SubprocessError) as error:
            what = f"the browser made no PDF ({type(error).__name__})"
            remedy = "Open report.html in a browser and print it to a file."
            raise InputError(Problem(str(target), "", what, remedy)) from None
    return target
