"""Names as people write them: taken as written, told apart where they print alike, and files that
are there under nearly their name.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import kit
from kit.core.errors import InputError
from kit.experiment.exclusions import bring_back, exclude

WELLS = [f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]
YAML = """\
experiment_id: {id}
cell_lines: {{{line}: {{growth_mode: adherent, doubling_time_h: 22}}}}
sera: {{dFBS: {{lot: {lot}}}}}
media:
  complete: {{role: control}}
  {medium}: {{role: dropout, removes: asparagine}}
plates:
  - {{plate: {plate}, file: {file}, layout: map.csv, readout: {readout}, hours: 0, replicate: 1}}
  - {{plate: P2, file: raw/p2.csv, layout: map.csv, readout: CellTiter-Glo, hours: 48, replicate: 1}}
"""
WRITTEN = {
    "id": "E1",
    "line": "A549",
    "lot": "A1",
    "medium": "no_asn",
    "plate": "P1",
    "file": "raw/p1.csv",
    "readout": "CellTiter-Glo",
}


def experiment(root: Path, *, medium: str = "no_asn", **changed: str) -> Path:
    """A folder with two plates; `medium` is the layout's spelling, `changed` what the YAML says."""
    said = {**WRITTEN, "medium": medium, **changed}
    folder = root / said["id"].strip('"')
    (folder / "raw").mkdir(parents=True)
    (folder / "experiment.yaml").write_text(YAML.format(**said))
    rows = [f"{well},{'complete' if well[0] < 'E' else medium}" for well in WELLS]
    (folder / "map.csv").write_text("\n".join(["well,medium", *rows]) + "\n")
    for n in (1, 2):
        values = [f"{well},{1000 * n + k}" for k, well in enumerate(WELLS)]
        (folder / f"raw/p{n}.csv").write_text("\n".join(["Well,RLU", *values]) + "\n")
    return folder


def message(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        kit.load(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    "text", ["0012", "1E5", "true", "2026-03-02", "2026_03_02", "1_000", "007"]
)
def test_text_is_taken_as_written(tmp_path: Path, text: str) -> None:
    config = kit.load(experiment(tmp_path, id=text, line=text, lot=text, plate=text)).config
    assert (config.experiment_id, *config.cell_lines) == (text, text)
    assert (config.sera["dFBS"].lot, config.plates[0].plate) == (text, text)


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    plate = kit.load(experiment(tmp_path)).config.plates[1]
    assert (plate.hours, plate.replicate, type(plate.hours)) == (48.0, 1, float)


@pytest.mark.parametrize(
    ("yaml", "layout"),
    [("ohne Asn mu\u0308", "ohne Asn m\u00fc"), ("10\u00a0\u03bcM", "10 \u00b5M")],
)
def test_letters_that_print_alike_are_one(tmp_path: Path, yaml: str, layout: str) -> None:
    folder = experiment(tmp_path, medium=layout)
    path = folder / "experiment.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(layout, yaml), encoding="utf-8")
    assert layout in set(kit.load(folder).wells["medium"])


@pytest.mark.parametrize("spelt", ["CTG", "celltiter-glo", "Celltiter Glo"])
def test_one_readout_spelt_two_ways_is_one(tmp_path: Path, spelt: str) -> None:
    wells = kit.load(experiment(tmp_path, readout=spelt)).wells
    assert set(wells["readout"]) == {"CellTiter-Glo"}


def test_other_readouts_stay_apart(tmp_path: Path) -> None:
    wells = kit.load(experiment(tmp_path, readout="BrdU")).wells
    assert set(wells["readout"]) == {"BrdU", "CellTiter-Glo"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"file": "raw\\p1.csv"}, "Write raw/p1.csv, with /"),
        ({"id": "index.html"}, "line 1: experiment_id: 'index.html'"),
        ({"line": "{{ line }}"}, "line 2: the key is no name"),
        ({"lot": "!x 1"}, "YAML tag"),
    ],
)
def test_what_is_refused_in_words(tmp_path: Path, changed: dict[str, str], words: str) -> None:
    assert words in message(experiment(tmp_path, **changed))


