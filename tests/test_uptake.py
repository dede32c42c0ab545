"""The uptake section of an experiment: planted scenarios, and input that is not as it should be."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import kit
from kit.exchange import design
from kit.exchange.exchange import exchange
from kit.explore.exchange import ExchangeTab
from kit.explore.parts import Page
from kit.explore.state import Session
from kit.report.sections import exchange as section
from kit.simulate import synthetic_uptake

ARMS = {"siCTL": (0, 20, 100, 378), "siASNS": (0, 100)}
YAML = """schema_version: 1
experiment_id: {name}
simulated: true
cell_lines: {{LINE: {{growth_mode: adherent}}}}
media:
  asn_0: {{role: dropout, removes: asparagine, asparagine_uM: 0}}
  asn_20: {{role: other, asparagine_uM: 20}}
  asn_100: {{role: control, asparagine_uM: 100}}
  asn_378: {{role: other, asparagine_uM: 378}}
uptake:
"""


def write(folder, medium, counts, inside, entry=""):
    """An experiment folder from long tables with kind, medium, condition, hours."""
    (folder / "raw").mkdir(parents=True)
    text = YAML.format(name=folder.name)
    for replicate in sorted(set(medium["experiment"])):
        files = {
            "concentrations": medium[["sample", "compound", "conc_uM", "experiment"]].assign(
                unit="uM"
            ),
            "samples": medium.drop_duplicates(["experiment", "sample"]),
            "counts": counts,
            "intracellular": inside,
        }
        named = {}
        for field, table in files.items():
            named[field] = f"raw/{field}_{replicate}.csv"
            own = table[table["experiment"].eq(replicate)].drop(columns="experiment")
            own.to_csv(folder / named[field], index=False)
        text += f"  - {{{', '.join(f'{k}: {v}' for k, v in named.items())}, "
        text += f"replicate: {replicate}{entry}}}\n"
    (folder / "experiment.yaml").write_text(text)
    return folder


def planted(shared_data, scenario, experiments=None):
    source = shared_data / "exchange/planted"
    tables = [pd.read_csv(source / f"{name}.csv") for name in ("medium", "counts", "intracellular")]
    out = []
    for table in tables:
        own = table[table["scenario"].eq(scenario)]
        own = own if experiments is None else own[own["experiment"].isin(experiments)]
        asn = own["medium_asn_uM"]
        medium = np.where(asn.isna(), "", "asn_" + asn.fillna(0).astype(int).astype(str))
        own = own.assign(medium=medium, condition=own["genotype"].replace("blank", ""))
        out.append(own.rename(columns={"time_h": "hours"}))
    medium, counts, inside = out
    medium["sample"] = [
        f"{r.type}_{r.condition}_{r.medium}_{r.hours}_{r.well}" for r in medium.itertuples()
    ]
    medium["volume_mL"] = 2 * (1 - 0.0004 * medium["hours"])
    medium = medium.rename(columns={"type": "kind"})
    medium["cell_line"] = np.where(medium["kind"].eq("cells"), "LINE", "")
    counts["cell_line"] = inside["cell_line"] = "LINE"
    inside = inside.rename(columns={"intracellular_asn_nmol_per_1e6": "asparagine"})
    drop = ["scenario", "genotype", "medium_asn_uM", "well"]
    return [table.drop(columns=drop, errors="ignore") for table in (medium, counts, inside)]


@pytest.mark.parametrize("scenario", ["exchange", "demand", "maintenance", "noisy", "exhausted"])
def test_planted_scenarios_get_their_verdicts(shared_data, tmp_path, scenario):
    folder = write(tmp_path / scenario, *planted(shared_data, scenario))
    found = kit.analyse(kit.load(folder)).exchange.set_index("amino_acid")
    expected = pd.read_csv(shared_data / "exchange/planted/expected_verdicts.csv")
    expected = expected[expected["scenario"].eq(scenario)]
    meaning = {"GROWTH-CORRECTED": "supports", "UPTAKE": "follows_growth",
               "INCONCLUSIVE": "inconclusive", "INVALID": "invalid"}  # fmt: skip
    for row in expected.itertuples():
        own = found.loc[row.compound.lower()]
        assert own.verdict == meaning[row.verdict.split()[0]], (row.compound, own.note)
        assert own.provisional == ("provisional" in row.verdict)
        if own.verdict != "invalid" and scenario != "noisy":
            assert own.slope == pytest.approx(row.eps, abs=0.02)
            assert own.slope_of_v == pytest.approx(row.eps_of_v_mean, abs=0.02)
    assert set(found["grade"]) <= {"growth_corrected", "correlative", "none"}


@pytest.fixture(scope="module")
def demo(root):
    return kit.analyse(kit.load(root / "data/examples/EXP-DEMO-06"))


def test_the_example_finds_what_was_planted(demo):
    found = demo.exchange.set_index("amino_acid")["verdict"].to_dict()
    assert found == {"serine": "supports", "arginine": "supports", "histidine": "follows_growth",
                     "leucine": "follows_growth"}  # fmt: skip
    assert demo.summary.verdict == "pass" and demo.exhaustion["measured"].any()


def test_the_example_is_what_its_simulation_writes(root, tmp_path):
    synthetic_uptake.demo_06(tmp_path)
    for path in sorted((root / "data/examples/EXP-DEMO-06").rglob("*.*")):
        made = tmp_path / path.relative_to(root / "data/examples")
        assert made.read_bytes() == path.read_bytes()


def broken(tmp_path, file, change):
    """EXP-DEMO-06 with one table of its first experiment changed."""
    folder = tmp_path / "EXP-DEMO-06"
    synthetic_uptake.demo_06(tmp_path, (1, 2))
    path = folder / f"raw/{file}_1.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)
    return kit.analyse(kit.load(folder))


def gone(analysis, amino_acid="serine", medium="complete"):
    """The first experiment's rate of one arm, and whether all others of it stand."""
    rates = analysis.uptake_rates
    mine = rates["replicate"].eq("1") & rates["amino_acid"].eq(amino_acid)
    others = rates[~rates["replicate"].eq("1") & rates["replicate"].ne("all")]
    row = rates[mine & rates["medium"].eq(medium)].iloc[0]
    return row, bool(others["v_fmol_per_cell_h"].notna().all())


