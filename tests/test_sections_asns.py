"""Blots and mRNA from the folder to notebook 03: planted truth, problems told, and every case of
missing data.
"""

import json
import math
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tifffile
from scipy import stats as sps

import kit
from kit.across.pool import study
from kit.asns.correlation import BANNER
from kit.asns.findings import correlation_findings, western_findings
from kit.asns.lines import GR_OUTCOME, MRNA, PROTEIN
from kit.batch.job import choose
from kit.config.model import ExperimentConfig
from kit.core.columns import TABLES
from kit.core.errors import InputError
from kit.plots.asns import lineage_styles
from kit.report.exhibits import Exhibits
from kit.report.sections import asns, blots
from kit.report.sections import claims as pages
from kit.simulate import synthetic, synthetic_blots
from kit.store import store

MINIMAL = """\
experiment_id: {name}
cell_lines: {{MOLT-4: {{}}, A549: {{}}, HeLa: {{}}}}
media: {{complete: {{role: control}}}}
"""
HEAD = "membrane,lane,cell_line,replicate,target,rf,mw_kDa,volume,background,saturated,lane_role\n"
LEVELS = {"pool": 200, "pool ": 200, "MOLT-4": 10, "A549": 180, "HeLa": 220}


def blot_csv(name="M1", replicate=1, targets=("ASNS", "total_protein"), mass=64, saturated=()):
    """One membrane: two reference lanes and three lines, total protein 1000 everywhere."""
    rows = []
    for lane, (line, level) in enumerate(LEVELS.items(), start=1):
        role = "reference" if line.startswith("pool") else "sample"
        full = "true" if line in saturated else "false"
        rows += (
            [f"{name},{lane},{line.strip()},{replicate},ASNS,,{mass},{level},0,{full},{role}"]
            if "ASNS" in targets
            else []
        )
        rows += (
            [f"{name},{lane},{line.strip()},{replicate},total_protein,,,1000,0,false,{role}"]
            if "total_protein" in targets
            else []
        )
    return HEAD + "\n".join(rows) + "\n"


def folder(tmp_path, text="", name="EXP-W", **files):
    root = tmp_path / name
    root.mkdir(parents=True)
    (root / "experiment.yaml").write_text(MINIMAL.format(name=name) + text)
    for file, content in files.items():
        (root / f"{file}.csv").write_text(content)
    return root


def cells(root):
    notebook = json.loads((root / "notebooks/03_asns_correlation.ipynb").read_text())
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run_notebook(root, experiment, monkeypatch, out=""):
    """Run the notebook's code here; returns its variables and the HTML it showed."""
    shown = []
    monkeypatch.setattr(
        "kit.report.exhibits.display", lambda data, **about: shown.append(data.get("text/html", ""))
    )
    scope = {}
    for source in cells(root):
        exec(source, scope)
        if "experiment: str" in source:
            scope |= {"experiment": str(experiment), "out": str(out)}
    return scope, " ".join(shown)


@pytest.fixture(scope="module")
def four(root):
    return kit.analyse(kit.load(root / "data/examples/EXP-DEMO-01"))


@pytest.fixture(scope="module")
def twelve(root):
    return kit.analyse(kit.load(root / "data/examples/EXP-DEMO-03"))


# ---- planted truth
# ----------------------------------------------------------------------------------------------------------


def test_planted_levels_of_the_four_lines_come_back(four):
    """Level within 25 % (three lysates of 12 % spread), class, mRNA, and a clean blot: every rule
    met.
    """
    table = four.asns_lines.set_index("cell_line")
    assert table["class"].to_dict() == {
        "Jurkat": "low",
        "MOLT-4": "low",
        "A549": "high",
        "MDA-MB-231": "moderate",
    }
    for name, line in synthetic.SOURCE_LINES.items():
        assert table.loc[name, "percent_of_reference"] == pytest.approx(line.asns_percent, rel=0.25)
        assert table.loc[name, MRNA] == pytest.approx(line.asns_mrna_log2, abs=0.3)
    assert set(four.western_qc["verdict"]) <= {"pass", "info"} and set(
        four.western_qc["check"]
    ) == {f"W{i:02d}" for i in range(1, 15)}
    assert four.asns_protein["mw_kDa"].to_numpy() == pytest.approx(64.4, rel=0.05)


