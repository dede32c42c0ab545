"""`kit new` at the command line: with and without a terminal, and what it refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_scaffold import values

from kit.cli.main import main
from kit.new import command
from kit.readers.layouts.layout import read_layout
from kit.simulate import examples, synthetic

pty = pytest.importorskip("pty", reason="answers are typed into a pseudo-terminal")


def test_plain_folder_passes_check_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", str(tmp_path / "EXP-9")]) == 0
    assert "SIMULATED" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "EXP-9")]) == 0


def test_blank_names_what_is_missing_until_it_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files as four vendors' readers write them, for the layout as it was drawn, take away one
    problem each.
    """
    folder = tmp_path / "EXP-9"
    assert (
        main(
            [
                "new",
                str(folder),
                "--blank",
                "--yes",
                "--lines",
                "Jurkat,A549",
                "--replicates",
                "2",
                "--flow",
                "--blot",
            ]
        )
        == 0
    )
    wanted = [
        *(plate["file"] for plate in values(folder)["plates"]),
        "raw/annexin_72h.csv",
        "raw/asns_densitometry.csv",
    ]
    assert values(folder)["simulated"] is False and [
        path.name for path in (folder / "raw").iterdir()
    ] == ["README.txt"]
    capsys.readouterr()
    assert main(["check", str(folder)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == len(wanted) == 10 and all(
        f"'{name}' is not there" in line for name, line in zip(wanted, said, strict=True)
    )
    fill(folder)
    assert main(["check", str(folder)]) == 0, capsys.readouterr().out


def fill(folder: Path) -> None:
    """Raw files for a blank folder, from the writers of the examples."""
    config, truth = values(folder), synthetic.demo_01()
    vendors = [examples.envision_csv, examples.mars_csv]
    for number, plate in enumerate(config["plates"]):
        wells = read_layout(folder / plate["layout"], plate["layout"])
        rng = synthetic.np.random.default_rng(number)
        wells["signal"] = synthetic.signals(
            wells, truth.lines[plate["cell_line"]], plate["hours"], truth.noise, {}, rng
        )
        (folder / plate["file"]).write_bytes(vendors[number % 2](wells, plate["plate"]))
    table = synthetic.flow_table(truth)
    table[table["cell_line"].isin(["Jurkat", "A549"])].to_csv(
        folder / "raw" / "annexin_72h.csv", index=False
    )
    (folder / "raw" / "asns_densitometry.csv").write_text(
        "lane,cell_line,replicate,target,volume,background,lane_role\n1,A549,1,ASNS,120,20,sample\n"
    )


@pytest.mark.parametrize(
    ("name", "made", "said"),
    [
        ("EXP 9", None, "for example EXP-9"),
        ("x" * 65, None, "at most 64"),
        ("EXP-9", "file", "is a file"),
        ("EXP-9", "folder", "already and not empty; nothing was changed"),
        ("blocked/EXP-9", "blocker", "cannot be"),
    ],
)
def test_a_place_that_will_not_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, made: str | None, said: str
) -> None:
    target = tmp_path / name
    if made == "file":
        target.write_text("mine")
    elif made == "folder":
        (target / "raw").mkdir(parents=True)
    elif made == "blocker":
        target.parent.write_text("a file where a folder should be")
    before = sorted(tmp_path.rglob("*"))
    assert main(["new", str(target)]) == 2
    assert said in capsys.readouterr().err and sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "EXP-9").mkdir()
    assert (
        main(["new", str(tmp_path / "EXP-9"), "--blank"]) == 0
        and (tmp_path / "EXP-9" / "experiment.yaml").is_file()
    )


def test_all_wrong_flags_are_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = {"--lines": "A:sus,a:ad,B:flying", "--dropouts": "asparagin", "--plate": "97", "--replicates": "0", "--hours": "0", "--seed": "x",
             "--wells-per-group": "3", "--layout-format": "xls", "--readout": ""}  # fmt: skip
    assert (
        main(["new", str(tmp_path / "E"), *(part for pair in flags.items() for part in pair)]) == 2
    )
    said = capsys.readouterr().err
    assert (
        all(f"kit new: {flag}: " in said for flag in flags)
        and "'a' stands there twice" in said
        and "Did you mean 'asparagine'" in said
    )
    assert not (tmp_path / "E").exists()


