"""Runs that end early, reports that get damaged, and reports that look at one another: what may be
put in place, and what is made again.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lab import BANNER, alive, experiment, litter, notebook, start, until
from test_batch import RUN, cluster, forked, manifest, run  # noqa: F401
from test_batch_scale import contents

from kit.batch import batch, isolate
from kit.batch.job import Job
from kit.batch.uptodate import recipe, up_to_date
from kit.cli.output import Bar, Lines
from kit.core.errors import InputError, KitError
from kit.report import index
from kit.store import outfolder, reportfolder


def report(folder: Path, mark: str, *notebooks: dict, status: str = "ok") -> dict:
    """A small report that says `mark`, with a manifest that lists it; returns the manifest."""
    folder.mkdir()
    (folder / "report.html").write_text(mark)
    told = {"experiment_id": folder.name, "status": status, "verdict": "pass", "reasons": ["All is well."], "problems": [] if status == "ok" else [mark],
            "notebooks": list(notebooks), "started": "2026-03-02", "outputs": reportfolder.outputs(folder)}  # fmt: skip
    reportfolder.write_manifest(folder, told)
    return told


def entry(name: str, fault: str = "", status: str = "failed") -> dict:
    return {"name": name, "status": status, "seconds": 1.0, "error": fault, "fault": fault}


# Whose folder it is


def test_a_run_is_over_when_it_ends_is_followed_or_falls_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outfolder, "BEAT_S", 0.01)
    with outfolder.reserved(tmp_path) as held:
        watch, other = outfolder.Watch(tmp_path, held.token), outfolder.Watch(tmp_path, "another")
        first = (tmp_path / outfolder.LOCK).read_text()
        until(
            lambda: (tmp_path / outfolder.LOCK).read_text() != first,
            "the run should show that it lives",
        )
        assert not watch.over() and other.over()
        held.end()
        assert watch.over()
        assert first.split("\n")[0] == str(os.getpid())
    (tmp_path / outfolder.LOCK).write_text(
        first
    )  # as a killed run leaves it: no beat comes any more
    silent = outfolder.Watch(tmp_path, held.token)
    assert not silent.over()
    monkeypatch.setattr(outfolder, "SILENT_S", -1.0)
    assert silent.over()


def test_nothing_is_put_in_place_for_a_run_that_is_over(tmp_path: Path) -> None:
    report(tmp_path / "EXP-1", "good")
    with outfolder.reserved(tmp_path) as held:
        late = report(tmp_path / ".building-EXP-1", "late", entry("01_assay_qc", status="ok"))
        held.end()
        assert not (tmp_path / ".building-EXP-1").exists()
        shutil.copytree(tmp_path / "EXP-1", tmp_path / ".building-EXP-1")
        with pytest.raises(KitError, match="is over"):
            reportfolder.place(
                tmp_path / ".building-EXP-1", tmp_path / "EXP-1", late, run=held.token
            )
    assert (tmp_path / "EXP-1" / "report.html").read_text() == "good"


@pytest.mark.parametrize("exchange", [True, False])
def test_a_report_stays_when_the_new_one_was_taken_away(
    tmp_path: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchange:
        monkeypatch.setattr(outfolder, "_exchange", lambda one, other: False)
    report(tmp_path / "EXP-1", "good")
    with pytest.raises(FileNotFoundError):
        outfolder.swap_in(tmp_path / "gone", tmp_path / "EXP-1")
    assert (tmp_path / "EXP-1" / "report.html").read_text() == "good" and litter(tmp_path) == []


def test_a_lost_report_leaves_the_one_that_is_there_and_says_so(tmp_path: Path) -> None:
    report(tmp_path / "EXP-1", "good", entry("01_assay_qc", status="ok"))
    told = batch.lost(Job("", str(tmp_path), "EXP-1", ""), "its process was killed")
    assert (
        told["status"] == "failed"
        and told["note"] == "the earlier report stays"
        and litter(tmp_path) == []
    )
    assert (tmp_path / "EXP-1" / "report.html").read_text() == "good"
    index.write(tmp_path)
    shown = json.loads((tmp_path / "index.json").read_text())["experiments"][0]
    assert shown["status"] == "ok"
    assert shown["reasons"] == [
        "The last attempt failed: EXP-1: its process was killed; no report was made",
        "All is well.",
    ]


# Which report stays


@pytest.mark.parametrize("faults, stays", [
    (("timeout",), True), (("memory",), True), (("killed", "timeout"), True), (("",), False), (("killed", ""), False), ((), False),
])  # fmt: skip
def test_a_fault_of_the_moment_replaces_no_good_report(
    tmp_path: Path, faults: tuple[str, ...], stays: bool
) -> None:
    report(tmp_path / "EXP-1", "good", entry("01_assay_qc", status="ok"))
    made = report(
        tmp_path / ".new",
        "it failed",
        *(entry(f"0{place + 1}", fault) for place, fault in enumerate(faults)),
        status="failed",
    )
    told = reportfolder.place(tmp_path / ".new", tmp_path / "EXP-1", made)
    there = manifest(tmp_path, "EXP-1")
    assert told["status"] == "failed"
    assert (tmp_path / "EXP-1" / "report.html").read_text() == ("good" if stays else "it failed")
    assert there.get("last_attempt") == (
        {"started": "2026-03-02", "problems": ["it failed"]} if stays else None
    )


@pytest.mark.parametrize("before", ["nothing", "failed", "damaged"])
def test_a_partial_report_takes_the_place_of_what_is_no_good(tmp_path: Path, before: str) -> None:
    if before != "nothing":
        report(tmp_path / "EXP-1", "old", status="failed" if before == "failed" else "ok")
    if before == "damaged":
        (tmp_path / "EXP-1" / "report.html").write_text("")
    reportfolder.place(
        tmp_path / ".new",
        tmp_path / "EXP-1",
        report(tmp_path / ".new", "partial", entry("01", "timeout"), status="failed"),
    )
    assert (tmp_path / "EXP-1" / "report.html").read_text() == "partial"


def test_notebooks_that_a_new_report_leaves_out_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("01_assay_qc", "02_dropout_analysis", "03_asns_correlation")
    report(tmp_path / "EXP-1", "full", *(entry(name, status="ok") for name in names))
    made = {**report(tmp_path / ".new", "part", entry(names[0], status="ok")), "seconds": 1.0}
    told = reportfolder.place(tmp_path / ".new", tmp_path / "EXP-1", made, only=names[:1])
    Lines()(batch.Progress(1), told)
    said = capsys.readouterr().out
    assert said.endswith(
        "(only 01_assay_qc; the full report it replaces had 02_dropout_analysis,"
        " 03_asns_correlation)\n"
    )


# What is up to date


def test_a_damaged_report_is_made_again(tmp_path: Path) -> None:
    notebook(tmp_path / "nb", BANNER.format(verdict="pass"))
    folder, nb = experiment(tmp_path / "in", "EXP-1"), str(tmp_path / "nb")
    run(tmp_path)
    job = Job(str(folder), str(tmp_path / "out"), "EXP-1", nb, recipe=recipe(nb, {}, ()))
    made = tmp_path / "out" / "EXP-1"
    listed = set(manifest(tmp_path / "out", "EXP-1")["outputs"])
    assert listed == {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()} - {
        "manifest.json"
    }
    assert {
        "report.html",
        "results.parquet",
        "notebooks/01_assay_qc.ipynb",
        "tables/wells.csv",
    } <= listed
    assert up_to_date(job)
    for name in sorted(listed):
        whole = (made / name).read_bytes()
        for damaged in (b"", whole[: len(whole) // 2], None):
            (made / name).unlink() if damaged is None else (made / name).write_bytes(damaged)
            assert up_to_date(job) is None, name
        (made / name).write_bytes(whole)
    assert up_to_date(job)
    reportfolder.note_attempt(made, {"started": "now", "problems": ["it was killed"]})
    assert up_to_date(job) is None


# Reports that look at one another

OTHERS = """import pathlib
from kit.store import other_reports
for other, lines in other_reports.of_report(pathlib.Path(out)).beside(pathlib.Path(experiment).name, False).items():
    print(other, list(lines["cell_line"]), [round(value, 6) for value in lines["mRNA"]])
