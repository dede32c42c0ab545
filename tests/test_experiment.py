"""Experiment folders with one thing wrong: one message that says file, place, value and remedy."""

import re
import shutil

import numpy as np
import openpyxl
import pandas as pd
import pytest

import kit
from kit.core.errors import InputError
from kit.simulate import synthetic
from kit.simulate.examples import main as write_examples

YAML = """\
experiment_id: {name}
cell_lines: {{A549: {{growth_mode: adherent, doubling_time_h: 22}}}}
media:
  complete: {{role: control}}
  no_asn: {{role: dropout, removes: asparagine}}
plates:
  - {{plate: P48, file: raw/p48.csv, layout: map.csv, readout: CellTiter-Glo, hours: 48, replicate: 1}}
"""
WELLS = [f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]


def roles(well):
    return (
        ("complete", "blank")
        if well in ("A1", "A2", "A3")
        else (
            ("complete", "kill")
            if well[0] == "B"
            else ("no_asn", "sample")
            if well[0] == "C"
            else ("complete", "sample")
        )
    )


def layout_text():
    return "well,medium,role\n" + "".join(f"{well},{','.join(roles(well))}\n" for well in WELLS)


def grid_text(
    separator=",",
    value=lambda well: (
        200
        if roles(well)[1] == "blank"
        else 3000
        if roles(well)[1] == "kill"
        else 90000 + ord(well[0]) * 7 + int(well[1:])
    ),
):
    lines = [separator + separator.join(map(str, range(1, 13)))]
    lines += [
        row + separator + separator.join(str(value(f"{row}{column}")) for column in range(1, 13))
        for row in "ABCDEFGH"
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "EXP-A"
    (root / "raw").mkdir(parents=True)
    (root / "experiment.yaml").write_text(YAML.format(name="EXP-A"))
    (root / "map.csv").write_text(layout_text())
    (root / "raw/p48.csv").write_text(grid_text())
    return root


def message(folder):
    with pytest.raises(InputError) as caught:
        kit.load(folder)
    return str(caught.value)


def edit(folder, name, old, new, count=1):
    path = folder / name
    path.write_text(path.read_text().replace(old, new, count))


def test_the_good_one_reads(folder):
    experiment = kit.load(folder)
    assert len(experiment.wells) == 96
    assert set(experiment.wells["cell_line"]) == {"A549", ""}
    assert [item.path for item in experiment.inputs] == [
        "experiment.yaml",
        "map.csv",
        "raw/p48.csv",
    ]


EDITS = [
    (
        "map.csv",
        "C5,no_asn",
        "C5,no_ans",
        r"map\.csv: well C05: medium 'no_ans' is not under media.*Did you mean 'no_asn'",
    ),
    (
        "map.csv",
        "C5,no_asn,sample",
        "C5,no_asn,smaple",
        r"map\.csv: line 30: well C05: role 'smaple' is not known.*Did you mean 'sample'",
    ),
    ("map.csv", "well,medium", "wel,medium", r"map\.csv"),
    ("map.csv", "C5,no_asn", "C6,no_asn", r"map\.csv: well C06: stands there more than once"),
    (
        "map.csv",
        "H12,complete,sample\n",
        "",
        r"map\.csv: well H12: in the file raw/p48\.csv but not in the layout",
    ),
    (
        "map.csv",
        "H12,complete,sample\n",
        "H12,complete,sample\nP24,complete,sample\n",
        r"map\.csv: well P24: lies outside the 96-well plate",
    ),
    (
        "map.csv",
        "C5,no_asn,sample",
        "C5,,sample",
        r"map\.csv: line 30: well C05: a sample well without a medium",
    ),
    ("raw/p48.csv", "90470", "9o470", r"raw/p48\.csv.*'?9o470'?"),
    ("raw/p48.csv", "90470", "-90470", r"raw/p48\.csv.*C01.*negative|raw/p48\.csv.*-90470"),
    (
        "experiment.yaml",
        "replicate: 1}",
        (
            "replicate: 1}\n  - {plate: P2, file: raw/p48.csv, layout: map.csv, readout:"
            " CellTiter-Glo, hours: 48, replicate: 2}"
        ),
        r"plates 'P48' and 'P2' hold exactly the same numbers",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "expected"), EDITS)
def test_bad_folders(folder, name, old, new, expected):
    assert old in (folder / name).read_text()
    edit(folder, name, old, new)
    text = message(folder)
    assert re.search(expected, text), text


def test_well_in_layout_but_not_in_file(folder):
    path = folder / "raw/p48.csv"
    text = path.read_text()
    path.write_text(text[: text.index("\nH,") + 1])
    assert re.search(r"H01", message(folder))


def test_a_row_letter_that_no_such_plate_has(folder):
    edit(folder, "raw/p48.csv", "\nH,", "\nX,")
    assert "X01 lies outside the plate" in message(folder)


@pytest.mark.parametrize("token", ["OVER", "#SAT", "*****", "OVRFLW"])
def test_saturated_and_missed_wells_are_missing_with_a_flag(folder, token):
    edit(folder, "raw/p48.csv", "90470", token)
    wells = kit.load(folder).wells.set_index("well")
    assert np.isnan(wells.loc["C01", "signal"])
    assert wells.loc["C01", "flag"] in ("saturated", "missing")
    qc = kit.analyse(kit.load(folder)).plate_qc.set_index("metric")
    assert qc.loc["missing_wells_percent", "value"] == pytest.approx(100 / 96)


def test_problems_of_several_files_come_together(folder):
    edit(folder, "map.csv", "C5,no_asn,sample", "C5,no_asn,smaple")
    edit(folder, "raw/p48.csv", "90470", "9o470")
    text = message(folder)
    assert "map.csv" in text and "raw/p48.csv" in text


def spoil_files(folder):
    """A fault in the map, the plate file and the exclusions."""
    edit(folder, "map.csv", "C5,no_asn,sample", "C5,no_asn,smaple")
    edit(folder, "raw/p48.csv", "90470", "9o470")
    (folder / "exclusions.csv").write_text(
        EXCLUSIONS.format(well="D4", reason="", at="2026-03-04").replace("P48", "P84")
    )


YAML_FAULTS = [
    (
        "experiment_id: EXP-A",
        "experiment_id: EXP-A\ntitel: x",
        r"'titel' is not a field here. Did you mean 'title'",
    ),
    ("experiment_id: EXP-A", "experiment_id: 'EXP A'", r"'EXP A' is not a name"),
    ("hours: 48", "hours: -48", r"line 7: plates\.0\.hours: -48"),
    (", hours: 48", "", r"line 7: plates\.0\.hours: 'hours' is missing"),
    ("doubling_time_h: 22", "doubling_time_h: -2", r"doubling_time_h: -2"),
    ("role: dropout", "role: dropuot", r"'dropuot' is not allowed.*Did you mean 'dropout'"),
    ("plates:\n", "flow: [oops]\nplates:\n", r"flow\.0"),
    ("plates:\n", "protocol: {wash: {count: x}}\nplates:\n", r"wash\.count"),
]


@pytest.mark.parametrize(("old", "new", "expected"), YAML_FAULTS)
def test_a_fault_in_experiment_yaml_does_not_hide_those_of_its_files(folder, old, new, expected):
    spoil_files(folder)
    edit(folder, "experiment.yaml", old, new)
    found = message(folder)
    for words in (
        expected,
        r"map\.csv: line 30: well C05: role 'smaple'",
        r"raw/p48\.csv: line 4: well C01: signal '9o470'",
        r"exclusions\.csv: line 2: plate 'P84' is not",
    ):
        assert re.search(words, found), found
    assert len(found.splitlines()) == 5, (
        found
    )  # nothing is told that follows from another fault (a reason is missing, too)


def test_files_that_are_not_named_or_not_there_hide_no_other_problem(folder):
    spoil_files(folder)
    more = (
        "\n  - {plate: P2, layout: map.csv, readout: x, hours: 48, replicate: 2}\n  - {plate: P3,"
        " file: ../p3.csv, layout: map.csv, readout: x, hours: 48, replicate: 3}"
    )
    edit(folder, "experiment.yaml", "replicate: 1}", "replicate: 1}" + more)
    found = message(folder).splitlines()
    assert [line.split(": ", 2)[1:] for line in found[:2]] == [
        ["line 8", "plates.1.file: 'file' is missing. Add it."],
        [
            "line 9",
            (
                "plates.2.file: '../p3.csv' leaves the experiment folder. Put the file inside the"
                " folder and write its path from there."
            ),
        ],
    ]
    assert (
        sum(
            "p48.csv" in line or "map.csv" in line or "exclusions.csv" in line for line in found[2:]
        )
        == len(found) - 2
        == 4
    )


def test_missing_folder_and_file_for_folder(tmp_path):
    for path, words in (
        (tmp_path / "none", "is not there"),
        (tmp_path / "file", "not an experiment folder"),
    ):
        if path.name == "file":
            path.write_text("x")
        with pytest.raises(InputError, match=words):
            kit.load(path)


EXCLUSIONS = "plate,well,reason,by,at\nP48,{well},{reason},ab,{at}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            EXCLUSIONS.format(well="D4", reason="", at="2026-03-04"),
            r"exclusions\.csv: line 2: well D04 is left out without a reason",
        ),
        (
            EXCLUSIONS.format(well="D99", reason="x", at="2026-03-04"),
            r"line 2: 'D99' is not a well|line 2: well D99",
        ),
        (
            EXCLUSIONS.format(well="D4", reason="x", at="yesterday"),
            r"line 2: at 'yesterday' is not an ISO 8601 time",
        ),
        (
            EXCLUSIONS.format(well="D4", reason="x", at="2026-03-04").replace("P48", "P84"),
            r"plate 'P84' is not in experiment\.yaml.*Did you mean 'P48'",
        ),
        ("plate,wel,reason,by,at\n", r"lacks the column well.*Did you mean 'wel'"),
    ],
)
def test_bad_exclusions(folder, text, expected):
    (folder / "exclusions.csv").write_text(text)
    found = message(folder)
    assert re.search(expected, found), found


