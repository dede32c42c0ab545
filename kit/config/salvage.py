"""What of a faulty experiment.yaml can still be used, so that its files are checked together with
it.

The result never leads to a number: every fault stays a problem and is raised. Faulty values are
left out; where a value
is needed, a stand-in takes its place, so that every entry keeps its position and the names of lines
and media stay known.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from kit.core.yaml_file import value_at

NOWHERE = "experiment.yaml"
"""Stand-in for a file that is not named: it exists, and nothing is read from it."""
UNNAMED = "unnamed"
"""Stand-in for an experiment's name."""
_ENTRIES = (
    "cell_lines",
    "sera",
    "media",
    "plates",
    "flow",
    "blots",
    "expression",
    "signaling",
    "timecourse",
    "uptake",
    "replicates",
)
_ROUNDS = 6
"""A value left out may be one that is needed, and an entry that was no mapping lacks all of them: a
few rounds settle it.
"""

Path = tuple[str | int, ...]


def without_faults(
    data: dict[str, Any], faults: Iterable[tuple[Path, str]]
) -> dict[str, Any] | None:
    """`data` less what each fault (path, pydantic's type of error) is about; None where lines or
    media as a whole are not there.
    """
    rest = copy.deepcopy(data)
    for path, kind in faults:
        if kind == "missing" and not _stand_in(rest, path):
            return None
        if kind != "missing" and not _leave_out(rest, path):
            return None
    return rest


def rounds() -> range:
    """How often to try."""
    return range(_ROUNDS)


def _stand_in(data: dict[str, Any], path: Path) -> bool:
    """Put something harmless where a needed value is missing; False when there is nothing
    harmless.
    """
    section, field = path[0], path[-1]
    name = " ".join(map(str, path[:-1]))
    values: dict[Any, Any] = {
        "role": "other",
        "file": NOWHERE,
        "layout": NOWHERE,
        "readout": "?",
        "hours": 0.0,
        "replicate": 1,
        "plate": name,
        "concentrations": NOWHERE,
        "samples": NOWHERE,
        "counts": NOWHERE,
    }
    parent = value_at(data, path[:-1])
    if section == "experiment_id" and len(path) == 1:
        data["experiment_id"] = UNNAMED
        return True
    if field not in values or not isinstance(parent, dict):
        return False
    parent[field] = values[field]
    return True


def _leave_out(data: dict[str, Any], path: Path) -> bool:
    """Take a faulty value out; an entry that is no mapping becomes an empty one."""
    while path and isinstance(path[-1], int) and len(path) > 2:
        path = path[:-1]  # one of several values of a field
    parent = value_at(data, path[:-1]) if path else None
    if len(path) == 2 and path[0] in _ENTRIES and isinstance(parent, (dict, list)):
        parent[path[1]] = {}  # type: ignore[index]
        return True
    if not isinstance(parent, dict) or path in (("cell_lines",), ("media",)):
        return False
    parent.pop(path[-1], None)
    return True