def test_tables_are_the_contracts_and_reach_the_store(four, tmp_path):
    for name in (
        "asns_protein",
        "asns_lines",
        "western_qc",
        "asns_correlation",
        "correlation_comparison",
    ):
        assert list(four.tables[name])[: len(TABLES[name])] == list(TABLES[name])
    (tmp_path / "EXP-A").mkdir()
    store.write(tmp_path / "EXP-A", "EXP-A", four.tables)
    kept = store.read(tmp_path, "asns_lines").set_index("cell_line")
    assert kept.loc["MOLT-4", PROTEIN] == pytest.approx(
        four.asns_lines.set_index("cell_line").loc["MOLT-4", PROTEIN], rel=1e-9
    )


def test_four_lines_support_no_correlation(four):
    own = four.asns_correlation[four.asns_correlation["source"].eq("this experiment")]
    assert own["n_lines"].tolist() == [4, 4] and own[
        ["spearman", "pearson", "p", "bca_low"]
    ].isna().all(axis=None)
    assert any(
        "No correlation can be supported by this experiment alone" in text
        for text in asns.present(study(four))
    )


def test_twelve_planted_lines_tell_protein_from_mrna(twelve):
    """Spearman against scipy on the table's own values and against the planted order; the
    difference is significant, mRNA's p is not.
    """
    lines = twelve.asns_lines
    rows = twelve.asns_correlation[
        twelve.asns_correlation["source"].eq("this experiment")
    ].set_index("predictor")
    planted = pd.DataFrame(synthetic.PANEL).set_index(0)
    order = lines["cell_line"]
    for predictor, column in ((PROTEIN, 4), (MRNA, 6)):
        assert rows.loc[predictor, "spearman"] == pytest.approx(
            sps.spearmanr(lines[predictor], lines[GR_OUTCOME]).statistic, abs=1e-12
        )
        assert rows.loc[predictor, "spearman"] == pytest.approx(
            sps.spearmanr(planted.loc[order, column], -planted.loc[order, 5]).statistic, abs=0.15
        )
    assert rows.loc[PROTEIN, "p"] < 0.001 < 0.3 < rows.loc[MRNA, "p"]
    compared = twelve.correlation_comparison
    assert (compared.loc[compared["source"].eq("this experiment"), "williams_p"] < 0.05).all()
    assert lines["auxotroph"].sum() == 6
    planted_gr = [synthetic.demo_03().lines[name].gr["no_asn"] for name in order]
    assert (1 - lines[GR_OUTCOME]).to_numpy() == pytest.approx(planted_gr, abs=0.15)


def test_discordant_line_is_the_planted_one(four):
    table = asns.discordant(study(four)).table
    assert table.loc[table["source"].eq("this experiment"), "cell_line"].tolist() == ["Jurkat"]


def test_claims_from_simulated_data_say_so(four, twelve):
    claims = pages.claims(study(four)).table.set_index("claim")
    assert claims.loc["C2", "judged"] == "supported (simulated)"
    assert (
        claims.loc["S4", "judged"] == "contradicted"
    )  # the panel alone: four lines of our own say nothing
    assert (
        "0.4 uM measured" in claims.loc["S7", "these_data"]
        and "called auxotrophic" in claims.loc["S3", "these_data"]
    )
    panel = pages.claims(study(twelve)).table.set_index(
        "claim"
    )  # twelve simulated lines favour protein: that is no evidence
    assert panel.loc["C3", "judged"] == "left open" and panel.loc["S4", "judged"] == "contradicted"