"""


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two experiments with levels of their own, notebook 01 that notes that it ran, and a notebook
    03 that prints the others' levels.
    """
    count = f"""import pathlib
with open({str(tmp_path / "log")!r}, "a") as file: file.write(pathlib.Path(experiment).name + " ")
(pathlib.Path(out) / "own.csv").write_text("kept")"""
    notebook(tmp_path / "nb", count, name="01_assay_qc")
    notebook(tmp_path / "nb", OTHERS, name="03_asns_correlation")
    for name, level in (("EXP-1", 1.5), ("EXP-2", 2.5)):
        extra = "expression:\n  - {file: raw/mrna.csv, kind: mRNA, unit: log2}\n"
        (experiment(tmp_path / "in", name, extra=extra) / "raw" / "mrna.csv").write_text(
            f"cell_line,replicate,value\nJurkat,1,{level}\n"
        )
    return tmp_path


def printed(root: Path, name: str) -> str:
    cells = json.loads(
        (root / "out" / name / "notebooks" / "03_asns_correlation.ipynb").read_text()
    )["cells"]
    return "".join("".join(output.get("text", "")) for output in cells[-1]["outputs"])


def test_no_report_is_made_twice_and_what_it_pools_hangs_on_no_order(two: Path) -> None:
    said: list[str] = []
    first = run(
        two, report=lambda progress, made: said.append(made["experiment_id"]) if made else None
    )
    assert (len(first.made), first.done, first.total, first.failed) == (2, 2, 2, [])
    assert sorted(said) == ["EXP-1", "EXP-2"]
    assert sorted((two / "log").read_text().split()) == ["EXP-1", "EXP-2"]
    assert printed(two, "EXP-1") == "EXP-2 ['Jurkat'] [2.5]\n"
    assert printed(two, "EXP-2") == "EXP-1 ['Jurkat'] [1.5]\n"
    once = contents(two / "out")
    again = run(two)
    assert (len(again.made), len(again.skipped)) == (0, 2)
    shutil.rmtree(two / "out")
    # as a run that was stopped after one: that one is made anew, as the other adds to it
    batch.run([two / "in" / "EXP-2"], two / "out", notebooks=two / "nb")
    assert printed(two, "EXP-2") == ""
    resumed = run(two, workers=1)
    assert resumed.done == 2 and contents(two / "out") == once


