"""JSON for programs, PDF, and the pipelines: run for real where their tool can be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

EXAMPLES = ("EXP-DEMO-02", "EXP-DEMO-05")


def kit(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=cwd)


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict], str]:
    """Two good experiments and a broken one, with JSON lines."""
    place = tmp_path_factory.mktemp("pipelines")
    for name in EXAMPLES:
        shutil.copytree(root / "data" / "examples" / name, place / "in" / name)
    (place / "in" / "EXP-BAD").mkdir()
    (place / "in" / "EXP-BAD" / "experiment.yaml").write_text("experiment_id: EXP-BAD\n")
    done = kit("run", place / "in", "--out", place / "out", "--json")
    assert done.returncode == 1, done.stderr
    return place, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_one_json_line_per_experiment_and_nothing_else(run: tuple) -> None:
    place, lines, _ = run
    assert [line["experiment_id"] for line in lines] == ["EXP-BAD", *EXAMPLES]
    bad, demo, blots = lines
    assert bad["status"] == "failed" and bad["problems"] and bad["calls"] == []
    assert (demo["status"], demo["verdict"], demo["made"]) == ("ok", "fail", True)
    assert demo["reasons"][0]["code"].startswith("P01") and "FBS" in demo["reasons"][0]["text"]
    assert {call["cell_line"] for call in demo["calls"]} == {"MOLT-4", "A549"}
    assert Path(demo["paths"]["report"]) == place / "out" / "EXP-DEMO-02" / "report.html"
    assert all(Path(path).exists() for line in lines for path in line["paths"].values())
    assert blots["verdict"] == "warn"


def test_what_is_up_to_date_is_told_again(run: tuple) -> None:
    place, lines, _ = run
    done = kit("run", place / "in" / "EXP-DEMO-05", "--out", place / "out", "--json")
    (line,) = map(json.loads, done.stdout.splitlines())
    assert line | {"made": True} == lines[2] and line["made"] is False


def test_without_out_reports_go_to_reports(run: tuple, tmp_path: Path) -> None:
    done = kit("run", run[0] / "in" / "EXP-DEMO-05", "--only", "06", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "reports" / "EXP-DEMO-05" / "report.html").exists()


def test_a_report_is_printed(run: tuple) -> None:
    from kit.batch import pdf

    if not any(shutil.which(name) for name in pdf.BROWSERS):
        pytest.skip("no Chromium here")
    place = run[0]
    done = kit("run", place / "in" / "EXP-DEMO-05", "--out", place / "out", "--pdf")
    content = (place / "out" / "EXP-DEMO-05" / "report.pdf").read_bytes()
    assert done.returncode == 0 and content.startswith(b"%PDF-") and content.count(b"/Page") > 2
    again = kit("run", place / "in" / "EXP-DEMO-05", "--out", place / "out", "--pdf")
    assert "1 up to date" in again.stdout and "report.pdf" not in again.stderr


def test_without_a_browser_a_pdf_says_how(run: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    from kit.batch import pdf
    from kit.core.errors import InputError

    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="Install Chromium"):
        pdf.write(run[0] / "out" / "EXP-DEMO-05")


# ---- pipelines


def _path() -> dict[str, str]:
    """An environment in which `kit` is this Python's."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.slow
def test_snakemake_makes_the_reports(root: Path, run: tuple, tmp_path: Path) -> None:
    tool = shutil.which("snakemake")
    if tool is None:
        venv.create(tmp_path / "env", with_pip=True)
        python = tmp_path / "env" / "bin" / "python"
        wanted = [str(python), "-m", "pip", "install", "-q", "snakemake>=8"]
        if subprocess.run(wanted, capture_output=True, timeout=600).returncode:
            pytest.skip("snakemake could not be installed")
        tool = str(python.with_name("snakemake"))
    shutil.rmtree(run[0] / "in" / "EXP-BAD", ignore_errors=True)
    command = [tool, "-s", str(root / "templates" / "pipelines" / "Snakefile"), "--cores", "2"]
    command += ["--config", f"experiments={run[0] / 'in'}", f"out={tmp_path / 'out'}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=_path())
    assert done.returncode == 0, done.stderr[-3000:]
    for name in EXAMPLES:
        assert (tmp_path / "out" / name / "report.html").exists()
    index = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert all(name in index for name in EXAMPLES)
    again = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=_path())
    assert "Nothing to be done" in again.stdout + again.stderr


