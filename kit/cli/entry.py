"""The installed command `kit`: signals are heeded before the rest is imported."""

from __future__ import annotations

from kit.cli import interrupt


def main() -> int:
    """Run the command line; returns its exit status."""
    interrupt.install_signal_handlers()
    from kit.cli.main import main as run

    return run()