def test_an_excluded_well_stays_in_the_table_and_out_of_the_means(folder):
    (folder / "exclusions.csv").write_text(
        EXCLUSIONS.format(well="C1", reason="bubble <b>seen</b>", at="2026-03-04T10:00:00")
    )
    analysis = kit.analyse(kit.load(folder))
    well = analysis.wells.set_index("well").loc["C01"]
    assert well["excluded"] and well["exclusion_reason"] == "bubble <b>seen</b>"
    row = analysis.growth.set_index("medium").loc["no_asn"]
    kept = analysis.wells[analysis.wells["medium"].eq("no_asn") & ~analysis.wells["excluded"]]
    assert row["n_wells"] == 11 and row["signal_mean"] == pytest.approx(
        kept["signal_corrected"].mean(), rel=1e-12
    )


def table_layout(folder, build):
    """The same plate map in another form: the wells must be the same."""
    expected = kit.load(folder).wells
    (folder / "map.csv").unlink()
    name = build(folder)
    edit(folder, "experiment.yaml", "layout: map.csv", f"layout: {name}")
    pd.testing.assert_frame_equal(kit.load(folder).wells, expected)


def grid_layout_csv(folder):
    blocks = []
    for index, attribute in enumerate(("medium", "role")):
        lines = [attribute + "," + ",".join(map(str, range(1, 13)))]
        lines += [
            row + "," + ",".join(roles(f"{row}{column}")[index] for column in range(1, 13))
            for row in "ABCDEFGH"
        ]
        blocks.append("\n".join(lines))
    (folder / "grid.csv").write_text("\n\n".join(blocks) + "\n")
    return "grid.csv"


