"""Real cytometer files of other projects: known counts, a known matrix, known quirks. Skipped where
the files are not at hand.
"""

import csv
import warnings
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import flowio
import numpy as np
import pytest

from kit.core.errors import InputError
from kit.flow.compensation import spill_from_controls
from kit.flow.gating import quadrants
from kit.flow.sample_sheet import gate_sample_sheet
from kit.readers.flow.fcs import read_fcs
from kit.readers.flow.flowjo import read_flowjo_workspace
from kit.readers.flow.gated_table import read_flow_table
from kit.simulate.synthetic_flow import DEBRIS_BELOW, write_acquisition

DETECTORS = ("FL1-H", "FL2-H", "FL3-H", "FL4-H")


@pytest.fixture(scope="module")
def flow(shared_data: Path) -> Path:
    folder = shared_data / "flow"
    if not folder.is_dir():
        pytest.skip("real flow cytometry files are absent")
    return folder


def one(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path.name} is not at hand")
    return path


def test_gatingml_quadrant_counts_and_memberships(flow: Path) -> None:
    """ISAC's GatingML 2.0 reference: every event in the quadrant the standard's truth files put it
    in.
    """
    gate = ElementTree.parse(one(flow / "gating" / "gml_quadrant1_gate.xml"))
    across, up = (
        float(node.text or "nan")
        for node in gate.iter("{http://www.isac-net.org/std/Gating-ML/v2.0/gating}value")
    )
    events = read_fcs(one(flow / "gating" / "data1.fcs"))
    x, y = events.column("FL2-H"), events.column("FL4-H")
    found = quadrants(x, y, across, up)
    assert (found.viable, found.necrotic, found.early, found.late) == (5148, 238, 7361, 620)
    for corner, mask in {
        "FL2N-FL4N": (x < across) & (y < up),
        "FL2P-FL4P": (x >= across) & (y >= up),
    }.items():
        truth = np.loadtxt(
            one(flow / "gating" / "truth" / f"Results_{corner}.txt"), dtype=int
        ).astype(bool)
        assert np.array_equal(mask, truth)


def test_compensation_from_real_single_stains(flow: Path) -> None:
    """A FACSCalibur's single stains against the matrix published with them, within 0.003 in every
    cell.
    """
    folder = flow / "compensation"
    with one(folder / "comp_match").open() as handle:
        tubes = {row["channel"].strip(): row["filename"].strip() for row in csv.DictReader(handle)}
    values = {channel: read_fcs(one(folder / file)) for channel, file in tubes.items()}
    columns = {
        channel: np.column_stack([events.column(name) for name in DETECTORS])
        for channel, events in values.items()
    }
    found = spill_from_controls(
        columns["unstained"], [columns[name] for name in DETECTORS], DETECTORS
    )
    lines = (folder / "compref1").read_text().splitlines()[1:]
    reference = np.array([[float(cell) for cell in line.split()[1:]] for line in lines])
    assert np.abs(found.matrix - reference).max() < 0.003


def test_values_equal_those_of_another_reader(flow: Path) -> None:
    files = [
        path
        for path in sorted(flow.rglob("*"))
        if path.suffix in (".fcs", ".LMD", ".001", ".002", ".003", ".004", ".005")
    ]
    compared = 0
    for path in files:
        try:
            with path.open("rb") as handle, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                peer = flowio.FlowData(handle).as_array()
        except Exception:  # what the peer refuses is tested by name below
            continue
        mine = read_fcs(path)
        assert mine.values.shape == peer.shape
        assert mine.values == pytest.approx(peer, rel=1e-6, abs=1e-6), path.name
        compared += 1
    assert compared >= 6


READ = {
    "data_start_offset_discrepancy_example.fcs": (
        2,
        "HEADER and TEXT place the events differently",
    ),
    "data_stop_offset_discrepancy_example.fcs": (2, "HEADER and TEXT place the events differently"),
    "macsquant_fcs31.fcs": (8129, "one byte later"),
    "accuri_c6.fcs": (60661, "HEADER"),
    "gallios_two_datasets.LMD": (None, "copies of the same"),
}
REFUSED = {
    "corrupted.fcs": "does not begin with an FCS header",
    "cytek_truncated.fcs": "is cut short",
}


def named(flow: Path, name: str) -> Path:
    return next(iter(flow.rglob(name)), flow / name)


@pytest.mark.parametrize("name", READ)
def test_quirks_are_read_and_said(name: str, flow: Path) -> None:
    count, said = READ[name]
    events = read_fcs(one(named(flow, name)))
    assert count is None or len(events) == count
    assert any(said in note for note in events.notes)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trusted_is_refused_in_words(name: str, flow: Path) -> None:
    with pytest.raises(InputError, match=REFUSED[name]):
        read_fcs(one(named(flow, name)))


def test_flowkit_counts_the_same_and_its_workspace_is_read(tmp_path: Path) -> None:
    """The same gates in another library, saved as a FlowJo workspace and read back into a flow
    table.
    """
    fk = pytest.importorskip("flowkit")
    write_acquisition(
        {("MOLT-4", "no_asn", 1): {"viable": 0.5, "early": 0.3, "late": 0.15, "necrotic": 0.05}},
        tmp_path,
    )
    file = "MOLT-4_no_asn_R1.fcs"
    session = fk.Session(fcs_samples=[str(tmp_path / file)])
    session.add_gate(
        fk.gates.RectangleGate(
            "Cells", [fk.Dimension("FSC-A", range_min=DEBRIS_BELOW, range_max=1e6)]
        ),
        ("root",),
    )
    low, high = {"range_min": -1e6, "range_max": 4000}, {"range_min": 4000, "range_max": 1e7}
    for name, across, up in (
        ("AnnV- , PI-", low, low),
        ("AnnV+ , PI-", high, low),
        ("AnnV+ , PI+", high, high),
        ("AnnV- , PI+", low, high),
    ):
        gate = fk.gates.RectangleGate(
            name, [fk.Dimension("FITC-A", **across), fk.Dimension("PE-A", **up)]
        )
        session.add_gate(gate, ("root", "Cells"))
    with (tmp_path / "a.wsp").open("wb") as handle:
        session.export_wsp(handle, "All Samples")
    read_flowjo_workspace(tmp_path / "a.wsp", tmp_path / file).to_csv(
        tmp_path / "list.csv", index=False
    )
    theirs = read_flow_table(tmp_path / "list.csv")
    rules = {
        "annexin": "FITC-A",
        "pi": "PE-A",
        "fsc_height": None,
        "debris_fsc_min": DEBRIS_BELOW,
        "compensate": "none",
    }
    ours = gate_sample_sheet(
        tmp_path / "samples.csv",
        {**rules, "annexin_threshold": 4000, "pi_threshold": 4000, "max_rate_change": None},
    ).table
    for name in ("viable_percent", "early_percent", "late_percent", "necrotic_percent", "events"):
        assert theirs[name].tolist() == pytest.approx(ours[name].tolist(), abs=1e-9)
