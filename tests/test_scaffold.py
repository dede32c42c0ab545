"""`kit new` writes folders that the readers understand, with facts left open and layouts that are
random but fair.
"""

import json
import re
from collections import Counter
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
from jinja2.filters import do_striptags
from pydantic import BaseModel
from ruamel.yaml import YAML

import kit
from kit.config.model import CellLine, ExperimentConfig, Medium, Protocol, Replicate, Serum
from kit.config.settings import Settings
from kit.core.errors import InputError
from kit.new import plate_design, scaffold
from kit.new.plan import parse_lines, plan_of
from kit.new.plate_design import Group
from kit.new.yaml import scalar
from kit.readers.layouts.layout import read_layout
from kit.simulate import synthetic
from kit.western.bands import read_blot

MEDIA = [
    "complete",
    "no_asn",
    "no_gln",
    "no_ser",
    "no_asn_rescue",
    "no_gln_rescue",
    "no_ser_rescue",
]


def values(path: Path) -> dict:
    """experiment.yaml as plain data, by a parser that is not the kit's."""
    return YAML(typ="safe").load(path / "experiment.yaml")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scaffold.new(tmp_path_factory.mktemp("new") / "EXP-1")


# ---- plate design
# -----------------------------------------------------------------------------------------------------


def test_wells_of_each_group_and_an_empty_ring() -> None:
    """SPEC: at least 6 control, 6 kill, 3 blanks per medium and 4 per group; on 96 wells with seven
    media only 4 fit (57 of 60).
    """
    wells = plate_design.fitting_group([""], MEDIA, 96)
    plan = plate_design.randomised(
        plate_design.groups_of([""], MEDIA, wells), 96, np.random.default_rng(1)
    )
    counts = Counter(zip(plan["medium"], plan["role"], strict=True))
    assert wells == 4 and len(plan) == 96 and plan["well"].is_unique
    assert counts["complete", "sample"] == 6 and counts["complete", "kill"] == 6
    assert {counts[medium, "sample"] for medium in MEDIA[1:]} == {4} and {
        counts[medium, "blank"] for medium in MEDIA
    } == {3}
    ring = plan[plan["well"].str[0].isin(["A", "H"]) | plan["well"].str[1:].isin(["01", "12"])]
    assert len(ring) == 36 and set(ring["role"]) == {"empty"}


@pytest.mark.parametrize(
    ("lines", "media", "plate", "stated", "outcome"),
    [
        ([""], MEDIA[:5], 96, None, 6),  # 6 + 4x6 + 6 + 15 = 51
        ([""], MEDIA, 96, None, 4),  # 6 + 6x4 + 6 + 21 = 57; with 5 it is 63
        (
            [""],
            MEDIA,
            96,
            6,
            r"need 69 wells; a 96-well plate has 60 .*--wells-per-group 4, or --plate 384",
        ),
        ([""], MEDIA, 384, None, 6),
        (
            list("abcdef"),
            MEDIA,
            384,
            None,
            5,
        ),  # 6 x (6 + 6x5 + 6) + 21 = 273; with 6 it is 309, room for 308
        (
            list("abcdefgh"),
            MEDIA,
            384,
            None,
            r"8 lines on a plate, need 309 wells; a 384-well plate has 308 .*one line per plate",
        ),
        (["a", "b"], MEDIA, 96, None, r"need 93 wells"),
    ],
)
def test_groups_fit_or_it_is_said_in_words(
    lines: list[str], media: list[str], plate: int, stated: int | None, outcome: int | str
) -> None:
    if isinstance(outcome, int):
        assert plate_design.fitting_group(lines, media, plate, stated) == outcome
    else:
        with pytest.raises(InputError, match=outcome):
            plate_design.fitting_group(lines, media, plate, stated)


def lined_up(plan: pd.DataFrame) -> bool:
    """Whether a group lies in one row or column, told from the wells' names."""
    groups: dict[tuple, list[str]] = {}
    for well, line, medium, role in zip(
        plan["well"], plan["cell_line"], plan["medium"], plan["role"], strict=True
    ):
        if role != "empty":
            groups.setdefault((line, medium, role), []).append(well)
    return any(
        len({well[0] for well in wells}) == 1 or len({well[1:] for well in wells}) == 1
        for wells in groups.values()
        if len(wells) > 1
    )