def test_an_array_task_makes_its_experiment(root: Path, run: tuple, tmp_path: Path) -> None:
    """The script of the array, with the variables that SLURM sets."""
    script = root / "templates" / "pipelines" / "slurm.sh"
    (tmp_path / "list.txt").write_text(f"/nowhere\n{run[0] / 'in' / 'EXP-DEMO-05'}\n")
    environment = _path() | {"SLURM_ARRAY_TASK_ID": "2", "SLURM_CPUS_PER_TASK": "1"}
    if not shutil.which("kit", path=environment["PATH"]):
        pytest.skip("the command kit is not installed here")
    command = ["bash", str(script), "list.txt", "out"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["experiment_id"] == "EXP-DEMO-05"
    assert (tmp_path / "out" / "EXP-DEMO-05" / "report.html").exists()
    assert not list((tmp_path / "out" / ".runs").iterdir())
    past = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path,
        env=environment | {"SLURM_ARRAY_TASK_ID": "9"},
    )  # fmt: skip
    assert past.returncode == 2 and "is empty" in past.stdout


def test_the_script_of_the_nextflow_process_runs(root: Path, run: tuple, tmp_path: Path) -> None:
    """Nextflow's own part is to fill in the variables and to link the folder: done here by hand."""
    environment = _path()
    if not shutil.which("kit", path=environment["PATH"]):
        pytest.skip("the command kit is not installed here")
    text = (root / "templates" / "pipelines" / "main.nf").read_text("utf-8")
    script = text.partition("script:")[2].split('"""')[1]
    (tmp_path / "EXP-DEMO-05").symlink_to(run[0] / "in" / "EXP-DEMO-05")
    for name, value in {
        "experiment": "EXP-DEMO-05", "meta.id": "EXP-DEMO-05", "task.cpus": "1",
        "task.process": "KIT_REPORT", "args": "--only 06 --fail-on warn",
    }.items():  # fmt: skip
        script = script.replace(f"${{{name}}}", value)
    lines = [line.removeprefix("    ") for line in script.replace("\\$", "$").split("\n")]
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)],
        capture_output=True, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "reports" / "EXP-DEMO-05" / "report.html").exists()
    verdict = json.loads((tmp_path / "EXP-DEMO-05.json").read_text())["verdict"]
    status = int((tmp_path / "EXP-DEMO-05.status").read_text())
    assert status == (3 if verdict in ("warn", "fail") else 0)
    versions = (tmp_path / "versions.yml").read_text().split("\n")
    assert versions[0] == '"KIT_REPORT":' and versions[1].startswith("    asn-dropout-kit: 0")


def test_the_image_installs_what_the_constraints_say(root: Path) -> None:
    """Docker and Nextflow cannot be run here: their files name what exists."""
    text = (root / "templates" / "pipelines" / "Dockerfile").read_text("utf-8")
    assert "pip install --no-cache-dir -c constraints.txt ." in text and "USER kit" in text
    flow = (root / "templates" / "pipelines" / "main.nf").read_text("utf-8")
    assert flow.count("{") == flow.count("}") and flow.count('"""') % 2 == 0
    for word in ("tag", "label", "container", "input:", "output:", "versions.yml", "stub:"):
        assert word in flow
    flags = kit("run", "--help").stdout
    assert all(flag in flags for flag in ("--json", "--workers", "--out", "--pdf"))
