"""Nothing is lost and nothing is run: what a run must never replace, what it must notice, and what
of its surroundings it must not heed.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lab import BANNER, experiment, litter, notebook
from test_batch import forked, manifest, run

import kit
from kit.batch import batch, isolate
from kit.cli.main import main
from kit.core.errors import InputError
from kit.experiment import inputs
from kit.report import index
from kit.report.notebook import open_notebook


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """An experiment, and a notebook that shows something."""
    notebook(tmp_path / "nb", BANNER.format(verdict="pass"))
    return experiment(tmp_path / "in", "EXP-1")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Nothing is lost


@pytest.mark.parametrize("out", ["in", "in/EXP-1/reports", "in/EXP-1", "above"])
def test_a_report_never_takes_the_place_of_data(tmp_path: Path, one: Path, out: str) -> None:
    """The reports folder holds the experiment, lies in it, is it, or the report would lie around
    it.
    """
    folder = one
    if out == "above":
        folder = shutil.move(one, tmp_path / "above" / "EXP-1" / "EXP-1")
    before = contents(tmp_path)
    with pytest.raises(InputError, match="in, on or around the folder of the experiment"):
        batch.run([folder], tmp_path / out, notebooks=tmp_path / "nb")
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "told", [None, "{}", "[]", "not JSON", '{"experiment_id": "EXP-1", "name": "of an extension"}']
)
def test_a_folder_that_is_no_report_is_never_replaced(
    tmp_path: Path, one: Path, told: str | None
) -> None:
    there = tmp_path / "out" / "EXP-1"
    there.mkdir(parents=True)
    (there / "thesis.docx").write_text("years of work")
    if told is not None:
        (there / "manifest.json").write_text(told)
    before = contents(there)
    with pytest.raises(InputError, match="is not a report of the kit"):
        run(tmp_path)
    assert contents(there) == before


def test_crossing_limits_are_bad_usage_and_touch_nothing(
    tmp_path: Path, one: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", str(one), "--out", str(tmp_path / "out"), "--set", "min_z_prime=0.1"]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "fail_z_prime (0.2)" in said and "EXP-1" in said and not (tmp_path / "out").exists()
    text = (one / "experiment.yaml").read_text()
    (one / "experiment.yaml").write_text(f"{text}settings: {{fail_z_prime: 0.05}}\n")
    assert not run(tmp_path, settings={"min_z_prime": 0.1}).failed


def test_files_out_of_reach_leave_the_good_report(tmp_path: Path, one: Path) -> None:
    assert not run(tmp_path).failed
    (one / "raw").rename(tmp_path / "unmounted")
    assert run(tmp_path).made[0]["status"] == "failed"
    told = manifest(tmp_path / "out", "EXP-1")
    assert told["status"] == "ok" and "p1.csv" in told["last_attempt"]["problems"][0]
    (tmp_path / "unmounted").rename(one / "raw")
    assert not run(tmp_path).failed and "last_attempt" not in manifest(tmp_path / "out", "EXP-1")


@forked
@pytest.mark.parametrize("fault, stays", [("OSError(28, 'full')", True), ("OSError('odd')", True),
                                          ("MemoryError()", True), ("FileNotFoundError(2, 'x')", False)])  # fmt: skip
def test_a_machine_without_room_leaves_the_good_report(
    tmp_path: Path, one: Path, fault: str, stays: bool
) -> None:
    assert not run(tmp_path).failed
    notebook(tmp_path / "nb", f"raise {fault}")
    assert run(tmp_path, workers=2).made[0]["status"] == "failed"
    assert (manifest(tmp_path / "out", "EXP-1")["status"] == "ok") is stays


# The numbers are those of the files that are named


@forked
def test_a_file_that_changes_while_a_report_is_made_is_read_again(
    tmp_path: Path, one: Path
) -> None:
    """The first notebook to run changes the file: the report is of what is there at the end."""
    change = f"""import pathlib
mark, raw = pathlib.Path({str(tmp_path / "mark")!r}), pathlib.Path(experiment) / "raw" / "p1.csv"
if not mark.exists():
    mark.touch()
    raw.write_text(raw.read_text().replace("1000", "4321"))"""
    notebook(tmp_path / "nb", change)
    assert not run(tmp_path).failed
    told = manifest(tmp_path / "out", "EXP-1")
    hashes = {entry["path"]: entry["sha256"] for entry in told["inputs"]}
    assert hashes["raw/p1.csv"] == inputs.sha256(one / "raw" / "p1.csv")
    wells = (tmp_path / "out" / "EXP-1" / "tables" / "wells.csv").read_text()
    assert "4321" in wells and litter(tmp_path / "out") == []
    assert len(run(tmp_path).skipped) == 1


@forked
def test_files_that_never_rest_are_named_and_leave_the_good_report(
    tmp_path: Path, one: Path
) -> None:
    assert not run(tmp_path).failed
    change = """import pathlib, uuid