def grid_layout_xlsx(folder, corner=True):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for index, attribute in enumerate(("medium", "role")):
        sheet = book.create_sheet(attribute)
        sheet.append([attribute if corner else None, *range(1, 13)])
        for row in "ABCDEFGH":
            sheet.append([row, *[roles(f"{row}{column}")[index] for column in range(1, 13)]])
    book.save(folder / "grid.xlsx")
    return "grid.xlsx"


def bare_template_xlsx(folder):
    """Sheets with an empty header row and column, as some screening templates have: cell D4 is well
    C3.
    """
    book = openpyxl.Workbook()
    book.remove(book.active)
    for index, attribute in enumerate(("medium", "role")):
        sheet = book.create_sheet(attribute)
        for r, row in enumerate("ABCDEFGH", start=2):
            for column in range(1, 13):
                sheet.cell(r, column + 1, roles(f"{row}{column}")[index])
    book.save(folder / "bare.xlsx")
    return "bare.xlsx"


def long_layout_xlsx(folder):
    book = openpyxl.Workbook()
    book.active.append(["Well ID", "Media", "Type"])
    for well in WELLS:
        book.active.append([well, *roles(well)])
    book.save(folder / "long.xlsx")
    return "long.xlsx"


def wellmap_toml(folder):
    text = (
        "[expt]\nrole = 'sample'\nmedium = 'complete'\n[row.'A,D,E,F,G,H']\nrole ="
        " 'sample'\n[row.B]\nrole = 'kill'\n[row.C]\nmedium = 'no_asn'\n[col.'1,2,...,12']\nside ="
        " 'any'\n"
    )
    text += "[well.'A1,A2,A3']\nrole = 'blank'\n"
    (folder / "map.toml").write_text(text)
    return "map.toml"


