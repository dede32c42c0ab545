"""Gates and compensation against planted truth, closed forms and numpy by another route; FCS files
that are not quite right.
"""

import struct
from array import array
from pathlib import Path
from tempfile import TemporaryFile

import flowio
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from kit.core.errors import InputError
from kit.flow.acquisition import gate_files
from kit.flow.compensation import spill_from_controls, unmix
from kit.flow.gating import FlowGates, Logicle, logicle, quadrants, steady, time_gate
from kit.flow.sample_sheet import gate_sample_sheet
from kit.readers.flow.events import Events
from kit.readers.flow.fcs import read_fcs
from kit.readers.flow.flowjo import read_flowjo_workspace
from kit.simulate.synthetic_flow import (
    CLASSES,
    DEBRIS_BELOW,
    SPILL,
    simulate,
    write_acquisition,
    write_fcs,
)

MIX = {"viable": 0.62, "early": 0.2, "late": 0.13, "necrotic": 0.05}
SAMPLES = {
    ("MOLT-4", "complete", 1): {"viable": 0.92, "early": 0.04, "late": 0.03, "necrotic": 0.01},
    ("MOLT-4", "no_asn", 1): MIX,
    ("A549", "no_asn", 2): {"viable": 1.0, "early": 0.0, "late": 0.0, "necrotic": 0.0},
}
GATES = {"annexin": "FITC-A", "pi": "PE-A", "debris_fsc_min": DEBRIS_BELOW}