def test_no_group_is_confined_and_without_the_second_draw_some_would_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    groups = plate_design.groups_of([""], MEDIA, 4)
    assert not any(
        lined_up(plate_design.randomised(groups, 96, np.random.default_rng(seed)))
        for seed in range(40)
    )
    monkeypatch.setattr(plate_design, "confined", lambda plan: [])
    assert any(
        lined_up(plate_design.randomised(groups, 96, np.random.default_rng(seed)))
        for seed in range(40)
    )


def test_what_cannot_be_drawn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="61 wells do not fit on the 60 inner wells"):
        plate_design.randomised([Group("", "m", "sample", 61)], 96, np.random.default_rng(0))
    monkeypatch.setattr(plate_design, "confined", lambda plan: [("", "m", "sample")])
    with pytest.raises(ValueError, match="no layout without a group in a single row"):
        plate_design.randomised([Group("", "m", "sample", 4)], 96, np.random.default_rng(0))


def test_every_inner_well_is_as_likely_as_any_other() -> None:
    """Chi-square over 60 wells of where 6 control wells lie in 300 draws: mean 59, so 110 is beyond
    1 in 10 000.
    """
    groups = plate_design.groups_of([""], ["complete"], 6)
    hits: Counter[str] = Counter()
    for seed in range(300):
        plan = plate_design.randomised(groups, 96, np.random.default_rng(seed))
        hits.update(plan.loc[plan["role"].eq("sample"), "well"])
    expected = 300 * 6 / 60
    assert (
        len(hits) == 60 and sum((count - expected) ** 2 / expected for count in hits.values()) < 110
    )


def test_seed_decides_the_layout_and_experiments_differ() -> None:
    one, again, other = (
        plan_of(name, {}).layouts["layouts/dropout-r1.csv"] for name in ("E1", "E1", "E2")
    )
    assert one.equals(again) and not one.equals(other)
    same = [plan_of(name, {"seed": "5"}).layouts["layouts/dropout-r1.csv"] for name in ("E1", "E2")]
    assert same[0].equals(same[1])
    replicates = plan_of("E1", {}).layouts
    assert not replicates["layouts/dropout-r1.csv"].equals(replicates["layouts/dropout-r2.csv"])


# ---- the folder
# -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "xlsx", "toml"])
@pytest.mark.parametrize("together", [False, True])
def test_layouts_read_back_as_planned_and_name_their_seed(
    tmp_path: Path, ending: str, together: bool
) -> None:
    texts = {
        "layout_format": ending,
        "seed": "77",
        "plate": "384" if together else "96",
        "replicates": "1",
    }
    plan = plan_of("E", texts, together=together)
    scaffold.new(tmp_path / "E", plan, simulated=False)
    for name, wells in plan.layouts.items():
        found = read_layout(tmp_path / "E" / name, name).set_index("well")
        used = wells[wells["role"].ne("empty")].set_index("well")
        assert found.loc[found["role"].ne("empty"), ["cell_line", "medium", "role"]].to_dict(
            "index"
        ) == used[["cell_line", "medium", "role"]].to_dict("index")
        if ending != "xlsx":
            assert "seed 77" in (tmp_path / "E" / name).read_text().splitlines()[0]


def test_example_passes_and_shows_what_was_planted(example: Path) -> None:
    """GR of the known lines is that of kit.simulate.synthetic, within its noise over three
    replicates; every plate passes quality control.
    """
    analysis = kit.analyse(kit.load(example))
    assert (
        analysis.experiment.config.simulated
        and analysis.calls is not None
        and analysis.plate_qc is not None
    )
    gr = analysis.calls.set_index(["cell_line", "amino_acid"])["gr"]
    for line in ("MOLT-4", "A549"):
        for amino_acid, medium in (
            ("asparagine", "no_asn"),
            ("glutamine", "no_gln"),
            ("serine", "no_ser"),
        ):
            assert gr[line, amino_acid] == pytest.approx(
                synthetic.SOURCE_LINES[line].gr[medium], abs=0.15
            )
    assert not analysis.plate_qc["verdict"].eq("fail").any()
    assert analysis.compliance is not None
    layout = analysis.compliance[analysis.compliance["check"].eq("P23")]
    assert set(layout["verdict"]) == {"pass"}


