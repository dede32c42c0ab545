"""A notebook while it runs, kept on disk as it goes: whatever ends its process, what was done
before is not lost.

The file has lines of JSON: the notebook as it starts, then `[index]` when a cell starts and
`[index, cell]` when it is complete. Each output is
written once, and a last line that was cut short is left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Keeper:
    """Writes the file; without a path it does nothing."""

    def __init__(self, path: str, notebook: dict[str, Any]) -> None:
        self._file = Path(path).open("wb", buffering=0) if path else None  # noqa: SIM115 - open as long as the notebook runs
        self._add(notebook)

    def starting(self, index: int) -> None:
        """A cell starts."""
        self._add([index])

    def completed(self, index: int, cell: dict[str, Any]) -> None:
        """A cell is complete, with its outputs."""
        self._add([index, cell])

    def close(self) -> None:
        """Nothing more comes."""
        if self._file is not None:
            self._file.close()

    def _add(self, content: Any) -> None:
        if self._file is None:
            return
        left = memoryview(json.dumps(content).encode() + b"\n")
        while left:  # a disk that fills up takes a part, and says so when asked again
            left = left[self._file.write(left) :]


def read(path: Path) -> dict[str, Any] | None:
    """The notebook as far as it came, the cell that was running with papermill's status `running`;
    None where nothing was kept.
    """
    try:
        first, *lines = path.read_bytes().split(b"\n")[:-1]
        notebook: dict[str, Any] = json.loads(first)
    except (OSError, ValueError):
        return None
    for line in lines:
        index, *complete = json.loads(line)
        if complete:
            notebook["cells"][index] = complete[0]
        else:
            notebook["cells"][index]["metadata"].setdefault("papermill", {})["status"] = "running"
    return notebook
