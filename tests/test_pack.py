"""A publication package, each file opened again by a reader of its own format."""

import hashlib
import json
import zipfile
from xml.etree import ElementTree as ET

import openpyxl
import pandas as pd
import pytest

import kit
from kit.cli.main import main
from kit.core.errors import InputError
from kit.report.exhibits import Exhibit, Exhibits
from kit.report.pack.package import pack
from kit.report.pack.words import read_caption
from kit.report.sections import dropout
from kit.simulate import synthetic

EXCLUDED = ("MOLT-4-48h-R2", "signal_corrected")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report folder of one simulated line, with one raw file and one well left out."""
    folder = tmp_path_factory.mktemp("reports") / "EXP-1"
    source = tmp_path_factory.mktemp("source")
    lines = {"MOLT-4": synthetic.SOURCE_LINES["MOLT-4"]}
    analysis = kit.analyse(synthetic.experiment(synthetic.Truth(lines, seed=1)))
    page = Exhibits(str(folder), simulated=True)
    page.folder.mkdir(parents=True)
    shown = dropout.overview(analysis)
    page.show(
        Exhibit(shown.name, shown.title, "Markers are replicates.", shown.figure, shown.table)
    )
    tables = dict(analysis.tables)
    wells = tables["wells"].copy()
    struck = wells.index[wells["plate"].eq(EXCLUDED[0]) & wells["medium"].eq("no_asn")][0]
    wells.loc[struck, ["excluded", "exclusion_reason"]] = [True, "=1+1"]
    tables["wells"] = wells
    for name, table in tables.items():
        table.to_csv(folder / "tables" / f"{name}.csv", index=False)
    (folder / "notebooks").mkdir()
    (folder / "report.html").write_text("<p>report</p>")
    (source / "raw.csv").write_text("raw")
    sha = hashlib.sha256(b"raw").hexdigest()
    changed = {"path": "gone.csv", "sha256": sha}
    manifest = {
        "experiment_id": "EXP-1", "status": "ok", "verdict": "warn", "reasons": ["A reason."],
        "kit_version": "0.1.0", "python": "3.11", "seed": 1, "simulated": True, "title": "A title",
        "packages": dict.fromkeys(("numpy", "pandas", "scipy", "matplotlib", "seaborn"), "1"),
        "settings": {}, "inputs": [{"path": "raw.csv", "sha256": sha}, changed],
        "started": "2026-03-02T10:00:00+00:00", "date": "2026-03-02", "cell_lines": ["MOLT-4"],
        "source": str(source),
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def package(report, tmp_path_factory):
    (folder,) = pack([report.parent], tmp_path_factory.mktemp("packages"))
    return folder


def test_every_file_names_the_report(report, package):
    sha = hashlib.sha256((report / "report.html").read_bytes()).hexdigest()
    names = {path.name for path in package.iterdir() if path.is_file()}
    texts = {"methods.md", "legends.md", "EXP-1_mqc.json", "EXP-1.pzfx"}
    assert names == {*texts, "EXP-1.xlsx", "EXP-1.eln"}
    assert all(sha in (package / name).read_text() for name in texts)
    about = pd.read_excel(package / "EXP-1.xlsx", engine="calamine", sheet_name="about").set_index(
        "what"
    )["value"]
    assert sha in about["origin"] and about["simulated data"] == "yes"


def test_prism_holds_replicates_as_subcolumns_and_strikes_what_was_left_out(report, package):
    root = ET.parse(package / "EXP-1.pzfx").getroot()
    tables = {table.findtext("Title"): table for table in root.iter("Table")}
    growth = pd.read_csv(report / "tables/growth.csv")
    table = tables["MOLT-4: GR value (CellTiter-Glo, 48 h)"]
    media = [cell.text for cell in table.find("RowTitlesColumn").iter("d")]
    (group,) = table.findall("YColumn")
    for number, inner in enumerate(group.findall("Subcolumn"), start=1):
        own = growth[growth["replicate"].eq(number)].set_index("medium")["gr"]
        assert [float(cell.text) for cell in inner.iter("d")] == list(own[media])
    struck = [cell for cell in root.iter("d") if cell.get("Excluded") == "1"]
    wells = pd.read_csv(report / "tables/wells.csv")
    assert [float(cell.text) for cell in struck] == list(
        wells.loc[wells["excluded"], "signal_corrected"]
    )


def test_workbook_has_a_sheet_for_each_figure_with_exact_n_and_no_formula(report, package):
    book = openpyxl.load_workbook(package / "EXP-1.xlsx")
    contents = pd.read_excel(
        package / "EXP-1.xlsx", engine="calamine", sheet_name="contents"
    ).set_index("name")
    assert contents.loc["overview", "kind"] == "figure" and contents.loc["overview", "n"] == 3
    assert "biological replicates" in contents.loc["overview", "unit_of_n"]
    values = [cell for row in book["wells"].iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in values)
    assert "=1+1" in {cell.value for cell in values}
    back = pd.read_excel(package / "EXP-1.xlsx", engine="calamine", sheet_name="growth")
    pd.testing.assert_frame_equal(
        back, pd.read_csv(report / "tables/growth.csv"), check_dtype=False
    )


def test_archive_is_a_crate_whose_files_are_what_it_says(package):
    with zipfile.ZipFile(package / "EXP-1.eln") as archive:
        graph = json.loads(archive.read("EXP-1/ro-crate-metadata.json"))["@graph"]
        entities = {entity["@id"]: entity for entity in graph}
        files = [entity for entity in graph if entity["@type"] == "File"]
        for entity in files:
            content = archive.read("EXP-1/" + entity["@id"].removeprefix("./"))
            assert hashlib.sha256(content).hexdigest() == entity["sha256"]
            assert len(content) == int(entity["contentSize"])
        assert len(archive.namelist()) == len(files) + 1
    assert entities["ro-crate-metadata.json"]["conformsTo"]["@id"].endswith("ro/crate/1.1")
    assert entities["./"]["license"]["@id"] in entities
    assert "./EXP-1/experiment/raw.csv" in entities
    assert "./EXP-1/experiment/gone.csv" not in entities


def test_legends_bring_caption_n_and_source_data(report, package):
    title, caption = read_caption(report / "figures/overview.svg")
    text = (package / "legends.md").read_text()
    assert caption == "Markers are replicates." and f"## {title}" in text and caption in text
    assert "n = 3 biological replicates" in text


def test_methods_are_silent_where_an_input_is_gone(package):
    assert "gone.csv" in (package / "methods.md").read_text()


def test_multiqc_has_a_row_a_call(report, package):
    content = json.loads((package / "EXP-1_mqc.json").read_text())
    calls = pd.read_csv(report / "tables/calls.csv")
    assert len(content["data"]) == len(calls) and set(content["headers"]) >= {"call", "gr"}


def test_no_report_and_a_package_inside_a_report_are_refused(report, tmp_path, capsys):
    with pytest.raises(InputError) as told:
        pack([tmp_path], tmp_path / "out")
    assert [problem.file for problem in told.value.problems] == [str(tmp_path)]
    assert main(["pack", str(report), "--to", str(report)]) != 0
    assert not list(report.glob("EXP-1*"))
