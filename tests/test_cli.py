"""The command line: what it says, where, and with which exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from lab import BANNER, experiment, notebook
from test_batch import manifest

from kit import __version__
from kit.batch.job import NOTEBOOKS
from kit.cli import main as cli
from kit.core.errors import InputError


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with one experiment, and small notebooks in the place of the kit's."""
    share = tmp_path / "share"
    (share / "templates").mkdir(parents=True)
    from kit.batch import batch
    from kit.core.paths import share as real

    (share / "templates" / "report").symlink_to(real() / "templates" / "report")
    notebook(share / "notebooks", BANNER.format(verdict="warn"))
    monkeypatch.setattr(batch, "share", lambda: share)
    monkeypatch.chdir(tmp_path)
    experiment(tmp_path / "in", "EXP-1")
    return tmp_path


def test_help_is_quick_and_lists_the_commands() -> None:
    code = (
        "import sys; sys.argv = ['kit', '--help']\nfrom kit.cli.main import main\ntry:"
        " main()\nexcept SystemExit: pass\n"
    )
    code += (
        "print(sorted(set(sys.modules) & {'numpy', 'pandas', 'matplotlib', 'pydantic',"
        " 'papermill'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(command in done.stdout for command in ("new", "check", "run", "index", "explore"))
    assert done.stdout.rstrip().endswith("[]")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0 and __version__ in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [
    [], ["rum"], ["run"], ["run", "x", "--out", "o", "--workers", "0"], ["run", "x", "--out", "o", "--workers", "two"],
    ["run", "x", "--out", "o", "--timeout", "-1"], ["run", "x", "--out", "o", "--memory", "lots"], ["run", "x", "--out", "o", "--fail-on", "pass"],
    ["run", "x", "--out", ""],
])  # fmt: skip
def test_bad_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2