def test_simulated_membranes_hold_what_was_planted():
    """Net ASNS over total protein of a lane, relative to the reference lanes, by hand: the planted
    percent within its spread.
    """
    truth = synthetic.demo_01()
    table = synthetic_blots.membrane(truth, 1, cv=0.0)
    net = (table["volume"] - table["background"]).astype(float)
    wide = (
        table.assign(net=net)
        .pivot_table(index=["lane", "cell_line", "lane_role"], columns="target", values="net")
        .reset_index()
    )
    ratio = wide["ASNS"] / wide["total_protein"]
    percent = 100 * ratio / ratio[wide["lane_role"].eq("reference")].mean()
    for name, line in truth.lines.items():
        found = percent[wide["cell_line"].eq(name) & wide["lane_role"].eq("sample")].item()
        assert found == pytest.approx(line.asns_percent, rel=0.12)


# ---- reading
# ----------------------------------------------------------------------------------------------------------------

BLOTS = "blots:\n  - {{file: b1.csv, replicate: 1}}\n  - {{file: b2.csv, replicate: {second}}}\n"


def test_problems_of_blots_and_expression_come_together(tmp_path):
    text = "blots:\n  - {file: b1.csv}\nexpression:\n  - {file: m.csv}\n"
    bad = folder(
        tmp_path,
        text,
        b1=blot_csv().replace("A549", "A594"),
        m="cell_line,value\nMOLT4,high\nHela,1\nA459,2\n",
    )
    with pytest.raises(InputError) as caught:
        kit.load(bad)
    message = str(caught.value)
    assert "b1.csv: lane 4: cell line 'A594'" in message and "Did you mean 'A549'" in message
    assert "m.csv" in message and "'high'" in message and "'A459' is no cell line" in message


def test_a_membrane_named_alike_in_two_files_is_two_membranes(tmp_path):
    """Imaging programs number membranes anew in every file. Doubling every ASNS volume of the
    second changes no ratio.
    """
    double = (
        blot_csv(replicate=2)
        .replace(",200,0", ",400,0")
        .replace(",10,0", ",20,0")
        .replace(",180,0", ",360,0")
        .replace(",220,0", ",440,0")
    )
    analysis = kit.analyse(
        kit.load(folder(tmp_path, BLOTS.format(second=2), b1=blot_csv(), b2=double))
    )
    assert sorted(set(analysis.western.lanes["membrane"])) == ["M1 (1)", "M1 (2)"]
    table = analysis.asns_protein.pivot_table(
        index="cell_line", columns="replicate", values="percent_of_reference"
    )
    assert table.loc[["MOLT-4", "A549", "HeLa"], 1].tolist() == pytest.approx([5, 90, 110])
    assert table[1].to_numpy() == pytest.approx(table[2].to_numpy())


def test_one_lane_measured_twice_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"membrane 'M1 \(1\)' has the same lane and target in b1.csv and b2.csv"
    ):
        kit.load(folder(tmp_path, BLOTS.format(second=1), b1=blot_csv(), b2=blot_csv()))


def test_two_files_may_hold_two_targets_of_one_membrane(tmp_path):
    files = {"b1": blot_csv(targets=("ASNS",)), "b2": blot_csv(targets=("total_protein",))}
    analysis = kit.analyse(kit.load(folder(tmp_path, BLOTS.format(second=1), **files)))
    assert set(analysis.western.lanes["normaliser_name"]) == {"total_protein"}
    assert analysis.asns_lines.set_index("cell_line").loc[
        "MOLT-4", "percent_of_reference"
    ] == pytest.approx(5)


def test_settings_of_the_experiment_move_the_classes(tmp_path):
    where = folder(tmp_path, "blots: [{file: b1.csv}]\n", b1=blot_csv())
    classes = [
        kit.analyse(kit.load(where, given)).asns_lines.set_index("cell_line")["class"]["MOLT-4"]
        for given in ({}, {"asns_low_percent": 4})
    ]
    assert classes == ["low", "moderate"]


