"""mTORC1 beyond the report: the workbench tab, the new folder, the index and the simulations."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest

import kit
from kit.cli.main import main
from kit.core.errors import InputError
from kit.explore.parts import Page
from kit.explore.signaling import SignalingTab
from kit.new import mtorc1
from kit.report import index
from kit.simulate import operating


def test_a_new_folder_passes_and_gets_its_planted_classes(tmp_path):
    folder = tmp_path / "EXP-M"
    assert main(["new", str(folder), "--kind", "mtorc1", "--yes"]) == 0
    analysis = kit.analyse(kit.load(folder))
    assert analysis.experiment.config.simulated
    assert analysis.mtorc1_divergence["matches_expected"].all()
    with pytest.raises(InputError):
        mtorc1.write(folder)


def test_a_blank_folder_names_the_tables_still_missing(tmp_path):
    folder = tmp_path / "EXP-M"
    mtorc1.write(folder, simulated=False, title='A "title"')
    with pytest.raises(InputError) as error:
        kit.load(folder)
    assert len(error.value.problems) == mtorc1.EXPERIMENTS
    lanes = pd.read_csv(folder / "lanes.csv")
    assert len(lanes) == 28 and not lanes.duplicated(["genotype", "drug", "stimulus"])[:26].any()


@pytest.fixture
def tab(root):
    analysis = kit.analyse(kit.load(root / "data/examples/EXP-DEMO-05"))
    session = SimpleNamespace(experiment=analysis.experiment, analysis=analysis)
    found = SignalingTab(session, Page())
    found.draw()
    return found


def test_the_tab_starts_as_the_report_and_follows_lanes_and_scaling(tab):
    report = tab.session.analysis.mtorc1_divergence.set_index("stimulus")
    same = tab.what_if().mtorc1_divergence.set_index("stimulus")
    assert same["rdi"].tolist() == report["rdi"].tolist()
    leu = [value for label, value in tab.left_out.options if "(WT, vehicle, Leu" in label]
    assert len(leu) == 4
    tab.left_out.value = tuple(leu[:1])
    assert tab.what_if().mtorc1_divergence.set_index("stimulus").loc["Leu", "n_experiments"] == 3
    tab.left_out.value = tuple(leu[:2])
    assert tab.what_if().mtorc1_divergence.set_index("stimulus").loc["Leu", "status"] == "invalid"
    tab.left_out.value = ()
    tab.scaling.value = "unscaled"
    moved = tab.what_if().mtorc1_divergence.set_index("stimulus").loc["Leu", "a_wt"]
    change = tab.session.analysis.mtorc1_sensitivity.query(
        "choice == 'unscaled' and quantity == 'A_WT' and stimulus == 'Leu'"
    )["change"].item()
    assert moved - report.loc["Leu", "a_wt"] == pytest.approx(change)


def test_the_tab_without_blots_says_so(root):
    tab = SignalingTab(SimpleNamespace(experiment=None, analysis=None), Page())
    tab.draw()
    assert "signaling" in tab.state.value and tab.table.value == ""


def test_the_index_tells_the_classes(tmp_path):
    report = tmp_path / "EXP-M"
    report.mkdir()
    manifest = {
        "experiment_id": "EXP-M", "status": "ok", "verdict": "pass", "reasons": ["All good."],
        "mtorc1": {"Leu": "rag_dependent", "Gln": "rag_independent_arf1", "Asn": ""},
    }  # fmt: skip
    (report / "manifest.json").write_text(json.dumps(manifest))
    index.write(tmp_path)
    entry = json.loads((tmp_path / "index.json").read_text())["experiments"][0]
    assert entry["mtorc1"] == manifest["mtorc1"]
    assert "Gln independent of Rag" in (tmp_path / "index.html").read_text()


def test_operating_characteristics_hold_in_small():
    found = operating.mtorc1_errors(n=300, seed=2).set_index(["lane_sd", "n_experiments"])
    assert (found["dependent at RDI 0.5"] < 0.06).all()
    assert found["coverage of RDI"].between(0.91, 0.99).all()
    power = operating.mtorc1_power(n=300)
    assert power["Leu"].between(0, 1).all() and len(power) == 5
