"""Runs of many experiments: what is run, what is kept, and what becomes of each fault, caused for
real.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from lab import BANNER, alive, experiment, litter, notebook, start, until

import kit
from kit.batch import batch, isolate, partial
from kit.batch.find import find
from kit.batch.job import Job, available
from kit.core.errors import InputError
from kit.store import outfolder

forked = pytest.mark.skipif(not isolate.CAN_FORK, reason="processes are not forked here")


def manifest(out: Path, name: str) -> dict:
    return json.loads((out / name / "manifest.json").read_text(encoding="utf-8"))


def run(tmp_path: Path, **options: object) -> batch.Progress:
    return batch.run([tmp_path / "in"], tmp_path / "out", notebooks=tmp_path / "nb", **options)  # type: ignore[arg-type]


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """An experiment, and a notebook that gives a verdict."""
    notebook(tmp_path / "nb", BANNER.format(verdict="warn"), "print(settings, out, experiment)")
    return experiment(tmp_path / "in", "EXP-1")


def test_a_report_holds_what_the_contract_lists(tmp_path: Path, one: Path) -> None:
    result = run(tmp_path)
    out = tmp_path / "out"
    told = manifest(out, "EXP-1")
    wanted = {"experiment_id", "status", "verdict", "reasons", "kit_version", "python", "packages", "settings", "seed", "inputs", "notebooks",
              "started", "seconds", "simulated"}  # fmt: skip
    assert wanted <= set(told)
    summary = kit.analyse(kit.load(one)).summary
    assert told["status"] == "ok" and told["verdict"] == summary.verdict == "warn"
    assert told["reasons"] == list(summary.reasons)
    assert told["next_actions"] == list(summary.next_actions)
    assert {entry["path"] for entry in told["inputs"]} == {
        "experiment.yaml",
        "layout.csv",
        "raw/p1.csv",
    }
    assert all(len(entry["sha256"]) == 64 for entry in told["inputs"])
    assert [(entry["name"], entry["status"], entry["error"]) for entry in told["notebooks"]] == [
        ("01_assay_qc", "ok", None)
    ]
    assert told["seed"] == told["settings"]["seed"]
    assert {path.name for path in (out / "EXP-1").iterdir()} >= {
        "report.html",
        "manifest.json",
        "notebooks",
        "results.parquet",
    }
    assert (out / "index.html").is_file()
    assert litter(out) == []
    assert result.worst == "warn" and not result.failed


def test_paths_in_a_notebook_are_those_of_the_finished_report(tmp_path: Path, one: Path) -> None:
    run(tmp_path)
    text = (tmp_path / "out" / "EXP-1" / "notebooks" / "01_assay_qc.ipynb").read_text()
    assert str(tmp_path / "out" / "EXP-1") in text
    assert outfolder.BUILDING not in text


def test_settings_reach_the_notebook_and_the_manifest(tmp_path: Path, one: Path) -> None:
    run(tmp_path, settings={"min_z_prime": 0.4})
    assert manifest(tmp_path / "out", "EXP-1")["settings"]["min_z_prime"] == 0.4
    page = (tmp_path / "out" / "EXP-1" / "report.html").read_text()
    assert "{&quot;min_z_prime&quot;: 0.4}" in page


def test_a_parameter_the_notebook_lacks_is_refused(tmp_path: Path) -> None:
    notebook(
        tmp_path / "nb", "1", parameters='experiment: str = ""  # folder\noutt: str = ""  # typo'
    )
    experiment(tmp_path / "in", "EXP-1")
    assert len(run(tmp_path).failed) == 1
    error = manifest(tmp_path / "out", "EXP-1")["notebooks"][0]["error"]
    assert "no parameter 'out'" in error and "Did you mean 'outt'?" in error


# What is run


def test_experiments_are_found_once_each(tmp_path: Path) -> None:
    for name in ("a/EXP-1", "a/EXP-2", "b/deep/EXP-3"):
        experiment(tmp_path / Path(name).parent, Path(name).name)
    (tmp_path / "a" / "EXP-1" / "inner").mkdir()
    (tmp_path / "a" / "EXP-1" / "inner" / "experiment.yaml").write_text("")
    found = find([tmp_path / "a", f"{tmp_path}/a/EXP-*", tmp_path / "b"])
    assert [path.name for path in found.folders] == ["EXP-1", "EXP-2", "EXP-3"]


@pytest.mark.parametrize("make, given, said", [
    ([], "nowhere", "is not there"),
    (["EXP-1/"], "EXP-2", "Did you mean 'EXP-1'?"),
    (["empty/"], "empty", "holds no experiment.yaml"),
    (["file"], "file", "is a file"),
    ([], "EXP-*", "is not there"),
])  # fmt: skip
def test_what_cannot_be_found_is_said(
    tmp_path: Path, make: list[str], given: str, said: str
) -> None:
    for name in make:
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).write_text("")
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        find([tmp_path / given])


def test_what_is_no_experiment_and_what_is_doubled_keeps_nothing_else_from_its_report(
    tmp_path: Path, one: Path
) -> None:
    """As a shell's star names them: a text file, a folder of something else, a backup copy."""
    (tmp_path / "in" / "README.txt").write_text("plates of May")
    (tmp_path / "in" / "photos").mkdir()
    for parent in ("in", "in/backup"):
        experiment(tmp_path / parent, "EXP-2")
    said: list[str] = []
    result = batch.run(
        sorted((tmp_path / "in").iterdir()),
        tmp_path / "out",
        notebooks=tmp_path / "nb",
        report=lambda progress, made: said.append(progress.notice),
    )
    assert [(one["experiment_id"], one["status"]) for one in result.made] == [
        ("EXP-2", "failed"),
        ("EXP-1", "ok"),
    ]
    assert "have one name, 'EXP-2'" in result.failed[0]["problems"][0]
    assert not (tmp_path / "out" / "EXP-2").exists()
    passed = [text for text in said if text.startswith("Passed over: ")]
    assert len(passed) == 2 and "README.txt" in passed[0] and "photos" in passed[1]