(pathlib.Path(experiment) / "exclusions.csv").write_text(f"plate,well,reason,by,at\\nP1,A01,{uuid.uuid4()},me,2026-03-03\\n")"""
    notebook(tmp_path / "nb", change)
    assert "exclusions.csv: changed while" in run(tmp_path).failed[0]["problems"][0]
    assert manifest(tmp_path / "out", "EXP-1")["status"] == "ok"


def test_a_file_that_changes_while_it_is_read_is_read_again(
    one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kit.experiment import load as loading

    read, seen = loading.read_plates, []

    def slow(path: Path, **options: object) -> object:
        found = read(path, **options)
        if not seen:
            path.write_text(path.read_text().replace("1000", "4321"))
        seen.append(path)
        return found

    monkeypatch.setattr(loading, "read_plates", slow)
    found = kit.load(one)
    assert len(seen) == 2 and found.wells["signal"].iloc[0] == 4321
    assert {item.path: item.sha256 for item in found.inputs}["raw/p1.csv"] == inputs.sha256(
        one / "raw" / "p1.csv"
    )


# Nothing is run


def test_the_current_folder_is_neither_code_nor_configuration(tmp_path: Path, one: Path) -> None:
    """Modules, a matplotlibrc and a backend that would stop or change a report; braces in the
    folder's name, which papermill would fill in.
    """
    traps, ran = tmp_path / "traps", tmp_path / "ran"
    traps.mkdir()
    for name in (
        "random",
        "numpy",
        "json",
        "string",
        "kit",
        "calendar",
        "platform",
        "sitecustomize",
    ):
        (traps / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write('{name} ')")
    (traps / "matplotlibrc").write_text("text.usetex: true\nfigure.dpi: 7\n")
    out = tmp_path / "x{3F2504E0}{experiment}"
    look = "import matplotlib\nprint(matplotlib.rcParams['text.usetex'], matplotlib.get_backend())"
    notebook(tmp_path / "nb", look)
    script = (
        "from kit.batch import batch\n"
        "if __name__ == '__main__':\n"
        f"    done = batch.run([{str(one)!r}], {str(out)!r}, notebooks={str(tmp_path / 'nb')!r})\n"
        "    raise SystemExit(bool(done.failed))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=traps,
        env={**os.environ, "MPLBACKEND": "Qt4Agg"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert not ran.exists()
    cells = json.loads((out / "EXP-1" / "notebooks" / "01_assay_qc.ipynb").read_text())["cells"]
    assert "".join(cells[-1]["outputs"][0]["text"]).startswith("False ")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system lists no sockets")
def test_sockets_of_servers_that_were_killed_are_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolate, "get_temp_dir", lambda: str(tmp_path / "pymp-own"))
    left, lives = tmp_path / "pymp-a" / "listener-1", tmp_path / "pymp-b" / "listener-2"
    sockets = []
    for path in (left, lives):
        path.parent.mkdir()
        sockets.append(socket.socket(socket.AF_UNIX))
        sockets[-1].bind(str(path))
    sockets[0].close()  # as the system does when a process is killed
    isolate._clear_stale_sockets()
    assert not left.parent.exists() and lives.exists()
    sockets[1].close()


# The index


@pytest.mark.parametrize("odd", ["{", "[]", "{}", '{"experiment_id": 1, "status": "ok", "verdict": 5}',
    '{"experiment_id": "X", "status": "ok", "verdict": "pass", "reasons": 5}',
    '{"experiment_id": "X", "status": "ok", "verdict": "pass", "reasons": [], "last_attempt": []}',
    '{"experiment_id": "X", "status": "ok", "verdict": "pass", "reasons": [], "calls": [1]}',
])  # fmt: skip
def test_an_odd_manifest_is_left_out_of_the_index_and_named(
    tmp_path: Path, one: Path, odd: str
) -> None:
    good = {"experiment_id": "EXP-1", "status": "ok", "verdict": "pass", "reasons": []}
    for name, text in (("EXP-1", json.dumps(good)), ("EXP-2", odd)):
        (tmp_path / "out" / name).mkdir(parents=True)
        (tmp_path / "out" / name / "manifest.json").write_text(text)
    said: list[str] = []
    index.write(tmp_path / "out", said.append)
    entries = json.loads((tmp_path / "out" / "index.json").read_text())["experiments"]
    assert [entry["experiment_id"] for entry in entries] == ["EXP-1"]
    assert len(said) == 1 and said[0].startswith("EXP-2 is left out")


def test_writers_of_one_index_do_not_disturb_one_another(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: index.write(tmp_path), range(64)))
    assert json.loads((tmp_path / "index.json").read_text())["experiments"] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "index.json"]


# By hand


def test_parameters_of_another_type_and_a_path_to_analyse_are_told_in_words(one: Path) -> None:
    with pytest.raises(InputError, match=r"2026.*is not there"):
        open_notebook(2026)  # type: ignore[arg-type]
    analysis, _ = open_notebook(str(one), settings={"min_z_prime": 0.4})
    assert analysis.experiment.settings.min_z_prime == 0.4
    with pytest.raises(InputError, match="Write JSON"):
        open_notebook(str(one), settings="min_z_prime=0.4")
    with pytest.raises(InputError, match=r"kit\.load"):
        kit.analyse("folder")  # type: ignore[arg-type]


def test_the_verdict_rests_on_no_notebook(tmp_path: Path, one: Path) -> None:
    """FBS that was not dialyzed fails; the notebook that is asked for says nothing of it."""
    notebook(tmp_path / "nb", "1")
    text = (
        (one / "experiment.yaml")
        .read_text()
        .replace("{role: control}", "{role: control, serum: FBS}")
    )
    (one / "experiment.yaml").write_text(f"{text}sera: {{FBS: {{dialyzed: false, percent: 10}}}}\n")
    assert run(tmp_path, only=["01"]).worst == "fail"
    told = manifest(tmp_path / "out", "EXP-1")
    assert told["status"] == "ok" and told["reasons"] == list(
        kit.analyse(kit.load(one)).summary.reasons
    )