def test_only_the_notebook_that_looks_at_others_is_run_again_for_them(two: Path) -> None:
    assert not run(two).failed
    log = two / "log"
    told = manifest(two / "out", "EXP-1")
    assert [entry["name"] for entry in told["notebooks"]] == ["01_assay_qc", "03_asns_correlation"]
    assert "own.csv" in told["notebooks"][0]["outputs"]
    (two / "in" / "EXP-2" / "raw" / "mrna.csv").write_text(
        "cell_line,replicate,value\nJurkat,1,9\n"
    )
    assert not run(two).failed and log.read_text().split()[2:] == ["EXP-2"]
    assert printed(two, "EXP-1") == "EXP-2 ['Jurkat'] [9.0]\n"
    assert (two / "out" / "EXP-1" / "own.csv").read_text() == "kept"


# The end of what a run started


def _starts_something(folder: str) -> None:
    process = subprocess.Popen(["sleep", "300"])
    (Path(folder) / "new").write_text(str(process.pid))
    os.replace(Path(folder) / "new", Path(folder) / "pid")
    time.sleep(300)


def _like_a_report(folder: str) -> None:
    isolate.run(_starts_something, folder, method="fork")


@forked
def test_what_a_notebook_started_ends_with_a_report_process_that_is_killed(tmp_path: Path) -> None:
    task = isolate.Task(_like_a_report, str(tmp_path), method="fork")
    pid = int(
        until((tmp_path / "pid").is_file, "a process should start")
        and (tmp_path / "pid").read_text()
    )
    os.kill(task.process.pid, signal.SIGKILL)
    assert until(task.ended, "the task should have ended").how == "killed"
    until(lambda: not alive(pid), "what the notebook started should end", 5)


