"""Fixtures every test may use."""

import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real instrument files of other projects, kept outside this repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(
            f"real instrument files are not part of the repository ({folder.name}/ is absent"
            " beside it)"
        )
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


def pytest_configure() -> None:
    """Tests that end runs by signals hold however pytest was started: in the background of a
    script, SIGINT would be ignored and inherited so.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