@pytest.mark.parametrize(
    "build",
    [
        grid_layout_csv,
        grid_layout_xlsx,
        lambda f: grid_layout_xlsx(f, corner=False),
        bare_template_xlsx,
        long_layout_xlsx,
    ],
)
def test_layouts_in_other_forms(folder, build):
    table_layout(folder, build)


def test_wellmap_layout(folder):
    expected = kit.load(folder).wells
    edit(folder, "experiment.yaml", "layout: map.csv", f"layout: {wellmap_toml(folder)}")
    pd.testing.assert_frame_equal(kit.load(folder).wells[expected.columns], expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[roww.A]\nrole='sample'\n",
            r"'roww' is not a table of a wellmap layout.*Did you mean 'row'",
        ),
        ("[well.A1]\nrole = \n", r"not valid TOML"),
        (
            "[meta]\ninclude = '../../x.toml'\n[well.A1]\nrole='blank'\n",
            r"outside the layout's folder",
        ),
        ("[block.2xx.A1]\nrole='blank'\n", r"wellmap cannot read it"),
    ],
)
def test_bad_wellmap_layouts(folder, text, expected):
    (folder / "map.toml").write_text(text)
    edit(folder, "experiment.yaml", "layout: map.csv", "layout: map.toml")
    found = message(folder)
    assert re.search(expected, found), found


def test_a_gigabyte_of_wellmap_is_refused_at_once(folder):
    with (folder / "map.toml").open("wb") as file:
        file.truncate(2**30)  # sparse
    edit(folder, "experiment.yaml", "layout: map.csv", "layout: map.toml")
    assert re.search(r"map\.toml: is 1,073,741,824 bytes; at most", message(folder))