def test_raw_files_say_that_they_are_simulated(example: Path) -> None:
    config, files = values(example), sorted(path.name for path in (example / "raw").iterdir())
    assert config["simulated"] is True and all(
        name == "README.txt" or name.startswith("simulated-") for name in files
    )
    readme = (example / "raw" / "README.txt").read_text()
    named = [plate["file"] for plate in config["plates"]] + [
        entry["file"] for entry in config["flow"]
    ]
    assert len(named) == 13 and sorted(Path(name).name for name in named) == sorted(
        set(files) - {"README.txt"}
    )
    assert all(name in readme for name in named)


def leaves(value: object) -> list:
    return (
        [item for part in value.values() for item in leaves(part)]
        if isinstance(value, dict)
        else [value]
    )


def test_nothing_that_the_bench_must_say_is_made_up(example: Path) -> None:
    config = values(example)
    protocol = dict(config["protocol"])
    assert protocol.pop("layout_randomised") is True
    lines = [{**line, "growth_mode": None} for line in config["cell_lines"].values()]
    assert set(leaves(protocol)) == {None} and {
        item for line in lines for item in leaves(line)
    } == {None}
    assert (
        set(leaves(config["sera"])) == {None}
        and set(leaves(config["replicates"])) == {None}
        and config["date"] is None
    )
    assert [line["growth_mode"] for line in config["cell_lines"].values()] == [
        "suspension",
        "adherent",
    ]


def test_media_follow_the_source_recipe(example: Path) -> None:
    """Control as in data/reference/treatment_groups.csv; a dropout differs by its own amino acid
    alone, a rescue not at all.
    """
    amounts = {
        name: [medium[f"{item}_uM"] for item in ("asparagine", "glutamine", "serine")]
        for name, medium in values(example)["media"].items()
    }
    assert (
        amounts["complete"]
        == amounts["no_asn_rescue"]
        == amounts["no_gln_rescue"]
        == amounts["no_ser_rescue"]
        == [100, 2000, 400]
    )
    assert [amounts[name] for name in ("no_asn", "no_gln", "no_ser")] == [
        [0, 2000, 400],
        [100, 0, 400],
        [100, 2000, 0],
    ]


@pytest.mark.parametrize("model", [CellLine, Serum, Medium, Protocol, Replicate, Settings])
def test_every_field_stands_there_with_its_meaning(example: Path, model: type[BaseModel]) -> None:
    text = (example / "experiment.yaml").read_text()
    for name, field in model.model_fields.items():
        found = re.search(rf"^ +(# )?{name}:.*# (.+)$", text, re.MULTILINE)
        assert found and str(field.description) in text, name


def test_seldom_needed_fields_work_once_uncommented(example: Path) -> None:
    """Taking away every `# ` before a field gives a file that is still valid, settings included."""
    text = (example / "experiment.yaml").read_text().replace("settings: {}", "settings:")
    text = re.sub(
        r"^( *)# ((?:  )?(?:- \{)?[a-z_0-9A-Z]+:)(?= |$)", r"\1\2", text, flags=re.MULTILINE
    )
    data = YAML(typ="safe").load(text)
    assert (
        len(data["settings"]) == len(Settings.model_fields)
        and "lineage" in data["cell_lines"]["MOLT-4"]
        and data["blots"]
        and data["expression"]
    )
    ExperimentConfig.model_validate(data)


