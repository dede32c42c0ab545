"""What ends a command from outside: Ctrl-C, SIGTERM (a batch system's limit, a service stopped) and
SIGHUP (a lost session), all by one path.

Imports next to nothing, so that it can be in force before anything else is imported.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from types import FrameType

CLEARING_S = 20.0
"""So long after the first signal further ones are ignored: pressing Ctrl-C again must not keep a
run from clearing up.
"""

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Stopped(SystemExit):
    """Raised in the main thread by such a signal; `code` is the exit status the shell expects, 128
    + its number.
    """


class _Heard:
    last = -CLEARING_S


def install_signal_handlers() -> None:
    """Turn these signals into Stopped, except those the process was started to ignore (nohup)."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if now - _Heard.last >= CLEARING_S:
        _Heard.last = now
        raise Stopped(128 + number)


def leave(text: str) -> None:
    """The last word of a command that was stopped. From now on signals change nothing, also not
    while Python ends, when it would no longer know our handler.

    Printed to stderr, if there is still somebody there: after SIGHUP the terminal is gone, and the
    exit status has to stay what it is.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    try:
        print(text, file=sys.stderr, flush=True)
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