INCLUDED = "[meta]\ninclude = 'base.toml'\n[well.A1]\nrole='blank'\n"


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (
            "[rowz.A]\nrole='blank'\n",
            r"layouts/base\.toml: \[rowz\]: 'rowz' is not a table.*Did you mean 'row'",
        ),
        (
            "[meta]\ninclude = '../../other.toml'\n",
            r"layouts/base\.toml: \[meta\]: '\.\./\.\./other\.toml' is outside the layout's folder",
        ),
        (
            "[meta]\nincludes = 'more.toml'\n",
            (
                r"layouts/base\.toml: \[meta\] includes: 'includes' is not a key of \[meta\].*Did"
                r" you mean 'include'"
            ),
        ),
        (
            "[meta]\ninclude = 'more.toml'\n",
            r"layouts/base\.toml: \[meta\]: 'more\.toml' is not there",
        ),
        (
            "[plate.P48.rowz.A]\nrole='blank'\n",
            r"layouts/base\.toml: \[plate\.P48\.rowz\]: 'rowz' is not a table",
        ),
    ],
)
def test_a_layout_that_a_layout_takes_in_is_checked_like_it(folder, base, expected):
    (folder / "layouts").mkdir()
    (folder / "layouts/map.toml").write_text(INCLUDED)
    (folder / "layouts/base.toml").write_text(base)
    (folder.parent / "other.toml").write_text("[row.A]\nrole='sample'\n")
    edit(folder, "experiment.yaml", "layout: map.csv", "layout: layouts/map.toml")
    found = message(folder)
    assert re.search(expected, found), found
    assert str(folder) not in found


def treated_layout(
    folder, heading="well,medium,role,agent,concentration,concentration_unit", dose="0.5"
):
    """The map with row D treated."""
    lines = [
        f"{well},{','.join(roles(well))}" + (f",drug,{dose},uM" if well[0] == "D" else ",,,")
        for well in WELLS
    ]
    (folder / "map.csv").write_text("\n".join([heading, *lines]) + "\n")


def test_a_decimal_comma_in_a_layout_is_refused(folder):
    treated_layout(folder)
    assert kit.load(folder).wells.set_index("well").loc["D01", "concentration"] == 0.5
    treated_layout(folder, dose="0,5")
    assert re.search(
        r"map\.csv: line 38: the line goes on with 'uM' .*11 more lines.*decimal comma",
        message(folder),
    )


@pytest.mark.parametrize(
    "known", ["agent", "concentration", "concentration_unit", "medium", "role"]
)
def test_a_misspelt_column_is_named_and_never_carried_along(folder, known):
    letters = known[:2] + known[3:]  # a letter lost
    treated_layout(
        folder,
        "well,medium,role,agent,concentration,concentration_unit".replace(
            f",{known}", f",{letters}", 1
        ),
    )
    found = message(folder)
    assert found == f"map.csv: no column '{known}'. Is it '{letters}'? Rename that column."


def test_further_columns_are_carried_along(folder):
    text = (folder / "map.csv").read_text().splitlines()
    (folder / "map.csv").write_text(
        "\n".join(
            [text[0] + ",cells_per_well,batch,note", *(f"{line},5000,B1,x" for line in text[1:])]
        )
        + "\n"
    )
    assert {"cells_per_well", "batch", "note"} <= set(kit.load(folder).wells)


def test_a_bad_well_is_one_problem(folder):
    edit(folder, "map.csv", "\nC5,", "\nC5x,")
    assert [
        line
        for line in message(folder).splitlines()
        if "map.csv: line" in line or "more than once" in line
    ] == ["map.csv: line 30: 'C5x' is not a well. Write a letter and a number, such as A1 or B07."]


def test_a_layout_of_misspelt_headings_names_only_those(folder):
    (folder / "map.csv").write_text("well,cell_lin,medum\nA1,A549,complete\n")
    found = message(folder)
    assert (
        "'cell_lin': Did you mean 'cell_line'? 'medum': Did you mean 'medium'?" in found
        and "'well': Did" not in found
    )