@pytest.mark.parametrize(
    "only, stems",
    [((), ["01_assay_qc", "02_dropout_analysis"]), (("02",), ["02_dropout_analysis"])],
)
def test_notebooks_by_number_or_name(
    tmp_path: Path, only: tuple[str, ...], stems: list[str]
) -> None:
    for name in ("01_assay_qc", "02_dropout_analysis"):
        notebook(tmp_path, "1", name=name)
    assert [path.stem for path in available(tmp_path, only)] == stems
    with pytest.raises(InputError, match="Did you mean '02_dropout_analysis'"):
        available(tmp_path, ["02_dropout_analysys"])


# Only what changed


def test_only_what_changed_is_made_again(tmp_path: Path, one: Path) -> None:
    experiment(tmp_path / "in", "EXP-2")
    assert len(run(tmp_path).made) == 2
    again = run(tmp_path)
    assert (len(again.made), len(again.skipped)) == (0, 2)
    (one / "raw" / "p1.csv").write_text(
        (one / "raw" / "p1.csv").read_text().replace("1000", "1001")
    )
    changed = run(tmp_path)
    assert [entry["experiment_id"] for entry in changed.made] == ["EXP-1"]
    (one / "exclusions.csv").write_text("plate,well,reason,by,at\n")
    assert [entry["experiment_id"] for entry in run(tmp_path).made] == ["EXP-1"]


@pytest.mark.parametrize("change", ["settings", "notebook", "force", "deleted"])
def test_what_makes_a_report_stale(tmp_path: Path, one: Path, change: str) -> None:
    run(tmp_path)
    options: dict[str, object] = {}
    if change == "settings":
        options["settings"] = {"min_z_prime": 0.3}
    elif change == "notebook":
        notebook(tmp_path / "nb", "2")
    elif change == "force":
        options["force"] = True
    else:
        (tmp_path / "out" / "EXP-1" / "report.html").unlink()
    assert len(run(tmp_path, **options).made) == 1


# Faults


def test_bad_input_is_told_in_full_and_the_others_get_their_reports(
    tmp_path: Path, one: Path
) -> None:
    bad = experiment(
        tmp_path / "in",
        "EXP-0",
        title="<script>alert(1)</script>",
        extra="colour: red\n<b>x</b>: 1\n",
    )
    result = run(tmp_path)
    assert [entry["experiment_id"] for entry in result.failed] == ["EXP-0"]
    told = manifest(tmp_path / "out", "EXP-0")
    assert (
        told["status"] == "failed"
        and len(told["problems"]) == 2
        and "colour" in told["problems"][0]
    )
    page = (tmp_path / "out" / "EXP-0" / "report.html").read_text()
    assert "could not be reported" in page and "<b>x</b>" not in page
    assert manifest(tmp_path / "out", "EXP-1")["status"] == "ok"
    assert bad.name in (tmp_path / "out" / "index.html").read_text()


