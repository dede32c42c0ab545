"""Where notebooks, templates and reference data lie, in a checkout and in an installed wheel
alike.
"""

from __future__ import annotations

from pathlib import Path


def share() -> Path:
    """The folder that holds `notebooks/`, `templates/` and `data/reference/`.

    An installed wheel carries them in `kit/_share`; in a checkout they stand at the root of the
    repository.
    """
    package = Path(__file__).resolve().parents[1]
    packed = package / "_share"
    return packed if packed.is_dir() else package.parent