@pytest.mark.parametrize(
    ("build", "merge", "place"),
    [
        (long_layout_xlsx, "C2:C4", r"long\.xlsx: sheet 'Sheet', C2:C4"),
        (grid_layout_xlsx, "B3:M3", r"grid\.xlsx: sheet 'role', B3:M3"),
        (bare_template_xlsx, "B3:D3", r"bare\.xlsx: sheet 'role', B3:D3"),
    ],
)
def test_merged_cells_of_a_layout_are_refused(folder, build, merge, place):
    name = build(folder)
    book = openpyxl.load_workbook(folder / name)
    book.worksheets[-1].merge_cells(
        merge
    )  # blanks and killed wells, of which only the first would stay one
    book.save(folder / name)
    edit(folder, "experiment.yaml", "layout: map.csv", f"layout: {name}")
    found = message(folder)
    assert re.search(place + ": merged cells.*Unmerge them", found), found


GRID_EDITS = [
    ("\nC,no_asn", "\nXZ,no_asn", r"line 4: 'XZ' names no row of a plate"),
    ("\nC,no_asn", "\nB,no_asn", r"line 4: row B stands behind row B"),
    (
        ",".join(map(str, range(1, 13))),
        ",".join(map(str, range(45, 57))),
        r"line 1: the columns are numbered from 45 to 56, which no plate has",
    ),
    (
        ",".join(map(str, range(1, 13))),
        ",".join(map(str, range(11))),
        r"line 1: the columns are numbered from 0 to 10, which no plate has",
    ),
    (",5,6,7,", ",5,,7,", r"line 1: column 7 does not follow column 5"),
    ("\nC,no_asn", "\nC,no,asn", r"line 4: the line goes on with 'no_asn' where .* decimal comma"),
    ("\nC,no_asn,", "\nC,", r"line 4: row C has 11 cells for 12 columns"),
]


@pytest.mark.parametrize(("old", "new", "expected"), GRID_EDITS)
def test_bad_plate_shaped_layouts(folder, old, new, expected):
    edit(folder, "experiment.yaml", "layout: map.csv", f"layout: {grid_layout_csv(folder)}")
    edit(folder, "grid.csv", old, new)
    found = message(folder)
    assert re.search(r"grid\.csv: " + expected, found), found


@pytest.mark.parametrize(
    ("old", "new"),
    [(",".join(map(str, range(1, 13))), ",".join(map(str, range(12)))), ("\nC,", "\n\nC,")],
    ids=["columns from 0", "an empty line between rows"],
)
def test_plate_shaped_layouts_that_can_be_told_keep_their_wells(folder, old, new):
    def changed(here):
        name = grid_layout_csv(here)
        edit(here, name, old, new, count=2)
        return name

    table_layout(folder, changed)


def test_examples_come_out_byte_for_byte(tmp_path, root):
    write_examples([str(tmp_path)])
    made = {
        path.relative_to(tmp_path): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    kept = {
        path.relative_to(root / "data/examples"): path.read_bytes()
        for path in (root / "data/examples").rglob("*")
        if path.is_file()
    }
    assert made.keys() == kept.keys()
    assert [str(name) for name in made if made[name] != kept[name]] == []


def test_files_in_four_vendors_formats_hold_the_planted_signals(root):
    planted = synthetic.wells(synthetic.demo_01()).set_index(["plate", "well"])["signal"]
    read = kit.load(root / "data/examples/EXP-DEMO-01").wells.set_index(["plate", "well"])["signal"]
    assert (read.loc[planted.index] - planted).abs().max() == 0


def test_a_folder_copied_elsewhere_keeps_its_numbers(tmp_path, root):
    shutil.copytree(root / "data/examples/EXP-DEMO-02", tmp_path / "EXP-DEMO-02")
    here, there = (
        kit.analyse(kit.load(path / "EXP-DEMO-02")) for path in (root / "data/examples", tmp_path)
    )
    for name, table in here.tables.items():
        pd.testing.assert_frame_equal(table, there.tables[name])