def test_blot_image_is_measured_and_shown(tmp_path):
    y, x = np.mgrid[:160, :240]
    lane = [np.exp(-((y - 80.0) ** 2) / 40) * (abs(x - centre) < 25) for centre in (50, 120, 190)]
    picture = (
        800
        + sum(height * one for height, one in zip((8000, 400, 8000), lane))
        + np.random.default_rng(0).normal(0, 15, y.shape)
    )
    where = folder(tmp_path, "blots: [{file: asns.tif, lanes: lanes.csv, replicate: 2}]\n")
    tifffile.imwrite(where / "asns.tif", picture.astype(np.uint16))
    (where / "lanes.csv").write_text(
        "lane,cell_line,lane_role,left,right\n1,pool,reference,15,85\n2,Molt4,sample,85,155\n3,A-549,sample,155,225\n"
    )
    experiment = kit.load(where)
    assert [item.path for item in experiment.inputs] == ["experiment.yaml", "asns.tif", "lanes.csv"]
    analysis = kit.analyse(experiment)
    lines = analysis.western.lanes.set_index("cell_line")
    assert 100 * lines.loc["MOLT-4", "asns_relative"] == pytest.approx(
        5, rel=0.1
    )  # planted 400 of 8000
    overlay, profiles = blots.images(analysis)
    assert len(overlay.figure.axes[0].patches) == len(analysis.experiment.bands) == 3
    assert [ax.get_title() for ax in profiles.figure.axes[:3]] == ["1 pool", "2 MOLT-4", "3 A549"]


# ---- the verdict
# ------------------------------------------------------------------------------------------------------------


def test_broken_rules_reach_the_first_screen(tmp_path):
    summary = kit.analyse(
        kit.load(folder(tmp_path, "blots: [{file: b1.csv}]\n", b1=blot_csv(saturated=("MOLT-4",))))
    ).summary
    said = " ".join(summary.reasons)
    assert summary.verdict == "fail"
    assert (
        "saturation: M1, lane 3 (MOLT-4): ASNS saturated (W01)" in said
        and "antibody unvalidated (W10)" in said
    )
    assert any("Expose shorter" in action for action in summary.next_actions)


def test_findings_share_a_sentence_and_passes_are_silent():
    rows = [
        ("W05", f"M1, lane {i}", "0.5", "", "warn", "warn", "Load equal protein.", "W05_LOAD")
        for i in range(4)
    ] + [("W01", "M1", "none", "", "fail", "pass", "", "W01_NOT_SATURATED")]
    found = western_findings(pd.DataFrame(rows, columns=list(TABLES["western_qc"])))
    assert [finding.code for finding in found] == ["W05_LOAD"]
    assert found[0].sentence == (
        "ASNS blot, load over the mean: M1, lane 0, M1, lane 1, M1, lane 2 and M1, lane 3: 0.5 (W05)."
    )


@pytest.mark.parametrize(("given", "said"), [("low", False), ("high", True)])
def test_a_blot_that_contradicts_the_given_class_warns(tmp_path, given, said):
    where = folder(tmp_path, "blots: [{file: b1.csv}]\n", b1=blot_csv())
    text = (
        (where / "experiment.yaml")
        .read_text()
        .replace("MOLT-4: {}", f"MOLT-4: {{asns_class: {given}}}")
    )
    (where / "experiment.yaml").write_text(text)
    assert ("CLASS_CONTRADICTED" in kit.analyse(kit.load(where)).summary.codes) is said


@pytest.mark.parametrize(
    ("p", "source", "warned"),
    [(0.01, "this experiment", True), (0.4, "this experiment", False), (0.01, "NCI-60", False)],
)
def test_only_own_claims_that_hang_on_one_line_warn(p, source, warned):
    row = {
        "predictor": PROTEIN,
        "outcome": "o",
        "source": source,
        "p": p,
        "code": "LINES_FEW SIGNIFICANCE_DEPENDS",
        "n_lines": 9,
    }
    found = correlation_findings(
        pd.DataFrame([row]), pd.DataFrame({"cell_line": ["A"], PROTEIN: [1.0]}), 0.05
    )
    assert [finding.severity for finding in found] == (["warn"] if warned else [])


# ---- what is missing
# --------------------------------------------------------------------------------------------------------


