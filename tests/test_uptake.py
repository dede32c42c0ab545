"""The uptake section of an experiment: planted scenarios, and input that is not as it should be."""

import numpy as np
import pandas as pd
import pytest

import kit

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