def only(table, **where):
    mask = np.logical_and.reduce([table[column].eq(value) for column, value in where.items()])
    return table[~mask]


def twice(table):
    return pd.concat([table, table[table["compound"].eq("serine")]])


def without_unit(table):
    return table.drop(columns="unit")


def negative(table):
    bad = table["compound"].eq("serine") & table["sample"].str.startswith("complete")
    return table.assign(concentration=table["concentration"].mask(bad, -3.0))


def too_much(table):
    bad = table["compound"].eq("serine") & table["sample"].str.startswith("complete")
    return table.assign(concentration=table["concentration"].mask(bad, 99_999.0))


@pytest.mark.parametrize(
    ("file", "change", "code"),
    [
        ("concentrations", twice, "LCMS_TWICE"),
        ("concentrations", without_unit, "LCMS_NO_UNIT"),
        ("concentrations", too_much, "UPTAKE_ABOVE_RANGE"),
        ("samples", lambda t: only(t, kind="blank"), "UPTAKE_NO_BLANK"),
        ("samples", lambda t: t.assign(volume_mL=t.volume_mL * (1 - 0.003 * t.hours)),
         "UPTAKE_EVAPORATED"),
        ("samples", lambda t: t.assign(hours=24.0), "UPTAKE_TIMES_EQUAL"),
        ("counts", lambda t: only(t, medium="complete"), "UPTAKE_NO_COUNT"),
    ],
)  # fmt: skip
def test_bad_input_costs_the_rate_it_touches(tmp_path, file, change, code):
    row, others = gone(broken(tmp_path, file, change))
    assert np.isnan(row.v_fmol_per_cell_h) and row.code == code and row.note and others