def test_notebook_on_blots_alone(tmp_path, root, monkeypatch):
    where = folder(tmp_path, "blots: [{file: b1.csv}]\n", b1=blot_csv())
    out = tmp_path / "out" / "EXP-W"
    scope, html = run_notebook(root, where, monkeypatch, out)
    assert (
        'class="banner' in html
        and "Sensitivity was not measured here" in html
        and "ASNS mRNA: not measured here" in html
    )
    assert BANNER not in html
    assert scope["analysis"].asns_correlation["source"].unique().tolist() == ["NCI-60"]
    assert {"asns_levels.png", "asns_nci60.png", "asns_positions.svg"} <= {
        path.name for path in (out / "figures").iterdir()
    }
    assert {"asns_protein.csv", "western_qc.csv", "asns_correlation.csv", "asns_claims.csv"} <= {
        path.name for path in (out / "tables").iterdir()
    }


def test_notebook_on_mrna_alone_carries_the_banner(tmp_path, root, monkeypatch):
    where = folder(
        tmp_path,
        "expression: [{file: m.csv, kind: mrna}]\n",
        m="cell_line,value\nMolt 4,-2\nA549,0\nHeLa,1\n",
    )
    scope, html = run_notebook(root, where, monkeypatch)
    assert html.count(BANNER) == 2  # beside the data and on the first screen
    assert scope["analysis"].asns_lines.set_index("cell_line")[MRNA].to_dict() == {
        "MOLT-4": -2,
        "A549": 0,
        "HeLa": 1,
    }


def test_notebook_on_the_panel_alone_tells_the_weaker_story(tmp_path, root, monkeypatch):
    """Nothing of the experiment: NCI-60 is shown with its own numbers, every |rho| below 0.35, and
    nothing is called equal.
    """
    out = tmp_path / "out" / "EXP-W"
    scope, html = run_notebook(root, folder(tmp_path), monkeypatch, out)
    assert "ASNS protein (western blot): not measured here" in html
    table = pd.read_csv(out / "tables/asns_correlation.csv")
    assert (
        set(table["source"]) == {"NCI-60"}
        and table.loc[table["n_lines"] >= 42, "spearman"].abs().max() < 0.35
    )
    assert "equality is not shown either" in html and "contradicted" in html
    assert scope["analysis"].asns_correlation is None


def test_notebook_on_growth_without_asns(root, monkeypatch):
    scope, html = run_notebook(root, root / "data/examples/EXP-DEMO-02", monkeypatch)
    assert (
        "Sensitivity (1 - GR without asparagine): 2 lines" in html and 'class="banner' not in html
    )
    assert scope["analysis"].asns_lines[PROTEIN].isna().all()


@pytest.mark.parametrize(
    ("text", "only", "expected"),
    [
        ("", (), ["03_asns_correlation"]),
        ("", ("03_asns_correlation",), ["03_asns_correlation"]),
        ("plates: [x]", ("03_asns_correlation",), ["03_asns_correlation"]),
        ("plates: [x]", (), ["01_assay_qc", "02_dropout_analysis"]),
        ("", ("01_assay_qc",), None),
    ],
)
def test_the_panels_alone_are_a_report(root, text, only, expected):
    """Lines without data: notebook 03 by default and when asked for; with plates only when asked
    for; 01 has nothing to tell.
    """
    config = SimpleNamespace(**{name: [] for name in ExperimentConfig.model_fields})
    config.plates = [1] if text else []
    if expected is None:
        with pytest.raises(InputError, match="has no data for 01_assay_qc"):
            choose(SimpleNamespace(config=config, wells=[]), root / "notebooks", only)
    else:
        assert [
            path.stem
            for path in choose(SimpleNamespace(config=config, wells=[]), root / "notebooks", only)
        ] == expected


