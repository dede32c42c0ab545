"""What notebook 06 shows: the simulated example gets its planted classes, figures draw what the
tables say, and an experiment without a class says so.
"""

import pandas as pd
import pytest
from signalling import made

import kit
from kit.report.sections import signaling
from kit.simulate import examples


def folder(tmp_path, bands, **yaml):
    """An experiment folder with one table of bands."""
    path = tmp_path / "EXP-S"
    (path / "raw").mkdir(parents=True)
    bands.drop(columns=["lane_role"]).to_csv(path / "raw/all.csv", index=False)
    extra = "".join(f", {key}: {value}" for key, value in yaml.items())
    (path / "experiment.yaml").write_text(
        "experiment_id: EXP-S\ncell_lines: {HEK293A: {}}\nsignaling:\n"
        f"  - {{file: raw/all.csv{extra}}}\n"
    )
    return path


@pytest.fixture(scope="module")
def demo(root):
    return kit.analyse(kit.load(root / "data/examples/EXP-DEMO-05"))


def test_the_example_is_what_the_simulation_writes(root, tmp_path):
    examples.demo_05(tmp_path)
    for path in (tmp_path / "EXP-DEMO-05").rglob("*.*"):
        kept = root / "data/examples" / path.relative_to(tmp_path)
        assert path.read_bytes() == kept.read_bytes()


def test_the_example_gets_its_planted_classes_and_tells_its_trap(demo):
    found = demo.mtorc1_divergence.set_index("stimulus")
    assert found["class"].to_dict() == {
        "Leu": "rag_dependent",
        "Arg": "rag_dependent",
        "Gln": "rag_independent_arf1",
        "Asn": "rag_independent_arf1",
    }
    assert found["matches_expected"].all()
    assert set(demo.summary.codes) == {"MTORC1_SPLIT_GELS", "MTORC1_CONTRASTS_MOVE"}
    moves = demo.mtorc1_sensitivity.query("verdict == 'warn'")
    assert set(moves["choice"]) == {"unscaled"} and set(moves["quantity"]) == {"A_WT"}


def test_cards_say_class_shares_and_what_is_published(demo):
    cards, _, _ = signaling.cards(demo)
    assert [column for column, _ in cards] == ["leucine", "arginine", "glutamine", "asparagine"]
    row = demo.mtorc1_divergence.set_index("stimulus").loc["Gln"]
    card = cards["glutamine", "mTORC1"]
    assert f"{abs(row['rdi']):.2f}" in card.lines[0] and f"{row['adi']:.2f}" in card.lines[1]


def test_figures_draw_what_the_tables_hold(demo):
    shown = signaling.activation(demo)
    each = shown.table
    assert len(each) == 4 * 4 * 5  # experiments x arms x stimuli
    level = demo.mtorc1_activation.set_index(["genotype", "drug", "stimulus"])["a"]
    own = each[each["stimulus"].eq("Leu") & each["arm"].eq("WT, vehicle")]["value"].mean()
    assert own == pytest.approx(level["WT", "vehicle", "Leu"])
    names = {text.get_text() for text in signaling.divergence(demo).figure.axes[0].texts}
    assert {"Leu", "Arg", "Gln", "Asn"} <= names
    lanes = signaling.membranes(demo).figure.axes
    assert [ax.get_title(loc="left") for ax in lanes] == ["E1A", "E2A", "E3B", "E3A", "E4A"]
    for exhibit in (signaling.sensitivity(demo), signaling.routes(demo)):
        exhibit.figure.canvas.draw()


def test_an_invalid_assay_shows_no_share(tmp_path):
    bands = made()
    bands.loc[bands["drug"].eq("Torin") & bands["target"].eq("pS6K_T389"), "volume"] = 9e4
    analysis = kit.analyse(kit.load(folder(tmp_path, bands, rag_loss="sequenced")))
    assert analysis.summary.verdict == "fail"
    table, _, columns = signaling.classes(analysis)
    assert set(table["class"]) == {"invalid"} and set(table["RDI"]) == {"–"}
    assert set(columns) <= set(table)
    assert all(card.headline == "invalid" for card in signaling.cards(analysis)[0].values())
    for show in (signaling.divergence, signaling.activation, signaling.routes):
        show(analysis).figure.canvas.draw()


@pytest.mark.parametrize("kept", ["one experiment", "no stimulus", "no primary", "one lane"])
def test_little_data_draw_and_say_why(tmp_path, kept):
    bands = {
        "one experiment": made(1),
        "no stimulus": made()[made()["stimulus"].isin(["starved", "all"])],
        "no primary": made()[made()["target"].ne("pS6K_T389")],
        "one lane": made(1).iloc[:2],
    }[kept]
    analysis = kit.analyse(kit.load(folder(tmp_path, bands)))
    assert analysis.summary.verdict == "fail"
    assert not any(analysis.mtorc1_divergence["class"])
    for show in (
        signaling.divergence, signaling.activation, signaling.routes, signaling.sensitivity,
        signaling.membranes,
    ):  # fmt: skip
        show(analysis).figure.canvas.draw()
    assert signaling.validity(analysis)[0]["verdict"].iloc[0] == "fail"
    assert list(signaling.methods(analysis))


def test_tables_are_the_contracts_and_reach_the_page(demo):
    assert {"signaling_ratios", "mtorc1_divergence", "mtorc1_validity"} <= set(demo.tables)
    assert isinstance(demo.tables["mtorc1_sensitivity"], pd.DataFrame)