def test_a_question_mark_key_and_words_for_numbers(tmp_path: Path) -> None:
    folder = experiment(tmp_path)
    path = folder / "experiment.yaml"
    text = path.read_text()
    path.write_text(text.replace("  no_asn:", "  ? no_asn :"))
    assert "line 6: the key is no name" in message(folder)
    path.write_text(text.replace("hours: 48, replicate: 1", "hours: 48 h, replicate: A"))
    said = message(folder)
    assert "Write 48 alone" in said
    assert "whole number" in said


def test_links_out_of_the_folder_are_named(tmp_path: Path) -> None:
    folder = experiment(tmp_path)
    (folder / "raw").rename(tmp_path / "share")
    (folder / "raw").symlink_to(tmp_path / "share")
    assert "'raw' is a link" in message(folder)


@pytest.mark.parametrize("name", ["experiment.yml", "Experiment.yaml", "experiment.yaml.txt"])
def test_a_misnamed_experiment_file(tmp_path: Path, name: str) -> None:
    folder = experiment(tmp_path)
    (folder / "experiment.yaml").rename(folder / name)
    assert f"Rename {name} to experiment.yaml" in message(folder)


@pytest.mark.parametrize(
    "name", ["Exclusions.csv", "exclusions.csv.txt", "exclusions.xlsx", "exclusions (1).csv"]
)
def test_lists_that_look_like_exclusions_are_named(tmp_path: Path, name: str) -> None:
    folder = experiment(tmp_path)
    (folder / name).write_text("x")
    (notice,) = kit.load(folder).notices
    assert (notice.code, notice.subject) == ("FILE_NOT_READ", name)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("plate;well;reason;by;at\nP1;B02;bubble;AK;05.03.2026 14:05\n", "2026-03-05T14:05:00"),
        ("sep=;\nplate;well;reason;by;at\nP1;B2;bubble;AK;4.3.2026\n", "2026-03-04T00:00:00"),
        ("plate\twell\treason\tby\tat\nP1\tB2\tbubble\tAK\t13/3/2026\n", "2026-03-13T00:00:00"),
        ("plate,well,reason,by,at\nP1,B2,bubble,AK,2026-03-04\n", "2026-03-04"),
    ],
)
def test_exclusions_as_excel_saves_them_in_europe(tmp_path: Path, text: str, at: str) -> None:
    folder = experiment(tmp_path)
    (folder / "exclusions.csv").write_text("\ufeff" + text, encoding="utf-8")
    (row,) = kit.load(folder).exclusions.to_dict("records")
    assert row == {"plate": "P1", "well": "B02", "reason": "bubble", "by": "AK", "at": at}
    change = exclude(folder, [("P1", "B03")], "edge", "AK")
    assert len(kit.load(folder).exclusions) == 2
    bring_back(folder, change.wells)
    assert kit.load(folder).exclusions["well"].tolist() == ["B02"]


def test_a_date_that_may_be_two_days_is_asked_about(tmp_path: Path) -> None:
    folder = experiment(tmp_path)
    (folder / "exclusions.csv").write_text("plate,well,reason,by,at\nP1,B2,bubble,AK,4/3/2026\n")
    assert "2026-03-04 or 2026-04-03" in message(folder)


def test_two_exclusions_of_one_well_keep_both_reasons(tmp_path: Path) -> None:
    folder = experiment(tmp_path)
    rows = "P1,B2,bubble,AK,2026-03-04\nP1,B02,dust,CD,2026-03-05\n"
    (folder / "exclusions.csv").write_text("plate,well,reason,by,at\n" + rows)
    assert kit.load(folder).exclusions["reason"].tolist() == ["bubble; dust"]


def test_units_of_one_agent_are_not_mixed(tmp_path: Path) -> None:
    folder = experiment(tmp_path)
    units = ["IU/mL", "mIU/mL"]
    rows = [f"{well},complete,asnase,1,{units[k % 2]}" for k, well in enumerate(WELLS)]
    head = "well,medium,agent,concentration,concentration_unit"
    (folder / "map.csv").write_text("\n".join([head, *rows]) + "\n")
    assert "agent 'asnase' has the unit 'mIU/mL' here and 'IU/mL'" in message(folder)
