"""What a report's process holds for its notebooks is what they would get by reading anew, or it is
not handed out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from lab import experiment, notebook

import kit
from kit.batch import batch, isolate
from kit.experiment import held as memo
from kit.experiment.inputs import inputs, unchanged


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    memo.release()


@pytest.fixture
def held(tmp_path: Path) -> kit.Analysis:
    analysis = kit.analyse(kit.load(experiment(tmp_path, "EXP-1"), {"min_z_prime": 0.4}))
    memo.hold(analysis)
    return analysis


def test_the_held_analysis_is_handed_out_once(held: kit.Analysis, tmp_path: Path) -> None:
    first = kit.load(tmp_path / "EXP-1", {"min_z_prime": 0.4})
    assert first is held.experiment and kit.analyse(first) is held
    second = kit.load(tmp_path / "EXP-1", {"min_z_prime": 0.4})
    again = kit.analyse(second)
    assert second is not first and again is not held
    assert list(again.tables) == list(held.tables)
    for name, table in held.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name], check_exact=True)
    assert again.summary == held.summary and again.findings == held.findings


def edit(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text((folder / name).read_text() + "\n")


CHANGES = {
    "configuration": edit("experiment.yaml"),
    "layout": edit("layout.csv"),
    "plate file": edit("raw/p1.csv"),
    "exclusions": (
        lambda folder: (folder / "exclusions.csv").write_text(
            "plate,well,reason,by,at\nP1,A01,bubble,me,2026-03-03\n"
        )
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_read_anew(held: kit.Analysis, tmp_path: Path, change: str) -> None:
    CHANGES[change](tmp_path / "EXP-1")
    found = kit.load(tmp_path / "EXP-1", {"min_z_prime": 0.4})
    assert found is not held.experiment
    assert len(found.exclusions) == (change == "exclusions")


@pytest.mark.parametrize("overrides", [None, {"min_z_prime": 0.3}])
def test_other_settings_are_read_anew(
    held: kit.Analysis, tmp_path: Path, overrides: dict | None
) -> None:
    assert (
        kit.load(tmp_path / "EXP-1", overrides).settings.min_z_prime
        == (overrides or {"min_z_prime": 0.5})["min_z_prime"]
    )


def test_another_folder_is_read(held: kit.Analysis, tmp_path: Path) -> None:
    assert kit.load(experiment(tmp_path, "EXP-2"), {"min_z_prime": 0.4}).id == "EXP-2"


def test_a_table_changed_by_hand_is_analysed_anew(held: kit.Analysis, tmp_path: Path) -> None:
    found = kit.load(tmp_path / "EXP-1", {"min_z_prime": 0.4})
    found.wells.loc[found.wells["well"] == "A01", "signal"] = 5.0
    wells = kit.analyse(found).wells
    assert wells is not None and wells.set_index("well").loc["A01", "signal"] == 5.0


@pytest.mark.skipif(not isolate.CAN_FORK, reason="processes are not forked here")
def test_reports_are_the_same_with_and_without(tmp_path: Path) -> None:
    use = (
        "import json, kit\nfrom kit.report.exhibits import Exhibits\nanalysis ="
        " kit.analyse(kit.load(experiment, json.loads(settings or '{}')))"
    )
    for name in ("01_assay_qc", "02_dropout_analysis"):
        notebook(
            tmp_path / "nb",
            "import kit.experiment.held; print(kit.experiment.held._held is not None)",
            f"{use}\nExhibits(out).write_tables(analysis.tables)",
            name=name,
        )
    experiment(tmp_path / "in", "EXP-1")
    tables = []
    for plain in (False, True):
        out = tmp_path / f"out-{plain}"
        assert not batch.run([tmp_path / "in"], out, notebooks=tmp_path / "nb", plain=plain).failed
        said = [
            (out / "EXP-1" / "notebooks" / f"{name}.ipynb").read_text()
            for name in ("01_assay_qc", "02_dropout_analysis")
        ]
        assert all(f"{not plain}\\n" in text for text in said)
        tables.append(
            {path.name: path.read_bytes() for path in (out / "EXP-1" / "tables").iterdir()}
        )
    assert tables[0] == tables[1] and "growth.csv" in tables[0]


def test_layouts_that_a_layout_takes_in_count_as_inputs(tmp_path: Path) -> None:
    folder = experiment(tmp_path, "EXP-1")
    (folder / "deep").mkdir()
    (folder / "map.toml").write_text(
        "[meta]\ninclude = 'deep/shared.toml'\n[row.A]\nmedium = 'complete'\n[col]\n'1,2,...,12' ="
        " {cell_line = 'Jurkat'}\n"
    )
    (folder / "deep" / "shared.toml").write_text(
        "meta.include = {path = 'base.toml', shift = 'A1 to A1'}\n"
    )
    (folder / "deep" / "base.toml").write_text("[expt]\nrole = 'sample'\n")
    text = (folder / "experiment.yaml").read_text().replace("layout.csv", "map.toml")
    (folder / "experiment.yaml").write_text(text)
    found = inputs(folder, kit.config.reading.read_config(folder))
    assert [item.path for item in found] == [
        "experiment.yaml",
        "map.toml",
        "raw/p1.csv",
        "deep/base.toml",
        "deep/shared.toml",
    ]
    recorded = {item.path: item.sha256 for item in found}
    assert unchanged(folder, recorded)
    (folder / "deep" / "base.toml").write_text("[expt]\nrole = 'kill'\n")
    assert not unchanged(folder, recorded)


def test_fcs_files_of_a_sample_sheet_count_as_inputs(tmp_path: Path) -> None:
    flow = (
        "flow:\n  - {file: raw/table.csv}\n  - {file: raw/facs/sheet.csv, gates: {annexin:"
        " FITC-A}}\n"
    )
    folder = experiment(tmp_path, "EXP-1", extra=flow)
    (folder / "raw" / "facs" / "tubes").mkdir(parents=True)
    for name in ("table.csv", "facs/sheet.csv", "facs/tubes/a.fcs"):
        (folder / "raw" / name).write_text("")
    found = inputs(
        folder,
        kit.config.reading.read_config(folder),
        [SimpleNamespace(samples={"tubes/a.fcs": None})],
    )
    assert [item.path for item in found][-3:] == [
        "raw/table.csv",
        "raw/facs/sheet.csv",
        "raw/facs/tubes/a.fcs",
    ]
