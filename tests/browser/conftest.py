"""A browser, JupyterLab and voila on loopback, each with folders of its own; skipped where chromium
or playwright is absent.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip
PATIENCE_S = 180.0


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's chromium, driven by playwright."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (the `test` extra has it)"
    )
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def watched_page(browser: Any) -> Iterator[Any]:
    """A page of its own cookies that must ask for nothing outside this machine."""
    context = browser.new_context(viewport={"width": 1500, "height": 1100})
    page = context.new_page()
    page.set_default_timeout(60_000)
    outside: list[str] = []
    page.on(
        "request", lambda request: outside.append(request.url) if _is_outside(request.url) else None
    )
    yield page
    context.close()
    assert not outside, f"the page asked for {outside}"


@pytest.fixture(scope="session")
def new_page(browser: Any) -> Callable[[], AbstractContextManager[Any]]:
    """`with new_page() as page:` opens a watched page."""
    return lambda: watched_page(browser)


def _is_outside(url: str) -> bool:
    return url.startswith(("http:", "https:", "ws:", "wss:")) and "//127.0.0.1" not in url


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """`serve(experiment, app=True)` starts the workbench as `kit explore` does; returns its
    address. Servers end with the session.
    """
    running: list[subprocess.Popen[bytes]] = []

    def start(experiment: Path | None, app: bool = True, theme: str = "light") -> str:
        home = tmp_path_factory.mktemp("server")
        port = _free_port()
        log = (home / "log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "kit", "explore", *([str(experiment)] if experiment else []), *(["--app"] if app else []),
             *(f"--server={option}" for option in _options(app, port, theme))],
            env=_environment(home), cwd=home, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        log.close()
        running.append(process)
        address = f"http://127.0.0.1:{port}" + ("/" if app else "/lab/tree/explore.ipynb?reset")
        _wait_for(
            f"http://127.0.0.1:{port}" + ("/static/" if app else "/api"), process, home / "log"
        )
        return address

    yield start
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def _options(app: bool, port: int, theme: str) -> list[str]:
    if app:
        return [
            f"--port={port}",
            "--Voila.ip=127.0.0.1",
            "--Voila.token=",
            "--no-browser",
            f"--theme={theme}",
        ]
    return [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--no-browser", "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True",
            "--ServerApp.allow_root=True", "--ServerApp.disable_check_xsrf=True"]  # fmt: skip


def _environment(home: Path) -> dict[str, str]:
    """Nothing of the user's own settings, and nothing fetched."""
    names = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
    )
    folders = {name: str(home / name.lower()) for name in names}
    settings = home / "jupyterlab_settings_dir" / "@jupyterlab"
    for plugin, values in (
        ("apputils-extension/notification", {"fetchNews": "false", "checkForUpdates": False}),
    ):
        target = settings / f"{plugin}.jupyterlab-settings"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(values))
    return {
        **os.environ,
        **folders,
        "KIT_USER": "A. Tester",
        "KIT_REPORTS": str(home / "reports"),
        "HOME": str(home),
        "JUPYTER_ALLOW_INSECURE_WRITES": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def bench_experiment(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first demo with FCS files for one line, and few bootstrap draws so that it is quick."""
    from kit.simulate.synthetic_flow import write_acquisition

    target = tmp_path_factory.mktemp("bench") / "EXP-DEMO-01"
    shutil.copytree(root / "data" / "examples" / "EXP-DEMO-01", target)
    dying, well = (
        {"viable": 0.6, "early": 0.25, "late": 0.1, "necrotic": 0.05},
        {"viable": 0.94, "early": 0.03, "late": 0.02, "necrotic": 0.01},
    )
    samples = {
        ("MOLT-4", medium, number): dying if medium == "no_asn" else well
        for medium in ("complete", "no_asn")
        for number in (1, 2, 3)
    }
    write_acquisition(samples, target / "raw" / "fcs", events=4000)
    path = target / "experiment.yaml"
    gates = (
        "  - file: raw/fcs/samples.csv  # 72 h\n    hours: 72\n    gates:\n      annexin: FITC-A  #"
        " green\n      pi: PE-A\n      debris_fsc_min: 25000\n"
    )
    text = path.read_text(encoding="utf-8").replace(
        "  - {file: raw/annexin_72h.csv, hours: 72}\n", gates
    )
    path.write_text(text + "settings:\n  bootstrap_draws: 200  # quick\n", encoding="utf-8")
    return target