def failing(tmp_path: Path, cell: str, **options: object) -> tuple[dict, str]:
    """Run a notebook with a first cell that prints, and a second that fails; returns manifest and
    page.
    """
    notebook(
        tmp_path / "nb",
        "# Before",
        "print('work that was done')",
        "# Growth of lines",
        cell,
        "print('never reached')",
    )
    experiment(tmp_path / "in", "EXP-1")
    assert len(run(tmp_path, **options).failed) == 1
    assert litter(tmp_path / "out") == []
    return (
        manifest(tmp_path / "out", "EXP-1"),
        (tmp_path / "out" / "EXP-1" / "report.html").read_text(),
    )


def test_a_cell_that_raises(tmp_path: Path) -> None:
    told, page = failing(tmp_path, "raise ValueError('<i>odd</i> well B07')")
    assert told["status"] == "failed"
    assert (
        told["notebooks"][0]["error"]
        == "01_assay_qc stopped in code cell 4, under the heading 'Growth of lines': ValueError:"
        " <i>odd</i> well B07"
    )
    assert "work that was done" in page and "incomplete" in page and "<i>odd" not in page
    assert ">never reached" not in page


@forked
def test_a_notebook_that_is_killed(tmp_path: Path) -> None:
    told, page = failing(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert (
        "under the heading 'Growth of lines': its process was killed (SIGKILL"
        in told["notebooks"][0]["error"]
    )
    assert "its process was killed" in page


@forked
def test_a_notebook_over_its_time_and_what_it_started(tmp_path: Path) -> None:
    cell = (
        "import subprocess\np = subprocess.Popen(['sleep',"
        f" '300'])\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(p.pid))\np.wait()"
    )
    told, _ = failing(tmp_path, cell, timeout_s=2)
    assert "it ran longer than the limit of 2 s" in told["notebooks"][0]["error"]
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not alive(pid), "what the notebook started should end with it")


@forked
def test_a_notebook_over_its_memory(tmp_path: Path) -> None:
    told, _ = failing(
        tmp_path,
        "import time\nhog = bytearray(b'x') * 900_000_000\ntime.sleep(60)",
        memory_bytes=800_000_000,
    )
    assert "more than the limit of 800 MB" in told["notebooks"][0]["error"]


SUDDEN = {
    "killed at once": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        {},
        "its process was killed (SIGKILL",
    ),
    "over its time": (
        "import time; time.sleep(300)",
        {"timeout_s": 3},
        "it ran longer than the limit of 3 s",
    ),
    "over its memory": (
        "hog = bytearray(b'x') * 900_000_000\nimport time; time.sleep(300)",
        {"memory_bytes": 800_000_000},
        "more than the limit of 800 MB",
    ),
}


@forked
@pytest.mark.parametrize("name", SUDDEN)
def test_what_was_done_just_before_the_end_is_kept(tmp_path: Path, name: str) -> None:
    """No time passes between the work and the end of the process, so nothing may wait to be
    written.
    """
    cell, options, said = SUDDEN[name]
    notebook(
        tmp_path / "nb",
        BANNER.format(verdict="warn"),
        "# Growth of lines",
        "print('viability', 41 + 1)",
        cell,
        "print('never reached')",
    )
    source = experiment(tmp_path / "in", "EXP-1")
    assert len(run(tmp_path, settings={"min_z_prime": 0.4}, **options).failed) == 1
    error = manifest(tmp_path / "out", "EXP-1")["notebooks"][0]["error"]
    assert (
        error.startswith(
            "01_assay_qc stopped in code cell 5, under the heading 'Growth of lines': "
        )
        and said in error
    )
    cells = json.loads(
        (tmp_path / "out" / "EXP-1" / "notebooks" / "01_assay_qc.ipynb").read_text()
    )["cells"]
    injected = next(cell for cell in cells if "injected-parameters" in cell["metadata"]["tags"])
    assert str(source) in "".join(injected["source"]) and "0.4" in "".join(injected["source"])
    texts = [
        "".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", ())
    ]
    assert "viability 42\n" in texts and not any("never" in text for text in texts)
    page = (tmp_path / "out" / "EXP-1" / "report.html").read_text()
    assert "A title" in page and "Edge effect 12 %." in page and "<pre>viability 42" in page
    summary = kit.analyse(kit.load(source, {"min_z_prime": 0.4})).summary
    assert manifest(tmp_path / "out", "EXP-1")["reasons"] == [error, *summary.reasons]