def test_a_negative_concentration_costs_its_rate_and_is_told(tmp_path):
    analysis = broken(tmp_path, "concentrations", negative)
    row, others = gone(analysis)
    assert np.isnan(row.v_fmol_per_cell_h) and others
    assert "LCMS_NEGATIVE" in {item.code for item in analysis.findings}


def test_two_times_are_provisional(tmp_path):
    row, _ = gone(broken(tmp_path, "samples", lambda t: t[t.hours.ne(24)]))
    assert row.method == "two_points" and row.gate == "provisional"
    assert row.v_fmol_per_cell_h == pytest.approx(5.9, rel=0.2)


def test_a_small_change_says_what_to_change(tmp_path):
    def hardly(table):
        touched = table["compound"].eq("leucine") & table["sample type"].eq("Unknown")
        return table.assign(concentration=table["concentration"].mask(touched, 297.0))

    row, _ = gone(broken(tmp_path, "concentrations", hardly), "leucine")
    assert row.code == "UPTAKE_SMALL" and row.gate == "fail" and "times the cells" in row.advice


def test_labelled_uptake_and_a_blocked_transporter_raise_the_grade(demo):
    rows = [
        {"cell_line": "DEMO-A", "amino_acid": "serine", "replicate": r, "preload": p, "blocked": b,
         "uptake": (2.0 if p and not b else 1.0) * (1 + 0.01 * r), "efflux": 1.5 if p else 1.0 + r / 100}
        for r in (1, 2, 3) for p in (True, False) for b in (True, False)
    ]  # fmt: skip
    data, config = demo.experiment.uptake, demo.experiment.config
    labelled = dataclasses.replace(data, transport=pd.DataFrame(rows))
    found = exchange(demo.uptake_rates, labelled, config).set_index("amino_acid")["grade"]
    assert found["serine"] == "transporter_dependent" and found["arginine"] == "growth_corrected"
    intact = pd.DataFrame([row for row in rows if not row["blocked"]])
    labelled = dataclasses.replace(data, transport=intact)
    found = exchange(demo.uptake_rates, labelled, config).set_index("amino_acid")["grade"]
    assert found["serine"] == "trans_stimulated"


@pytest.mark.parametrize("n", [3, 4, 6])
def test_characteristics(n):
    nothing = synthetic_uptake.characteristics(n, 0.05, draws=400, seed=n)
    assert 0.92 <= nothing["coverage"] <= 0.98 and nothing["supports"] < 0.05


def test_exhibits_of_the_example(demo):
    for exhibits in (section.amounts(demo), section.rates_figure(demo), section.picture(demo)):
        assert [item.figure is not None for item in exhibits] == [True]
    assert len(section.sentences(demo)) == 5
    assert section.slopes_figure(demo).figure.axes


def test_the_planner_in_the_workbench_says_what_to_change(demo):
    session = Session()
    session.adopt(demo)
    tab = ExchangeTab(session, Page())
    tab.draw()
    assert "supports" in tab.found.value and "can measure it" in tab.answer.value
    tab.supply.value = 4000.0
    assert "times the cells" in tab.answer.value
    tab.supply.value = 10.0
    assert "Less than a fifth" in tab.answer.value
    tab.supply.value = -1.0
    assert "above zero" in tab.answer.value


def test_the_planned_factor_reaches_the_gate():
    weak = design.plan(1e5, 2.0, 1000.0, 48.0, 30.0, 5.0)
    assert weak.factor > 1
    strong = design.plan(1e5 * weak.factor, 2.0, 1000.0, 48.0, 30.0, 5.0)
    assert strong.change_percent == pytest.approx(10) and strong.left == pytest.approx(0.9)
