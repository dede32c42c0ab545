"""Ctrl-C, SIGTERM and SIGHUP, sent for real to a run of the command line: quiet, nothing left
behind, what is done is listed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from lab import BANNER, alive, experiment, litter, notebook, until

from kit.batch import isolate

pytestmark = pytest.mark.skipif(not isolate.CAN_FORK, reason="processes are not forked here")

KIT = """
import sys
if __name__ == "__main__":
    from pathlib import Path
    from kit.batch import batch
    from kit.cli import interrupt
    from kit.cli.main import main
    batch.share = lambda: Path(sys.argv[1])
    interrupt.install_signal_handlers()
    sys.exit(main(sys.argv[2:]))
"""


class Run:
    """`kit run` of two experiments in a session of its own; the second notebook hangs, with a
    process below it.
    """

    def __init__(self, root: Path) -> None:
        self.out, self.temporary, pid = root / "out", root / "tmp", root / "pid"
        self.temporary.mkdir()
        (root / "templates").mkdir()
        hang = (
            "import os, pathlib, subprocess\nif experiment.endswith('EXP-2'):\n    p ="
            f" subprocess.Popen(['sleep', '300'])\n    new = pathlib.Path({str(pid)!r} + '.new')\n"
        )
        hang += (
            f"    new.write_text(f'{{os.getpid()}} {{p.pid}}')\n    new.rename({str(pid)!r})\n   "
            " p.wait()"
        )
        notebook(root / "notebooks", BANNER.format(verdict="pass"), hang)
        for name in ("EXP-1", "EXP-2"):
            experiment(root / "in", name)
        command = [
            sys.executable,
            "-c",
            KIT,
            str(root),
            "run",
            str(root / "in"),
            "--out",
            str(self.out),
            "--workers",
            "1",
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
                                        env={**os.environ, "TMPDIR": str(self.temporary)})  # fmt: skip
        self.noted = pid

    def hanging(self) -> list[int]:
        """Wait for the second notebook; its process and the one it started."""
        return [
            int(pid)
            for pid in until(
                lambda: self.noted.is_file() and self.noted.read_text(),
                "the second notebook should start",
            ).split()
        ]

    def server(self) -> psutil.Process:
        """Wait for the fork server to be started."""

        def found() -> psutil.Process | None:
            return next(
                (
                    child
                    for child in psutil.Process(self.process.pid).children()
                    if "forkserver" in " ".join(child.cmdline())
                ),
                None,
            )

        return until(found, "the fork server should start")

    def ended(self) -> tuple[int, str]:
        """Exit status and what was said on stderr."""
        _, said = self.process.communicate(timeout=240)
        return self.process.returncode, said


@pytest.mark.parametrize("how, status", [("INT", 130), ("TERM", 143), ("HUP", 129)])
@pytest.mark.parametrize("whom", ["the run", "its whole group"])
def test_a_signal_ends_a_run_in_good_order(
    tmp_path: Path, how: str, status: int, whom: str
) -> None:
    run = Run(tmp_path)
    processes = [
        *run.hanging(),
        *(child.pid for child in psutil.Process(run.process.pid).children(recursive=True)),
    ]
    (os.kill if whom == "the run" else os.killpg)(run.process.pid, getattr(signal, f"SIG{how}"))
    returned, said = run.ended()
    assert (
        returned == status
        and "Traceback" not in said
        and said.endswith("Stopped. Reports that were done stay; the next run does the rest.\n")
    )
    until(lambda: not any(map(alive, processes)), "nothing should outlive the run")
    assert sorted(path.name for path in run.out.iterdir()) == ["EXP-1", "index.html", "index.json"]
    assert [
        entry["experiment_id"]
        for entry in json.loads((run.out / "index.json").read_text())["experiments"]
    ] == ["EXP-1"]
    assert litter(run.out) == [] and list(run.temporary.iterdir()) == []


def test_pressing_again_does_not_keep_a_run_from_clearing_up(tmp_path: Path) -> None:
    run, pressed = Run(tmp_path), []

    def press() -> bool:
        os.killpg(run.process.pid, signal.SIGINT)
        pressed.append(1)
        return len(pressed) == 4

    run.hanging()
    until(press, "four presses")
    returned, said = run.ended()
    assert returned == 130 and "Traceback" not in said
    assert (
        (run.out / "index.html").is_file()
        and litter(run.out) == []
        and list(run.temporary.iterdir()) == []
    )


@pytest.mark.parametrize("warm_mb", [0, 60])
def test_ctrl_c_while_the_server_warms_up(tmp_path: Path, warm_mb: int) -> None:
    run = Run(tmp_path)
    server = run.server()
    until(lambda: server.memory_info().rss > warm_mb * 1e6, "the server should import")
    os.killpg(run.process.pid, signal.SIGINT)
    returned, said = run.ended()
    assert (returned, said.strip()) == (
        130,
        "Stopped. Reports that were done stay; the next run does the rest.",
    )
    until(lambda: not alive(server.pid), "the server should end with the run")
    assert litter(run.out) == [] and list(run.temporary.iterdir()) == []


WHILE_IMPORTING = """
import os, runpy, signal, sys
module, start = sys.argv[1:]
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.argv[1:] = ["check", "nowhere"]
if start == "python -m kit":
    runpy.run_module("kit", run_name="__main__", alter_sys=True)
from kit.cli.entry import main
sys.exit(main())
"""


@pytest.mark.parametrize("start", ["python -m kit", "kit"])
@pytest.mark.parametrize("module", ["argparse", "kit.new.command", "kit.batch.find"])
def test_ctrl_c_while_the_command_is_being_imported(module: str, start: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHILE_IMPORTING, module, start],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 130 and "Traceback" not in done.stderr


def test_what_the_process_was_told_to_ignore_stays_ignored() -> None:
    code = (
        "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\nfrom kit.cli import"
        " interrupt\ninterrupt.install_signal_handlers()\n"
    )
    code += (
        "signal.raise_signal(signal.SIGHUP)\nprint('still"
        " here')\nsignal.raise_signal(signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stdout, done.stderr) == (143, "still here\n", "")
