"""`python -m kit`: the same as the command `kit`."""

from __future__ import annotations

from kit.cli import entry

if __name__ == "__main__":
    raise SystemExit(entry.main())