def test_an_experiment_of_lines_alone_needs_no_media(tmp_path):
    root = tmp_path / "PAN"
    root.mkdir()
    (root / "experiment.yaml").write_text(
        "schema_version: 1\nexperiment_id: PAN\ncell_lines: {MOLT-4: {}, A549: {}}\n"
    )
    analysis = kit.analyse(kit.load(root))
    assert (
        analysis.summary.verdict == "pass" and "Nothing was measured" in analysis.summary.reasons[0]
    )
    said = " ".join(asns.present(study(analysis)))
    assert (
        "ASNS protein (western blot): not measured here" in said
        and "Sensitivity was not measured here" in said
    )
    (root / "experiment.yaml").write_text(
        "schema_version: 1\nexperiment_id: PAN\ncell_lines: {MOLT-4: {}}\nmedia: {}\nflow: [{file:"
        " a.csv}]\n"
    )
    with pytest.raises(
        InputError, match=r"no medium is named, but flow are listed.*List each medium with its role"
    ):
        kit.load(root)


def test_other_kinds_of_expression_are_predictors_of_their_own(tmp_path):
    text = "expression:\n  - {file: m.csv}\n  - {file: p.csv, kind: proteomics}\n"
    lines = kit.analyse(
        kit.load(
            folder(tmp_path, text, m="cell_line,value\nA549,1\n", p="cell_line,value\nA549,3\n")
        )
    ).asns_lines
    assert lines.loc[0, [MRNA, "proteomics"]].tolist() == [1, 3]


# ---- several experiments
# ----------------------------------------------------------------------------------------------------


def report(reports, name, lines, simulated):
    (reports / name).mkdir(parents=True)
    (reports / name / "manifest.json").write_text(json.dumps({"simulated": simulated}))
    store.write(reports / name, name, {"asns_lines": lines})


def test_other_reports_are_pooled_line_by_line_never_real_with_simulated(four, twelve, tmp_path):
    report(
        tmp_path, "EXP-DEMO-01", four.asns_lines.assign(**{PROTEIN: 99.0}), True
    )  # this experiment's own earlier report: replaced
    report(tmp_path, "EXP-DEMO-03", twelve.asns_lines, True)
    report(tmp_path, "REAL", twelve.asns_lines.assign(**{PROTEIN: 50.0}), False)
    found = study(four, tmp_path / "EXP-DEMO-01")
    assert found.others == ("EXP-DEMO-03",)
    pooled = found.pooled.set_index("cell_line")
    both = [table.set_index("cell_line") for table in (four.asns_lines, twelve.asns_lines)]
    for column in (PROTEIN, MRNA, GR_OUTCOME):
        assert pooled.loc["MOLT-4", column] == pytest.approx(
            (both[0].loc["MOLT-4", column] + both[1].loc["MOLT-4", column]) / 2, rel=1e-9
        )
        assert pooled.loc["HeLa", column] == pytest.approx(both[1].loc["HeLa", column], rel=1e-9)
    rows = found.pooled_correlation[0].set_index("predictor")
    assert rows.loc[PROTEIN, "n_lines"] == 12
    assert rows.loc[PROTEIN, "spearman"] == pytest.approx(
        sps.spearmanr(pooled[PROTEIN], pooled[GR_OUTCOME]).statistic, abs=1e-12
    )
    assert len(asns.pooled(found)) == 1


def test_a_folder_of_its_own_pools_nothing(four, tmp_path):
    found = study(four, tmp_path / "EXP-DEMO-01")
    assert (
        found.pooled is None
        and "no other simulated experiment" in found.note
        and asns.pooled(found) == []
    )


# ---- figures
# ----------------------------------------------------------------------------------------------------------------


def test_lineages_are_told_apart_and_keep_their_look():
    """Ten lineages: no two share colour and marker, and a subset of the lines does not change the
    look of any.
    """
    lines = pd.DataFrame({"lineage": [f"L{i}" for i in range(10) for _ in range(10 - i)]})
    styles = lineage_styles(lines)
    assert len(set(styles.values())) == len(styles) == 10