@forked
def test_reading_stands_under_the_limit_of_time(tmp_path: Path) -> None:
    notebook(tmp_path / "nb", "print('never reached')")
    experiment(tmp_path / "in", "EXP-1")
    run(tmp_path, timeout_s=0.001)
    assert manifest(tmp_path / "out", "EXP-1")["problems"] == [
        "EXP-1: reading or analysing stopped: it ran longer than the limit of 0.001 s."
    ]


def test_a_notebook_is_kept_up_to_the_last_whole_line(tmp_path: Path) -> None:
    """The file cut at every byte: the cells complete are those whose lines are whole, and the one
    begun is the one that runs.
    """
    start = {"cells": [{"metadata": {}, "outputs": []} for _ in range(3)], "metadata": {"µ": "é"}}
    done = [
        {"metadata": {"papermill": {"status": "completed"}}, "outputs": [{"text": f"{index}\n"}]}
        for index in range(3)
    ]
    keeper = partial.Keeper(str(tmp_path / "kept"), start)
    for index, cell in enumerate(done):
        keeper.starting(index)
        keeper.completed(index, cell)
    keeper.close()
    whole = (tmp_path / "kept").read_bytes()
    for length in range(len(whole) + 1):
        (tmp_path / "cut").write_bytes(whole[:length])
        kept, lines = partial.read(tmp_path / "cut"), whole[:length].count(b"\n")
        if not lines:
            assert kept is None
            continue
        complete, begun = divmod(lines - 1, 2)
        assert (
            kept is not None
            and kept["cells"][:complete] == done[:complete]
            and kept["metadata"] == {"µ": "é"}
        )
        states = [
            cell["metadata"].get("papermill", {}).get("status") for cell in kept["cells"][complete:]
        ]
        assert states == ["running", None, None][: 3 - complete] if begun else not any(states)


@forked
def test_no_room_for_a_notebook(tmp_path: Path) -> None:
    told, _ = failing(
        tmp_path, "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
    )
    assert "File too large" in told["notebooks"][0]["error"]


RUN = """
import sys
from kit.batch import batch
from kit.cli.output import Lines
if __name__ == "__main__":
    import resource
    if len(sys.argv) > 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    root = sys.argv[1]
    try:
        done = batch.run([root + "/in"], root + "/out", notebooks=root + "/nb", workers=1, force=len(sys.argv) > 2, report=Lines())
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(bool(done.failed))
"""


def interrupted(tmp_path: Path, how: signal.Signals) -> tuple[Path, int]:
    """A run of two, ended by a signal while the second hangs; returns the folder of reports and the
    exit status.
    """
    hang = (
        "import os, pathlib, time\nif experiment.endswith('EXP-2') and not"
        f" os.path.exists({str(tmp_path / 'go')!r}):\n"
    )
    hang += (
        f"    pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n   "
        " time.sleep(300)"
    )
    notebook(tmp_path / "nb", BANNER.format(verdict="pass"), hang)
    for name in ("EXP-1", "EXP-2"):
        experiment(tmp_path / "in", name)
    running = start(RUN, tmp_path)
    pid = int(
        until(
            lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text(),
            "the second notebook should start",
        )
    )
    with pytest.raises(
        outfolder.OutputError, match=f"another run is writing here \\(process {running.pid}\\)"
    ):
        run(tmp_path)
    running.send_signal(how)
    running.communicate(timeout=240)
    until(lambda: not alive(pid), "no notebook should outlive its run")
    return tmp_path / "out", running.returncode