def test_a_rescue_needs_its_dropout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / "E"), "--dropouts", "asn", "--rescues", "gln"]) == 2
    assert (
        "'glutamine' is added back but never taken away. Dropouts: asparagine."
        in capsys.readouterr().err
    )


def converse(folder: Path, answers: bytes, *flags: str) -> tuple[int, str]:
    """Run `kit new` on a terminal of its own and type `answers`."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kit", "new", str(folder), *flags],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
    )
    os.close(theirs)
    os.write(ours, answers)
    seen = b""
    try:
        while chunk := os.read(ours, 4096):
            seen += chunk
    except OSError:  # the terminal closes with its last user
        pass
    os.close(ours)
    return process.wait(timeout=60), seen.decode()


def test_a_terminal_is_asked_and_wrong_answers_are_asked_again(tmp_path: Path) -> None:
    answers = b"HeLa:adh, Nalm-6:walking\nHeLa:adh, Nalm-6:susp\nasn\n\n2\n\n\n\nmaybe\nn\nn\nn\n"
    status, seen = converse(tmp_path / "EXP-9", answers, "--title", "Mine")
    config = values(tmp_path / "EXP-9")
    assert (
        status == 0
        and "'walking' is not a growth mode" in seen
        and "Please answer y or n" in seen
        and "Title" not in seen
    )
    assert {name: line["growth_mode"] for name, line in config["cell_lines"].items()} == {
        "HeLa": "adherent",
        "Nalm-6": "suspension",
    }
    assert list(config["media"]) == ["complete", "no_asn", "no_asn_rescue"] and set(
        config["replicates"]
    ) == {1, 2}
    assert (
        config["title"] == "Mine"
        and config["simulated"] is False
        and config["plates"][0]["file"] == "raw/hela-0h-r1.csv"
    )


def test_an_answer_is_checked_against_the_earlier_ones(tmp_path: Path) -> None:
    """A rescue of what was never taken away is asked again, and a flag that only goes with an
    answer to come is no mistake.
    """
    status, seen = converse(
        tmp_path / "EXP-9", b"MOLT-4\nglutamine\nserine\nglutamine\n1\n\n\n\n\nn\nn\nn\n"
    )
    assert (
        status == 0
        and "'serine' is added back but never taken away" in seen
        and seen.count("Amino acids to add back") == 2
    )
    assert list(values(tmp_path / "EXP-9")["media"]) == ["complete", "no_gln", "no_gln_rescue"]
    status, seen = converse(
        tmp_path / "EXP-8",
        b"MOLT-4\nglutamine\nglycine\n1\n\n\n\n\nn\nn\nn\n",
        "--rescues",
        "glycine",
    )
    assert (
        status == 0
        and seen.count("Amino acids to take away") == 2
        and list(values(tmp_path / "EXP-8")["media"])[1] == "no_gly"
    )


def test_what_does_not_fit_is_said_after_the_questions_and_asked_again(tmp_path: Path) -> None:
    """Four lines with three dropouts and rescues have no room on 96 wells, but on 384."""
    first, again = b"a:adh,b:adh,c:adh,d:adh\n\n\n1\n\n96\n\n\n", b"\n\n\n384\n"
    status, seen = converse(tmp_path / "EXP-9", first + again + b"n\nn\nn\n", "--together")
    assert status == 0 and seen.count("Wells of a plate") == 2 and seen.count("Title") == 1
    assert seen.index("Title") < seen.index("fit"), "only when all is known"
    assert len(values(tmp_path / "EXP-9")["cell_lines"]) == 4


def test_leaving_the_questions_writes_nothing(tmp_path: Path) -> None:
    status, seen = converse(tmp_path / "EXP-9", b"\n\x04")
    assert status == 2 and "stopped; nothing was written" in seen and not list(tmp_path.iterdir())


def test_help_tells_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["new", "--help"])
    said = capsys.readouterr().out
    assert stop.value.code == 0 and "On a terminal it asks" in said and "SIMULATED" in said
    assert all(
        f"--{name.replace('_', '-')}" in said
        for name in (*command.TEXTS, "flow", "blot", "together", "example", "blank", "yes")
    )