@pytest.mark.parametrize("arguments, said", [
    (["in", "--only", "01_assay_cq"], "Did you mean '01_assay_qc'?"),
    (["nowhere"], "nowhere: is not there"),
    (["in", "--set", "min_z_prim=0.4"], "Did you mean 'min_z_prime'?"),
    (["in", "--set", "min_z_prime"], "is not NAME=VALUE"),
    (["in", "--set", "min_z_prime=high"], "--set: min_z_prime: 'high'"),
    (["in", "--set", "min_z_prime=7"], "less than or equal to 1"),
    (["in", "--set", "min_z_prime=true"], "should be a number, not true"),
    (["in", "--set", "bootstrap_draws=false"], "should be a number, not false"),
])  # fmt: skip
def test_requests_that_make_no_sense_are_2(
    bench: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", *arguments, "--out", "out"]) == 2
    assert said in capsys.readouterr().err
    assert not (bench / "out").exists()


def test_run_then_nothing_to_do(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "in", "--out", "out", "--set", "min_z_prime=0.4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    reason = manifest(bench / "out", "EXP-1")["reasons"][0]
    assert lines[0].startswith("EXP-1: WARN in ") and lines[0].endswith(f" s: {reason}")
    assert lines[1] == f"1 made. Index: {Path('out') / 'index.html'}"
    told = json.loads((bench / "out" / "EXP-1" / "manifest.json").read_text())
    assert told["settings"]["min_z_prime"] == 0.4
    assert cli.main(["run", "in/EXP-*", "--out", "out", "--set", "min_z_prime=0.4"]) == 0
    assert capsys.readouterr().out.startswith("0 made, 1 up to date.")


@pytest.mark.parametrize("fail_on, status", [("warn", 3), ("fail", 0)])
def test_fail_on(bench: Path, fail_on: str, status: int) -> None:
    assert cli.main(["run", "in", "--out", "out", "--fail-on", fail_on]) == status
    assert (
        cli.main(["run", "in", "--out", "out", "--fail-on", fail_on]) == status
    )  # also when it is up to date


def test_an_experiment_that_cannot_be_reported_is_1(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment(bench / "in", "EXP-0", extra="colour: red\n")
    assert cli.main(["run", "in", "--out", "out", "--fail-on", "fail"]) == 1
    said = capsys.readouterr()
    assert "EXP-0: FAILED (1 problem)" in said.out and "EXP-1: WARN" in said.out
    assert "experiment.yaml" in said.err and "'colour' is not a field here" in said.err


def test_an_output_folder_that_cannot_be_is_1(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bench / "taken").write_text("")
    assert cli.main(["run", "in", "--out", "taken"]) == 1
    assert "cannot write here" in capsys.readouterr().err


def test_check(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "in"]) == 0
    *gaps, last = capsys.readouterr().out.splitlines()
    assert last.startswith("EXP-1: no problems in the files")
    assert any("`media.complete.serum`" in line and "provisional" in line for line in gaps)
    experiment(bench / "in", "EXP-0", extra="colour: red\nshape: round\n")
    assert cli.main(["check", "in"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("EXP-0/experiment.yaml: ") for line in lines[:2])
    assert all(line.startswith("EXP-1: ") for line in lines[2:])
    assert cli.main(["check", "nowhere"]) == 1


def test_check_goes_on_behind_an_experiment_it_stumbles_over(
    bench: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from kit.experiment import load as module

    real = module.load

    def stumble(folder: Path, settings: object) -> object:
        if folder.name == "EXP-1":
            raise RuntimeError("out of tune")
        return real(folder)

    experiment(bench / "in", "EXP-2")
    monkeypatch.setattr(module, "load", stumble)
    assert cli.main(["check", "in"]) == 1
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("EXP-1: could not be checked: RuntimeError: out of tune")
    assert last.startswith("EXP-2: no problems")


def test_index_again(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "in", "--out", "out"]) == 0
    (bench / "out" / "index.html").unlink()
    assert cli.main(["index", "out"]) == 0
    assert (bench / "out" / "index.html").is_file()
    assert cli.main(["index", "nowhere"]) == 2


@pytest.mark.parametrize("taken, options, said", [
    ("index.html", [], "the index cannot be written"), ("index.json", [], "the index cannot be written"), ("across.html", ["--across"], "across.html cannot be written"),
])  # fmt: skip
def test_an_index_that_cannot_be_written_is_1(
    bench: Path,
    taken: str,
    options: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from kit.batch import across_page

    monkeypatch.setattr(across_page, "_manifest", lambda *_: {})
    monkeypatch.setattr(
        across_page.isolate, "run", lambda *_, **__: across_page.isolate.Outcome("done", "")
    )
    monkeypatch.setattr(across_page.report, "render", lambda *_: "a page")
    (bench / "out" / taken).mkdir(parents=True)
    assert cli.main(["index", "out", *options]) == 1
    assert said in capsys.readouterr().err
    assert not [path.name for path in (bench / "out").iterdir() if path.name.startswith(".")]


NO_ROOM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from kit.cli.main import main
sys.exit(main(["index", "out", *sys.argv[1:]]))
"""


@pytest.mark.parametrize("options", [[], ["--across"]])
def test_no_room_for_the_index(bench: Path, options: list[str]) -> None:
    pytest.importorskip("resource", reason="the limit of a file's size is POSIX's")
    (bench / "out").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM, *options], capture_output=True, text=True, timeout=240
    )
    assert (
        done.returncode == 1 and "File too large" in done.stderr and "Traceback" not in done.stderr
    )
    assert list((bench / "out").iterdir()) == []


def test_the_index_links_to_the_page_across_experiments_where_it_is(bench: Path) -> None:
    link = '<a id="across" href="across.html">'
    assert cli.main(["run", "in", "--out", "out"]) == 0
    assert link not in (bench / "out" / "index.html").read_text()
    (bench / "out" / "across.html").write_text("a page")
    assert cli.main(["run", "in", "--out", "out"]) == 0
    assert link in (bench / "out" / "index.html").read_text()


@pytest.mark.parametrize(
    "text, value",
    [
        ("2GB", 2_000_000_000),
        ("500 mb", 500_000_000),
        ("1.5G", 1_500_000_000),
        ("7", 7),
        ("3KiB", 3000),
    ],
)
def test_sizes(text: str, value: int) -> None:
    assert cli._size(text) == value


def test_settings_are_typed() -> None:
    assert cli.settings_of(["gr_auxotroph=0.7"]) == {"gr_auxotroph": 0.7}, (
        "whether limits cross is judged with those of the experiment"
    )
    assert cli.settings_of(["min_z_prime=0.4", "bootstrap_draws=500"]) == {
        "min_z_prime": 0.4,
        "bootstrap_draws": 500,
    }
    with pytest.raises(InputError) as caught:
        cli.settings_of(["nonsense=1", "min_z_prime=x", "min_ssmd"])
    assert len(caught.value.problems) == 3


def test_every_notebook_of_the_kit_takes_the_parameters_a_run_passes() -> None:
    import papermill

    from kit.core.paths import share

    for path in sorted((share() / "notebooks").glob("0*.ipynb")):
        if path.stem in NOTEBOOKS:
            known = papermill.inspect_notebook(str(path))
            assert {"experiment", "out", "settings"} <= set(known), path.name
            assert all(known[name]["help"] for name in ("experiment", "out", "settings")), path.name