@forked
@pytest.mark.parametrize("how, status", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_run_keeps_what_is_done_and_the_next_does_the_rest(
    tmp_path: Path, how: signal.Signals, status: int
) -> None:
    out, returned = interrupted(tmp_path, how)
    assert returned == status
    assert manifest(out, "EXP-1")["status"] == "ok"
    assert not (out / "EXP-2").exists()
    assert how is signal.SIGKILL or litter(out) == []
    (tmp_path / "go").touch()
    rest = run(tmp_path)
    assert [entry["experiment_id"] for entry in rest.made] == ["EXP-2"]
    assert [entry["experiment_id"] for entry in rest.skipped] == ["EXP-1"]
    assert not rest.failed and litter(out) == []


@forked
def test_a_full_disk_leaves_the_reports_that_are_there(tmp_path: Path, one: Path) -> None:
    run(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    running = start(RUN, tmp_path, 200)
    _, errors = running.communicate(timeout=240)
    assert running.returncode == 1
    assert "File too large" in errors
    after = {
        path: path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    assert after == before


def test_an_output_folder_that_cannot_be(tmp_path: Path, one: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(outfolder.OutputError, match="cannot write here"):
            batch.run([one], out, notebooks=tmp_path / "nb")


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="the superuser may write anywhere",
)
def test_a_read_only_output_folder(tmp_path: Path, one: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    with pytest.raises(outfolder.OutputError, match="cannot write here"):
        run(tmp_path)


def test_what_a_killed_run_left_is_put_right(tmp_path: Path) -> None:
    for name in (".old-EXP-1", ".old-EXP-2", "EXP-2", ".building-EXP-3-77"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mark").write_text(name)
    with outfolder.reserved(tmp_path):
        assert litter(tmp_path) == [outfolder.LOCK]
    assert (
        tmp_path / "EXP-1" / "mark"
    ).read_text() == ".old-EXP-1"  # it was moved aside and nothing had come in its place
    assert (tmp_path / "EXP-2" / "mark").read_text() == "EXP-2"
    assert litter(tmp_path) == []


@pytest.mark.parametrize("exchange", [True, False])
def test_a_swap_replaces_the_whole_folder(
    tmp_path: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchange:
        monkeypatch.setattr(outfolder, "_exchange", lambda one, other: False)
    for name in ("new", "final"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("")
    outfolder.swap_in(tmp_path / "new", tmp_path / "final")
    assert [path.name for path in tmp_path.rglob("*")] == ["final", "new"]


def test_a_report_process_that_dies_is_told(tmp_path: Path, one: Path) -> None:
    (tmp_path / "out").mkdir()
    job = Job(str(one), str(tmp_path / "out"), "EXP-1", str(tmp_path / "nb"))
    told = batch.lost(job, "its process was killed (SIGKILL)")
    assert (
        told["status"] == "failed"
        and manifest(tmp_path / "out", "EXP-1")["problems"] == told["problems"]
    )


# Warm processes give what plain kernels give

CELLS = [
    "print('a'); print('b'); import sys; print('c', file=sys.stderr)",
    "import pandas as pd; pd.DataFrame({'x': [1, 2]})",
    (
        "from IPython.display import display, HTML, clear_output, update_display\nh ="
        " display('first', display_id=True)\nh.update('second')"
    ),
    "print('gone'); clear_output(wait=True); print('stays')",
    "import matplotlib.pyplot as plt; _ = plt.plot([1, 3, 2]); plt.show()",
    "%matplotlib inline\nplt.figure(); _ = plt.plot([1, 2])",
    "!echo from the shell",
    "import asyncio; await asyncio.sleep(0); 'awaited'",
    "%%capture kept\nprint('captured')",
    "kept.stdout; __name__",
    ("1 / 0", "raises-exception"),
    "import warnings, numpy as np\nnp.random.default_rng(0).normal(size=3)",
    (
        "class A:\n    def __repr__(self): return 'A'\n    def _repr_svg_(self): return '<svg/>'\n "
        "   def _repr_png_(self): return b'\\x89PNG'\nA()"
    ),
    "None",
    "",
    "get_ipython().__class__.__mro__[-2].__name__; In[-1][:5]",
    "def f():\n    raise KeyError('x')\nf()",
    "print('not run')",
]


@forked
def test_outputs_equal_those_of_a_plain_kernel(tmp_path: Path) -> None:
    notebook(tmp_path / "nb", *CELLS)
    experiment(tmp_path / "in", "EXP-1")
    cells = []
    for plain in (True, False):
        run(tmp_path, plain=plain, force=True)
        made = json.loads(
            (tmp_path / "out" / "EXP-1" / "notebooks" / "01_assay_qc.ipynb").read_text()
        )
        cells.append(
            [
                cell
                for cell in made["cells"]
                if cell["cell_type"] == "code"
                and "injected-parameters" not in cell["metadata"]["tags"]
            ]
        )
    for plain_cell, warm_cell in zip(*cells, strict=True):
        assert warm_cell["outputs"] == plain_cell["outputs"], plain_cell["source"]
        assert warm_cell["execution_count"] == plain_cell["execution_count"], plain_cell["source"]


@forked
def test_each_notebook_has_a_process_of_its_own(tmp_path: Path) -> None:
    for name in ("01_assay_qc", "02_dropout_analysis"):
        notebook(
            tmp_path / "nb",
            "import os, numpy\nprint(os.getpid(), 'leak' in globals(),"
            " numpy.random.normal())\nleak = 1",
            name=name,
        )
    experiment(tmp_path / "in", "EXP-1")
    run(tmp_path)
    said = []
    for path in sorted((tmp_path / "out" / "EXP-1" / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        said.append(
            cells[-1]["outputs"][0]["text"].split()
            if isinstance(cells[-1]["outputs"][0]["text"], str)
            else "".join(cells[-1]["outputs"][0]["text"]).split()
        )
    (pid, leaked, number), (other_pid, other_leaked, other_number) = said
    assert pid != other_pid and number != other_number
    assert leaked == other_leaked == "False"


def test_several_workers_give_the_same_reports(tmp_path: Path, one: Path) -> None:
    for number in (2, 3, 4):
        experiment(tmp_path / "in", f"EXP-{number}")
    result = run(tmp_path, workers=2)
    assert sorted(entry["experiment_id"] for entry in result.made) == [
        "EXP-1",
        "EXP-2",
        "EXP-3",
        "EXP-4",
    ]
    assert not result.failed


# A cluster of real processes on this machine


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, dict[str, subprocess.Popen]]]:
    """A Dask scheduler and two workers: its address, and the processes by name."""
    pytest.importorskip("distributed")
    file, running = tmp_path / "scheduler.json", {}

    def dask(*words: object) -> subprocess.Popen:
        command = [
            sys.executable,
            "-m",
            "distributed.cli.dask_" + str(words[0]),
            *map(str, words[1:]),
            "--scheduler-file",
            str(file),
        ]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path
        )

    try:
        running["scheduler"] = dask(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"
        )
        address = until(
            lambda: file.is_file() and json.loads(file.read_text() or "{}").get("address"),
            "the scheduler should start",
        )
        for name in ("one", "two"):
            running[name] = dask(
                "worker",
                "--name",
                name,
                "--nthreads",
                "1",
                "--no-dashboard",
                "--no-nanny",
                "--host",
                "127.0.0.1",
            )
        yield address, running
    finally:
        for process in running.values():
            process.kill()
            process.wait()


@forked
def test_a_cluster_does_the_work_of_a_worker_that_was_killed(
    tmp_path: Path, cluster: tuple[str, dict[str, subprocess.Popen]]
) -> None:
    address, running = cluster
    first = (
        tmp_path / "first"
        # the first process to get here kills its worker, whose number is that of its report process's
        # starter
    )
    cell = (
        "import os, pathlib, time\ntry:\n   "
        f" pathlib.Path({str(first)!r}).touch(exist_ok=False)\nexcept FileExistsError:\n    pass\n"
    )
    cell += (
        f"else:\n    pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n   "
        " time.sleep(300)"
    )
    notebook(tmp_path / "nb", BANNER.format(verdict="pass"), cell)
    for number in (1, 2, 3):
        experiment(tmp_path / "in", f"EXP-{number}")
    ended: list[int] = []

    def kill_the_busy_worker() -> None:
        pid = int(
            until(
                lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text(),
                "a notebook should start",
            )
        )
        busy = {parent.pid for parent in psutil.Process(pid).parents()}
        worker = next(name for name in ("one", "two") if running[name].pid in busy)
        running[worker].kill()
        ended.append(pid)

    killer = threading.Thread(target=kill_the_busy_worker)
    killer.start()
    result = run(tmp_path, scheduler=address)
    killer.join()
    assert sorted(entry["experiment_id"] for entry in result.made) == ["EXP-1", "EXP-2", "EXP-3"]
    assert not result.failed and litter(tmp_path / "out") == []
    until(lambda: not alive(ended[0]), "the notebook of the killed worker should end")


@forked
def test_a_lost_scheduler_is_told_and_the_next_run_does_the_rest(
    tmp_path: Path, one: Path, cluster: tuple[str, dict[str, subprocess.Popen]]
) -> None:
    address, running = cluster
    notebook(
        tmp_path / "nb",
        f"import pathlib, time\npathlib.Path({str(tmp_path / 'here')!r}).touch()\ntime.sleep(3)",
    )
    killer = threading.Thread(
        target=lambda: (
            until((tmp_path / "here").is_file, "a notebook should start"),
            running["scheduler"].kill(),
        )
    )
    killer.start()
    result = run(tmp_path, scheduler=address)
    killer.join()
    assert "was lost" in result.failed[0]["problems"][0]
    assert not run(tmp_path).failed


def test_no_scheduler_at_the_address(
    tmp_path: Path, one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from kit.batch import cluster

    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    with pytest.raises(InputError, match="no Dask scheduler answers"):
        run(tmp_path, scheduler="tcp://127.0.0.1:9")