def test_every_figure_of_the_panels_says_that_they_are_real(four):
    assert asns.panel_marks(study(four)) == ("SIMULATED DATA, except NCI-60 and CCLE",)
    real = study(four).analysis.experiment.config.model_copy(update={"simulated": False})
    assert (
        asns.panel_marks(
            study(
                type(four)(
                    type(four.experiment)(
                        four.experiment.folder, real, four.wells, four.experiment.exclusions
                    )
                )
            )
        )
        == ()
    )


def test_names_of_points_do_not_lie_on_one_another(twelve, tmp_path):
    """Twelve named lines: measured on the rendered figure, labels overlap by less than a tenth of
    their area.
    """
    figure = asns.own(study(twelve))[0].figure
    figure.savefig(tmp_path / "own.png", dpi=100)
    ax = figure.axes[0]
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 12
    shared = [one.intersection(one, other) for i, one in enumerate(boxes) for other in boxes[:i]]
    worst = max((box.width * box.height for box in shared if box is not None), default=0.0)
    assert worst < 0.1 * min(box.width * box.height for box in boxes)


def test_levels_of_a_membrane_without_ladder_draw(tmp_path):
    analysis = kit.analyse(kit.load(folder(tmp_path, "blots: [{file: b1.csv}]\n", b1=blot_csv())))
    exhibits = [blots.levels(analysis), *blots.membranes(analysis)]
    assert [exhibit.name for exhibit in exhibits] == ["asns_levels", "asns_ladders", "asns_lanes"]
    assert "no ladder lane" in exhibits[1].figure.axes[0].texts[0].get_text()


ODD = {
    "ladder alone": (
        HEAD + "M,1,,1,ladder,0.2,100,,,false,ladder\nM,1,,1,ladder,0.5,50,,,false,ladder\n"
    ),
    "reference alone": (
        HEAD + "M,1,p,1,ASNS,,,100,0,false,reference\nM,2,p,1,ASNS,,,100,0,false,reference\n"
    ),
    "one lane": HEAD + "M,1,MOLT-4,1,ASNS,,,100,0,false,sample\n",
    "all saturated": blot_csv(saturated=tuple(LEVELS)),
    "reference empty": blot_csv().replace(",200,0", ",0,0"),
    "negative volume": blot_csv().replace(",10,0", ",-10,0"),
    "another protein": blot_csv(mass=120),
    "no ASNS": blot_csv(targets=("total_protein",)),
    "strange name": blot_csv(name="Mémb $x$ <b>"),
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_odd_blots_are_told_not_crashed_on(tmp_path, text):
    """Every exhibit of the notebook is formed and drawn, and the verdict is never a pass."""
    analysis = kit.analyse(kit.load(folder(tmp_path, "blots: [{file: b1.csv}]\n", b1=text)))
    found = study(analysis)
    page = Exhibits(str(tmp_path / "out"))
    page.show(blots.levels(analysis), blots.membranes(analysis), asns.own(found), asns.roc(found))
    page.show(blots.lines(analysis), blots.lysates(analysis), blots.quality(analysis))
    page.show(pages.claims(found))
    assert analysis.summary.verdict != "pass" and asns.present(found)


def test_unused_lines_of_the_experiment_do_not_break_the_order(tmp_path):
    """A line known from the blot alone stands after those of experiment.yaml."""
    text = blot_csv().replace("HeLa", "MCF7")
    lines = kit.analyse(kit.load(folder(tmp_path, "blots: [{file: b1.csv}]\n", b1=text))).asns_lines
    assert lines["cell_line"].tolist() == ["MOLT-4", "A549", "MCF7"] and not math.isnan(
        lines[PROTEIN].iloc[2]
    )


def test_copying_the_folder_changes_no_number(root, tmp_path, four):
    shutil.copytree(root / "data/examples/EXP-DEMO-01", tmp_path / "EXP-DEMO-01")
    there = kit.analyse(kit.load(tmp_path / "EXP-DEMO-01"))
    for name in (
        "asns_protein",
        "asns_lines",
        "western_qc",
        "asns_correlation",
        "correlation_comparison",
    ):
        pd.testing.assert_frame_equal(there.tables[name], four.tables[name])