@forked
def test_a_folder_for_temporary_files_may_have_a_long_path(tmp_path: Path) -> None:
    notebook(tmp_path / "nb", BANNER.format(verdict="pass"))
    experiment(tmp_path / "in", "EXP-1")
    long = tmp_path / ("job" * 30)  # a socket's path has room for 107 bytes
    long.mkdir()
    running = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(long)},
    )
    assert running.returncode == 0, running.stderr
    assert manifest(tmp_path / "out", "EXP-1")["status"] == "ok" and list(long.iterdir()) == []


# A cluster

ON_CLUSTER = RUN.replace("force=len(sys.argv) > 2", "scheduler=sys.argv[2]").replace(
    "if len(sys.argv) > 2:", "if False:"
)


@forked
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_their_work_when_the_run_is_gone(
    tmp_path: Path,
    cluster: tuple,  # noqa: F811
    how: signal.Signals,
) -> None:
    hang = (
        "import os, pathlib,"
        f" time\npathlib.Path({str(tmp_path / 'new')!r}).write_text(str(os.getpid()))\n"
    )
    hang += f"os.replace({str(tmp_path / 'new')!r}, {str(tmp_path / 'pid')!r})\ntime.sleep(300)"
    notebook(tmp_path / "nb", BANNER.format(verdict="pass"), hang)
    experiment(tmp_path / "in", "EXP-1")
    running = start(ON_CLUSTER, tmp_path, cluster[0])
    pid = int(
        until((tmp_path / "pid").is_file, "the notebook should start", 150)
        and (tmp_path / "pid").read_text()
    )
    running.send_signal(how)
    running.communicate(timeout=30)
    if how is signal.SIGKILL:  # the next run takes the folder
        with outfolder.reserved(tmp_path / "out"):
            until(lambda: not alive(pid), "the notebook should end with its run", 30)
    else:
        until(lambda: not alive(pid), "the notebook should end with its run", 30)
    until(lambda: litter(tmp_path / "out") == [], "nothing should be left behind", 10)
    assert not (tmp_path / "out" / "EXP-1").exists()


@pytest.mark.parametrize("address, said", [
    ("nonsense", "is not the address"), ("tcp://host", "is not the address"), ("tcp://host:99999", "is not the address"),
    ("htp://host:8786", "not a way to reach"), ("tcp://a b:1", "is not the address"),
])  # fmt: skip
def test_an_address_that_makes_no_sense_is_refused_before_anything_is_made(
    tmp_path: Path, address: str, said: str
) -> None:
    experiment(tmp_path / "in", "EXP-1")
    notebook(tmp_path / "nb", "1")
    with pytest.raises(InputError, match=said):
        run(tmp_path, scheduler=address)
    assert not (tmp_path / "out").exists()


def test_a_scheduler_without_workers_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    from kit.batch import cluster as on_cluster

    class Alone:
        def wait_for_workers(self, count: int, timeout: float) -> None:
            raise TimeoutError

    progress = batch.Progress(1)
    for printer in (Lines(), Bar()):
        on_cluster._look_for_workers(
            Alone(), lambda text, printer=printer: batch._tell(progress, printer, text)
        )
    assert capsys.readouterr().err.count("No worker has joined the scheduler yet") == 2
    assert progress.notice == ""


def test_a_listener_that_is_no_scheduler_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from kit.batch import cluster as on_cluster

    monkeypatch.setattr(on_cluster, "CONNECT_S", 0.3)
    mute = socket.create_server(("127.0.0.1", 0))
    with (
        mute,
        pytest.raises(InputError, match="no Dask scheduler answers"),
        on_cluster.connected(f"127.0.0.1:{mute.getsockname()[1]}", print),
    ):
        pass


DEAD = """
import sys
from kit.cli.main import main
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def test_a_dead_address_is_told_in_words_alone(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    experiment(tmp_path / "in", "EXP-1")
    command = [
        sys.executable,
        "-c",
        DEAD,
        "run",
        str(tmp_path / "in"),
        "--out",
        str(tmp_path / "out"),
        "--scheduler",
        "tcp://127.0.0.1:9",
    ]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert told.returncode == 2 and len(told.stderr.strip().splitlines()) == 1
    assert "no Dask scheduler answers" in told.stderr and not (tmp_path / "out").exists()
