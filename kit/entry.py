"""The installed command `kit`: signals are heeded before the rest is imported."""

from __future__ import annotations

from kit import interrupt


def main() -> int:
    """Run the command line; returns its exit status."""
    interrupt.heed()
    from kit.__main__ import main as run

    return run()
