"""Style, width and types, as a developer's hooks check them."""

import subprocess
import sys

import pytest

TYPES = ["mypy", "--no-incremental", "--cache-dir", "/dev/null"]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        pytest.param(TYPES, marks=pytest.mark.slow),
    ],
    ids=["ruff", "width", "mypy"],
)
def test_clean(root, command):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