@pytest.fixture(scope="module")
def acquisition(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("fcs")
    return folder, write_acquisition(SAMPLES, folder, events=12_000, seed=3)


@pytest.mark.parametrize("compensate", ["file", "controls"])
def test_clear_cut_populations_are_recovered_to_within_a_few_events(
    compensate: str, acquisition: tuple[Path, pd.DataFrame]
) -> None:
    folder, truth = acquisition
    run = gate_sample_sheet(
        folder / "samples.csv",
        {**GATES, "compensate": compensate, "annexin_threshold": 4000, "pi_threshold": 4000},
    )
    table = run.table.merge(truth[truth["role"] == "sample"], on="file", suffixes=("", "_truth"))
    for name in CLASSES:
        counts = table[f"{name}_percent"] * table["events"] / 100
        assert (
            np.abs(counts - table[name]).max() <= 12
        )  # the odd doublet of a small and a large cell, or of one cell and noise
    assert np.allclose(table["debris_percent"] / 100, table["debris"] / 12_000, atol=0.001)


def test_thresholds_from_controls_recover_the_fractions_within_binomial_error(
    acquisition: tuple[Path, pd.DataFrame],
) -> None:
    folder, _ = acquisition
    table = gate_sample_sheet(folder / "samples.csv", GATES).table.set_index(
        ["cell_line", "medium", "replicate"]
    )
    false = 0.005  # each threshold lies at the 99.5th percentile of its control
    leak = {
        "viable": lambda p: p["viable"] * (1 - false) ** 2,
        "early": lambda p: p["early"] * (1 - false) + p["viable"] * false * (1 - false),
        "necrotic": lambda p: p["necrotic"] * (1 - false) + p["viable"] * false * (1 - false),
        "late": lambda p: p["late"] + (p["early"] + p["necrotic"]) * false + p["viable"] * false**2,
    }
    for key, planted in SAMPLES.items():
        for name in CLASSES:
            expected, n = leak[name](planted), table.loc[key, "events"]
            # the control's own percentile has binomial error too, from the roughly 7,000 negatives
            # of its tube
            error = (
                4
                * np.sqrt(
                    expected * (1 - expected) / n + planted["viable"] * false * (1 - false) / 7000
                )
                + 0.0025
            )
            assert table.loc[key, f"{name}_percent"] / 100 == pytest.approx(expected, abs=error), (
                key,
                name,
            )


def test_uncompensated_spill_would_be_seen(acquisition: tuple[Path, pd.DataFrame]) -> None:
    """The planted spill matters: early cells (no PI) spill 0.22 x 25,000 = 5,500 into the PI
    detector, above a threshold of 4,000.
    """
    folder, _ = acquisition
    rules = {**GATES, "annexin_threshold": 4000, "pi_threshold": 4000}
    wrong = gate_sample_sheet(folder / "samples.csv", {**rules, "compensate": "none"}).table
    right = gate_sample_sheet(folder / "samples.csv", rules).table
    assert wrong["early_percent"][1] < 0.5 * right["early_percent"][1]


def test_single_stains_give_the_planted_matrix(acquisition: tuple[Path, pd.DataFrame]) -> None:
    """Tubes of stained and unstained cells mixed, as single stains of dying cells are."""
    folder, _ = acquisition
    dark, *bright = (
        read_fcs(folder / f"{name}.fcs").values[:, 3:5]
        for name in ("unstained", "annexin_only", "pi_only")
    )
    found = spill_from_controls(dark, bright, ("FITC-A", "PE-A"))
    assert found.matrix == pytest.approx(SPILL.matrix[:2, :2], abs=0.006)


def test_a_dark_single_stain_is_refused() -> None:
    rng = np.random.default_rng(0)
    dark = rng.normal(100, 10, (2000, 2))
    with pytest.raises(InputError, match="single-stain control of 'PE-A' is no brighter"):
        spill_from_controls(
            dark, [dark + np.array([5000, 1000]), dark - np.array([0, 50])], ("FITC-A", "PE-A")
        )


def test_unmixing_undoes_mixing() -> None:
    true = np.random.default_rng(0).normal(1000, 300, (500, 3))
    assert unmix(true @ SPILL.matrix, SPILL) == pytest.approx(true[:, :2])


def test_quadrants_by_hand() -> None:
    points = np.array([[0, 0], [5, 0], [5, 5], [0, 5], [4.999, 5], [5, 4.999]])
    found = quadrants(points[:, 0], points[:, 1], 5, 5)
    assert (found.viable, found.early, found.late, found.necrotic) == (1, 2, 1, 2)


def test_logicle_inverts_its_defining_equation() -> None:
    """S(y) = a e^(by) - c e^(-dy) - f, constants as in Moore & Parks 2012, d by root finding
    here.
    """
    scale = Logicle()
    b, w, x2 = (
        (scale.m + scale.a) * np.log(10),
        scale.w / (scale.m + scale.a),
        scale.a / (scale.m + scale.a),
    )
    x1, x0 = x2 + w, x2 + 2 * w
    d = brentq(lambda d: 2 * (np.log(d) - np.log(b)) + w * (d + b), 1e-9, b)
    c_over_a = np.exp(x0 * (b + d))
    f_over_a = np.exp(b * x1) - c_over_a * np.exp(-d * x1)
    a = scale.t / (np.exp(b) - c_over_a * np.exp(-d) - f_over_a)
    for value in (0.0, 300.0, 5000.0, 200_000.0):
        y = float(logicle(np.array([value]), scale)[0])
        assert a * (np.exp(b * y) - c_over_a * np.exp(-d * y) - f_over_a) == pytest.approx(
            value, rel=1e-6, abs=1e-4
        )
        assert float(logicle(np.array([-value]), scale)[0]) == pytest.approx(
            2 * x1 - y
        )  # negatives mirror positives


def test_quadrants_are_the_same_on_the_logicle_scale() -> None:
    points = simulate(MIX, events=3000, seed=5).events.values[:, 3:5].astype(float)
    cuts = np.array([700.0, 900.0])
    on_logicle = quadrants(*logicle(points, Logicle()).T, *logicle(cuts, Logicle()))
    assert on_logicle == quadrants(*points.T, *cuts)


def test_time_gate_drops_clogs_and_bursts_and_respects_limits() -> None:
    rng = np.random.default_rng(2)
    clog = np.sort(
        np.concatenate(
            [rng.uniform(0, 40, 8000), rng.uniform(60, 100, 8000), rng.uniform(40, 60, 100)]
        )
    )
    kept = steady(clog, 3.0)
    assert kept[clog < 38].all() and kept[clog > 62].all()
    assert not kept[(clog > 43) & (clog < 57)].any()
    limits = FlowGates(**GATES, time_start_s=10, time_end_s=30, max_rate_change=None)
    origin = clog + 1000
    assert np.array_equal(
        time_gate(origin, limits), (clog - clog[0] >= 10) & (clog - clog[0] <= 30)
    )
    assert steady(np.sort(rng.uniform(0, 100, 20_000)), 3.0).all()


# ---- what a run refuses, and what it says
# ------------------------------------------------------------------------------


def sheet_of(folder: Path, rows: list[str]) -> Path:
    path = folder / "s.csv"
    path.write_text("file,cell_line,medium,replicate,role\n" + "\n".join(rows) + "\n")
    return path


def test_missing_controls_and_channels_are_named_at_once(
    acquisition: tuple[Path, pd.DataFrame],
) -> None:
    folder, _ = acquisition
    sheet = sheet_of(
        folder, ["MOLT-4_complete_R1.fcs,,,,", "unstained.fcs,,,,unstained", "nothere.fcs,A,m,1,"]
    )
    with pytest.raises(InputError) as caught:
        gate_sample_sheet(sheet, {**GATES, "pi": "PE-H"})
    said = str(caught.value)
    assert (
        "MOLT-4_complete_R1.fcs: channels: there is no channel 'PE-H'. Did you mean 'PE-A'?" in said
    )
    assert "nothere.fcs: the file does not exist" in said
    with pytest.raises(InputError) as caught:
        gate_sample_sheet(
            sheet_of(folder, ["MOLT-4_complete_R1.fcs,,,,", "unstained.fcs,,,,unstained"]), GATES
        )
    assert "no file with role 'pi_only'" in str(
        caught.value
    ) and "no file with role 'annexin_only'" in str(caught.value)


def test_every_sample_has_the_same_gate(acquisition: tuple[Path, pd.DataFrame]) -> None:
    """A sample's own numbers do not depend on the other samples, once thresholds and the singlet
    centre are fixed.
    """
    folder, _ = acquisition
    rules = {**GATES, "singlet_center": 1.25}
    controls = ["annexin_only.fcs,,,,annexin_only", "pi_only.fcs,,,,pi_only"]
    alone = gate_sample_sheet(
        sheet_of(folder, ["MOLT-4_no_asn_R1.fcs,,,,", *controls]), rules
    ).table.iloc[0]
    together = gate_sample_sheet(folder / "samples.csv", rules).table.iloc[1]
    pd.testing.assert_series_equal(alone, together, check_names=False)


def test_stains_may_be_named_instead_of_channels(acquisition: tuple[Path, pd.DataFrame]) -> None:
    folder, _ = acquisition
    by_stain = gate_sample_sheet(
        folder / "samples.csv", {**GATES, "annexin": "Annexin V", "pi": "PI"}
    ).table
    pd.testing.assert_frame_equal(by_stain, gate_sample_sheet(folder / "samples.csv", GATES).table)


def test_no_height_and_no_matrix_are_said(tmp_path: Path) -> None:
    made = simulate(MIX, events=3000)
    write_fcs(made.events, tmp_path / "x_m_R1.fcs", spill=False)
    rules = {**GATES, "fsc_height": None, "annexin_threshold": 4000, "pi_threshold": 4000}
    run = gate_sample_sheet(sheet_of(tmp_path, ["x_m_R1.fcs,,,,"]), rules)
    assert any("singlets were not gated" in note for note in run.notes) and any(
        "NOT COMPENSATED" in note for note in run.notes
    )
    with pytest.raises(InputError, match=r"compensate: file: has no usable \$SPILLOVER"):
        gate_sample_sheet(tmp_path / "s.csv", {**rules, "compensate": "file"})
    with pytest.raises(
        InputError, match="needs controls the sheet lacks: unstained, annexin_only, pi_only"
    ):
        gate_sample_sheet(tmp_path / "s.csv", {**rules, "compensate": "controls"})


def test_a_gate_that_leaves_nothing_gives_no_percents(tmp_path: Path) -> None:
    made = simulate(MIX, events=1000)
    sheet = pd.DataFrame(
        [
            {
                "file": "x",
                "cell_line": "A",
                "medium": "m",
                "replicate": 1,
                "role": "sample",
                "dataset": 0,
            }
        ]
    )
    rules = FlowGates(**{**GATES, "debris_fsc_min": 1e9}, annexin_threshold=1, pi_threshold=1)
    table = gate_files(sheet, rules, lambda row: made.events).table
    assert (
        table["events"][0] == 0
        and np.isnan(table["viable_percent"][0])
        and table["debris_percent"][0] == 100
    )


# ---- FCS files
# ---------------------------------------------------------------------------------------------------------


def fcs_bytes(events: int = 50) -> bytes:
    """A small valid FCS 3.1 file: three channels, counting up."""
    with TemporaryFile() as handle:
        flowio.create_fcs(handle, array("f", range(events * 3)), ["FSC-A", "FITC-A", "Time"])
        handle.seek(0)
        return handle.read()


def integer_fcs(
    values: np.ndarray,
    bits: tuple[int, ...],
    tops: tuple[int, ...],
    logs: tuple[str, ...],
    order: str,
) -> bytes:
    """An FCS 3.0 file of unsigned integers, written here byte by byte."""
    codes = {8: "B", 16: "H", 32: "I"}
    pack = ("<" if order.startswith("1") else ">") + "".join(codes[width] for width in bits)
    body = b"".join(struct.pack(pack, *(int(value) for value in row)) for row in values)
    keys = {
        "$BYTEORD": order,
        "$DATATYPE": "I",
        "$MODE": "L",
        "$NEXTDATA": "0",
        "$PAR": str(len(bits)),
        "$TOT": str(len(values)),
    }
    for number, (width, top, log) in enumerate(zip(bits, tops, logs), 1):
        keys |= {
            f"$P{number}B": str(width),
            f"$P{number}R": str(top),
            f"$P{number}E": log,
            f"$P{number}N": f"FL{number}-H",
        }
    start = 1000
    keys |= {"$BEGINDATA": str(start), "$ENDDATA": str(start + len(body) - 1)}
    text = ("|" + "|".join(f"{key}|{value}" for key, value in keys.items()) + "|").encode()
    head = "FCS3.0    " + "".join(
        f"{number:>8}" for number in (58, 58 + len(text) - 1, start, start + len(body) - 1, 0, 0)
    )
    return (head.encode() + text).ljust(start) + body


def read_bytes(folder: Path, data: bytes, **options: int) -> Events:
    (folder / "x.fcs").write_bytes(data)
    return read_fcs(folder / "x.fcs", **options)


def test_floats_are_read_bit_for_bit(tmp_path: Path) -> None:
    events = simulate(MIX, events=700, seed=1).events
    write_fcs(events, tmp_path / "x.fcs")
    back = read_fcs(tmp_path / "x.fcs")
    assert back.channels == events.channels and back.labels == events.labels and back.notes == ()
    assert np.array_equal(back.values, events.values)
    assert back.spill is not None and np.allclose(back.spill.matrix, SPILL.matrix)


@pytest.mark.parametrize("order", ["1,2,3,4", "4,3,2,1"])
@pytest.mark.parametrize("bits", [(16, 16, 16), (8, 16, 32), (32, 32, 32)])
def test_integers_of_any_width_are_masked_and_made_linear(
    bits: tuple[int, ...], order: str, tmp_path: Path
) -> None:
    raw = np.random.default_rng(0).integers(0, 200, (40, 3))
    dirty = raw.copy()
    if bits[1] > 8:
        dirty[:, 1] += 1024  # above $PnR = 1024: bits an old instrument leaves dirty
    events = read_bytes(
        tmp_path, integer_fcs(dirty, bits, (256, 1024, 256), ("0,0", "4,1", "0,0"), order)
    )
    assert np.array_equal(events.values[:, [0, 2]], raw[:, [0, 2]])
    assert events.values[:, 1] == pytest.approx(10 ** (4 * raw[:, 1] / 1024), rel=1e-6)


def test_two_data_sets(tmp_path: Path) -> None:
    one = fcs_bytes()
    both = fcs_bytes().replace(b"NEXTDATA/0/", f"NEXTDATA/{len(one)}/".encode())
    shift = len(str(len(one))) - 1
    # the longer keyword moves the events; keep the header's positions true by cutting as many
    # spaces before TEXT
    header = both[:58] + both[58 + shift :]
    fields = [int(header[at : at + 8]) for at in (10, 18)]
    first = header[:10] + f"{fields[0] - shift:>8}{fields[1]:>8}".encode() + header[26:]
    assert len(first) == len(one)
    events = read_bytes(tmp_path, first + one)
    assert len(events) == 50 and "holds 2 copies" in events.notes[0]
    with pytest.raises(InputError, match=r"holds 2 data sets \(1: 50 events, 2: 20 events\)"):
        read_bytes(tmp_path, first + fcs_bytes(20))
    assert len(read_bytes(tmp_path, first + fcs_bytes(20), dataset=2)) == 20
    with pytest.raises(InputError, match="Give 1 to 2"):
        read_bytes(tmp_path, first + fcs_bytes(20), dataset=3)


def test_slips_of_position_are_mended_and_said(tmp_path: Path) -> None:
    plain = fcs_bytes()
    start, stop = int(plain[26:34]), int(plain[34:42])
    slips = {
        "off by one": (
            plain[:34]
            + f"{stop + 1:>8}".encode()
            + plain[42:].replace(str(stop).encode(), str(stop + 1).encode(), 1)
            + b" "
        ),
        "header wrong": plain[:26] + f"{start - 7:>8}{stop:>8}".encode() + plain[42:],
        "text wrong": (
            plain[:58]
            + plain[58:].replace(
                f"BEGINDATA/{start}".encode(), f"BEGINDATA/{start - 9}".encode(), 1
            )
        ),
    }
    for slip, data in slips.items():
        events = read_bytes(tmp_path, data)
        assert np.array_equal(events.values.ravel(), np.arange(150)), slip
        assert events.notes, slip


BROKEN = {
    "empty": (lambda data: b"", "the file is empty"),
    "no FCS": (lambda data: b"PK\3\4" + data, "does not begin with an FCS header"),
    "header only": (lambda data: data[:58], "header cannot be read"),
    "half of TEXT": (lambda data: data[:400], "cannot be read|cut short"),
    "cut events": (lambda data: data[:-40], "is cut short"),
    "no $TOT": (lambda data: data.replace(b"TOT/", b"TXT/"), "keyword \\$TOT is missing"),
    "no events": (lambda data: data.replace(b"TOT/50", b"TOT/00"), "holds 0 events"),
    "too many": (lambda data: data.replace(b"TOT/50", b"TOT/49"), "take 588 bytes by \\$TOT"),
    "histogram": (lambda data: data.replace(b"MODE/L", b"MODE/C"), "not single events"),
    "ASCII": (lambda data: data.replace(b"DATATYPE/F", b"DATATYPE/A"), "DATATYPE is 'A'"),
    "odd bytes": (lambda data: data.replace(b"1,2,3,4", b"3,4,1,2"), "BYTEORD is '3,4,1,2'"),
    "backwards": (
        lambda data: data.replace(b"NEXTDATA/0", b"NEXTDATA/-").replace(
            b"NEXTDATA/-", b"NEXTDATA/-9", 1
        ),
        "points backwards",
    ),
    "unnamed channel": (lambda data: data.replace(b"P2N/", b"P7N/"), "keyword \\$P7R is missing"),
    "fewer names than channels": (
        lambda data: data.replace(b"PAR/3", b"PAR/4"),
        "name its channels 1 to 4",
    ),
    "no scale": (lambda data: data.replace(b"P2R/262144", b"P2R/000000"), "range 0, "),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused_in_words(case: str, tmp_path: Path) -> None:
    damage, said = BROKEN[case]
    with pytest.raises(InputError, match=said):
        read_bytes(tmp_path, damage(fcs_bytes()))


def test_random_damage_is_read_or_refused_never_a_crash(tmp_path: Path) -> None:
    rng, plain = np.random.default_rng(7), fcs_bytes()
    refused = 0
    for _ in range(300):
        data = bytearray(plain)
        for at in rng.integers(0, int(plain[18:26]), 4):
            data[at] = rng.integers(0, 256)
        try:
            events = read_bytes(tmp_path, bytes(data))
        except InputError:
            refused += 1
            continue
        assert events.values.shape == (len(events), len(events.channels))
    assert 0 < refused < 300


def test_flowjo_workspaces_say_what_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "flowkit", None)
    with pytest.raises(InputError, match=r'pip install "asn-dropout-kit\[flowjo\]"'):
        read_flowjo_workspace(tmp_path / "a.wsp", tmp_path)


COMP_FORMS = {
    "all parameters": (lambda n: ",".join(map(str, [n, *COMP(n).ravel()])), True, ""),
    "named channels": (lambda n: "2,FITC-A,PE-A,1,0.2,0.05,1", True, ""),
    "too few values": (lambda n: "2,1,0.2,0.05,1", False, "$COMP cannot be read"),
    "percents": (
        lambda n: ",".join(map(str, [n, *(100 * COMP(n)).ravel()])),
        False,
        "$COMP cannot be read",
    ),
}


def COMP(n: int) -> np.ndarray:
    """Identity but for the last two of n parameters, which spill 0.2 and 0.05."""
    matrix = np.eye(n)
    matrix[n - 2, n - 1], matrix[n - 1, n - 2] = 0.2, 0.05
    return matrix


@pytest.mark.parametrize("form", COMP_FORMS)
@pytest.mark.parametrize("keyword", ["comp", "$comp"])
def test_spill_of_older_files_is_read_or_its_loss_is_said(
    form: str, keyword: str, tmp_path: Path
) -> None:
    """$COMP of FCS 2.0 and 3.0: compensated events equal those of a $SPILLOVER with the same
    numbers, or a note says there are none.
    """
    channels, events = (
        ["FSC-A", "FITC-A", "PE-A"],
        np.random.default_rng(0).uniform(10, 1000, (50, 3)).astype(np.float32),
    )
    text, read, note = COMP_FORMS[form]
    path = tmp_path / "old.fcs"
    with path.open("wb") as handle:
        flowio.create_fcs(
            handle, array("f", events.tobytes()), channels, metadata_dict={keyword: text(3)}
        )
    found = read_fcs(path)
    if read:
        assert found.spill is not None
        within = [found.spill.channels.index(name) for name in ("FITC-A", "PE-A")]
        assert (
            np.allclose(found.spill.matrix[np.ix_(within, within)], [[1, 0.2], [0.05, 1]])
            and found.notes == ()
        )
    else:
        assert (
            found.spill is None and note in found.notes[0] and "not compensated" in found.notes[0]
        )