def test_schema_accepts_the_file_and_refuses_a_slip(example: Path) -> None:
    lines = (example / "experiment.yaml").read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=experiment.schema.json"
    schema = json.loads((example / "experiment.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    data = json.loads(json.dumps(values(example), default=str))
    assert not list(check.iter_errors(data))
    data["protocol"]["adherance_h"] = 8
    data["media"]["no_asn"]["role"] = "drop-out"
    assert {tuple(error.path) for error in check.iter_errors(data)} == {
        ("protocol",),
        ("media", "no_asn", "role"),
    }


NAMES = [
    "NO",
    "1e3",
    "253J",
    "23132/87",
    "yes",
    "null",
    "a #1",
    "HuT 78",
    "2026-03-02",
    "Ωmega",
    '"q"',
    "MOLT 4",
    "molt_4",
]


def test_odd_names_survive(tmp_path: Path) -> None:
    """Names that YAML would take for something else, and two whose file names would coincide."""
    plan = plan_of(
        "2026",
        {"lines": ",".join(f"{name}:ad" for name in NAMES), "replicates": "1", "title": "a: b # c"},
    )
    config = kit.load(scaffold.new(tmp_path / "2026", plan)).config
    assert (
        list(config.cell_lines) == NAMES
        and config.experiment_id == "2026"
        and config.title == "a: b # c"
    )
    assert len({plate.file for plate in config.plates}) == 2 * len(NAMES)
    for value in (
        *NAMES,
        True,
        None,
        0.5,
        48.0,
        1e7,
        "-",
        "~",
        "a\\b",
        "off",
        "x: y",
        "0x1F",
        "[a]",
    ):
        assert YAML(typ="safe").load(f"[{scalar(value)}]") == [value]


def test_lines_share_a_plate_of_384(tmp_path: Path) -> None:
    plan = plan_of(
        "E", {"plate": "384", "replicates": "2", "hours": "24,72"}, together=True, blot=True
    )
    experiment = kit.load(scaffold.new(tmp_path / "E", plan))
    assert len(experiment.config.plates) == 2 * 3 and experiment.settings.proliferation_h == 72
    samples = experiment.wells[
        experiment.wells["role"].eq("sample") & experiment.wells["hours"].eq(72)
    ]
    assert set(samples.groupby(["plate", "cell_line", "medium"]).size()) == {6}
    bands, _ = read_blot(
        tmp_path / "E",
        experiment.config.blots[0].file,
        None,
        lines=list(experiment.config.cell_lines),
    )
    assert set(bands["lane_role"]) == {"ladder", "reference", "knockout", "sample"}


def test_incorporation_has_no_start(tmp_path: Path) -> None:
    plan = plan_of("E", {"readout": "BrdU", "dropouts": "asn,gln+asn,leucine", "rescues": "none"})
    config = kit.load(scaffold.new(tmp_path / "E", plan)).config
    assert {plate.hours for plate in config.plates} == {48.0}
    assert (
        config.media["no_asn_gln"].removes == "asparagine+glutamine"
        and config.media["no_asn_gln"].glutamine_uM == 0
    )


def test_growth_mode_of_a_known_line_is_looked_up() -> None:
    assert parse_lines("Molt 4, A549:sus, Nobody-1") == {
        "Molt 4": "suspension",
        "A549": "suspension",
        "Nobody-1": None,
    }


# ---- the printed map
# --------------------------------------------------------------------------------------------------


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_map_shows_every_layout_well_by_well(example: Path) -> None:
    page = (example / "plate_map.html").read_text()
    config = values(example)
    sections = re.findall(r"<section.*?</section>", page, re.DOTALL)
    assert len(sections) == len({plate["layout"] for plate in config["plates"]}) == 4
    labels = {
        "complete": "C",
        "no_asn": "−Asn",
        "no_gln": "−Gln",
        "no_ser": "−Ser",
        "no_asn_rescue": "+Asn",
        "no_gln_rescue": "+Gln",
        "no_ser_rescue": "+Ser",
    }
    for section in sections:
        path = re.search(r"layouts/[\w.-]+", section)[0]  # type: ignore[index]
        cells = re.findall(
            r'<td class="(\w+)" style="background:(#\w+);color:(#\w+)" title="(\w+)'
            r' [^"]*">(.*?)</td>',
            section,
        )
        assert len(cells) == 96
        layout = read_layout(example / path, path).set_index("well")
        for role, fill, ink, well, label in cells:
            medium = layout.loc[well, "medium"]
            assert role == layout.loc[well, "role"]
            assert do_striptags(label) == {"kill": "kill", "empty": ""}.get(
                role, labels.get(medium)
            )
            lighter, darker = sorted((luminance(fill), luminance(ink)), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5 or role == "empty"  # WCAG 2 AA


def test_map_stands_alone_and_escapes(tmp_path: Path) -> None:
    plan = plan_of(
        "E",
        {"lines": "<b>x</b>:ad,y:ad", "title": "<script>1</script>", "plate": "384"},
        together=True,
    )
    page = (scaffold.new(tmp_path / "E", plan, simulated=False) / "plate_map.html").read_text()
    assert (
        "<script" not in page
        and "<b>" not in page
        and not re.search(r"https?:|url\(|src=|href=", page)
    )
    assert "&lt;b&gt;x" in page and "A4 landscape" in page
