"""`kit explore`: the workbench notebook in JupyterLab, or with --app as a page without code."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kit.core.errors import InputError, Problem
from kit.core.paths import share

NOTEBOOK, TEMPLATE = "explore.ipynb", "asn_dropout_kit"


def explore(
    experiment: str | None = None, *, app: bool = False, options: Sequence[str] = ()
) -> int:
    """Open the workbench on an experiment folder (or a folder of them); returns the server's exit
    status.

    The notebook is copied to a folder of the user's own, so that running it changes nothing in the
    kit. `options` go to the server.
    """
    environment = dict(os.environ)
    if experiment:
        folder = Path(experiment).expanduser().resolve()
        if not folder.is_dir():
            raise InputError(
                Problem(
                    experiment,
                    "",
                    "is not a folder",
                    "Name an experiment folder, or a folder of experiments.",
                )
            )
        environment["KIT_EXPERIMENT"] = str(folder)
    environment.setdefault("KIT_REPORTS", str(Path.cwd() / "reports"))
    home = own_folder()
    return _become(
        command(_copied(share() / "notebooks" / NOTEBOOK, home / "asn-dropout-kit"), app, options),
        environment,
    )


def _become(server: list[str], environment: dict[str, str]) -> int:
    """Run the server in the place of this process, so that ending the one ends the other; where
    that cannot be, wait for it.
    """
    sys.stdout.flush()
    os.chdir(own_folder())  # Jupyter runs configuration files of the folder it is started in
    environment = {**environment, "PYTHONSAFEPATH": "1"}  # and Python its modules
    if os.name == "posix":
        os.execve(server[0], server, environment)
    return subprocess.call(server, env=environment)


def command(notebook: Path, app: bool, options: Sequence[str] = ()) -> list[str]:
    """What is run. Raises InputError where the server is not installed."""
    module = "voila" if app else "jupyterlab"
    if importlib.util.find_spec(module) is None:
        raise InputError(
            Problem(
                "kit explore",
                "",
                f"{module} is not installed",
                f"Install it: python -m pip install {module}",
            )
        )
    look = [f"--template={TEMPLATE}", "--VoilaConfiguration.show_tracebacks=False"] if app else []
    module = "kit.explore.serve" if app else module
    return [sys.executable, "-P", "-m", module, str(notebook), *look, *options]


def own_folder() -> Path:
    """The user's Jupyter data folder, with our template for voila in it (it fetches nothing from
    outside). Raises InputError.
    """
    from jupyter_core.paths import jupyter_data_dir

    home = Path(jupyter_data_dir())
    for source in sorted((Path(__file__).parent / "voila").iterdir()):
        _copied(source, home / "voila" / "templates" / TEMPLATE)
    return home


def _copied(source: Path, folder: Path) -> Path:
    """The copy of a file in a folder of the user's own, as this version of the kit has it."""
    if not source.is_file():
        raise InputError(
            Problem(
                "kit explore",
                "",
                f"{source.name} is not part of this build",
                "Install the kit again.",
            )
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / source.name)
    except OSError as error:
        remedy = "Set JUPYTER_DATA_DIR to a folder you may write to."
        raise InputError(
            Problem(
                str(folder / source.name),
                "",
                f"cannot be written: {error.strerror or error}",
                remedy,
            )
        ) from None
    return folder / source.name
