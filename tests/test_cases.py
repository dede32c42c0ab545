"""Small inputs in the forms of real ones (tests/cases/files), each with the values that are right.

What each shows stands in its EXPECTED.txt.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kit
from kit.core.errors import InputError
from kit.readers import Read, read_plates
from kit.readers.flow.fcs import read_fcs
from kit.readers.flow.gated_table import read_flow_table

FILES = Path(__file__).parent / "cases" / "files"

READS: dict[str, tuple[str, dict[str, dict[str, float]]]] = {
    "01-gen5-list-count": ("list.txt", {"": {"A01": 1010, "A02": 1017, "H12": 1487}}),
    "01b-list-replicates-count": (
        "list.csv",
        {"RLU replicate 1": {"A01": 50000}, "RLU replicate 2": {}, "Cell count": {"A01": 2000}},
    ),
    "02-softmax-timeformat-2-wavelengths": (
        "smp.txt",
        {"690 nm": {"A01": 0.05, "H12": 0.145}, "570 nm": {"A01": 0.9, "H12": 0.995}},
    ),
    "03-softmax-plateformat-reduced": (
        "smp.txt",
        {"": {"A01": 10001, "H12": 10096}, "reduced": {"A01": 5000.5, "H12": 5048}},
    ),
    "03c-softmax-inner-60": ("smp.txt", {"": {"B02": 10014, "G11": 10083, "A01": np.nan}}),
    "04-gen5-label-ex-em": ("gen5.txt", {"560,590": {"A01": 2001, "H12": 2096}}),
    "06-gen5-masked-well": ("gen5.txt", {"Lum": {"H02": 2086, "H03": np.nan, "H04": 2088}}),
    "07-mars-1536-lower-case-rows": (
        "mars.csv",
        {"": {"A01": 100001, "Z48": 101248, "AA01": 101249, "AF48": 101536}},
    ),
    "09-list-numeric-headings": ("list.csv", {"570": {"A01": 0.9}, "690": {"A01": 0.05}}),
    "09b-list-background-corrected": ("list.csv", {"": {"A01": 900}}),
    "09c-list-hours-in-heading": ("list.csv", {"0 hours": {"A01": 900}, "72 hours": {"A01": 9000}}),
    "12-tecan-kinetic-xlsx": (
        "tecan.xlsx",
        {"Time 0": {"A01": 0.1, "H12": 0.195}, "Time 300": {"A01": 0.2}, "Time [s] 600": {}},
    ),
    "14-list-in-two-blocks": ("list.csv", {"": {"A01": 1001, "A07": 1007, "H12": 1096}}),
}
"""Case -> its file, and each read (as `read:` names it) with the values of some wells."""


def values(read: Read) -> dict[str, float]:
    return dict(zip(read.wells["well"], read.wells["signal"], strict=True))


@pytest.mark.parametrize("case", READS)
def test_plate_files(case: str) -> None:
    file, wanted = READS[case]
    reads = read_plates(FILES / case / "raw" / file)
    assert len(reads) == len(wanted)
    for name, wells in wanted.items():
        alone = next((read for read in reads if not read.title), reads[0])
        found = values(kit.readers.choose(reads, read=name) if name else alone)
        np.testing.assert_equal({well: found[well] for well in wells}, wells)


def test_several_reads_are_asked_about() -> None:
    for case in ("01b-list-replicates-count", "02-softmax-timeformat-2-wavelengths"):
        with pytest.raises(InputError, match=r"holds [23] plate reads"):
            kit.load(FILES / case)


def test_a_masked_well_says_so() -> None:
    (read,) = read_plates(FILES / "06-gen5-masked-well" / "raw" / "gen5.txt")
    flags = read.wells.set_index("well")["flag"]
    assert flags[flags.ne("")].to_dict() == {"H03": "masked"}


def test_a_fault_in_a_read_that_is_not_asked_for_is_told_only() -> None:
    experiment = kit.load(FILES / "10-fault-in-a-read-not-asked-for")
    assert experiment.wells.set_index("well")["signal"]["A01"] == 1001
    assert [notice.code for notice in experiment.notices] == ["OTHER_READS_FAULTY"]


def test_unlisted_wells_that_hold_nothing_are_left_out_and_told() -> None:
    experiment = kit.load(FILES / "11-layout-inner-60")
    (notice,) = experiment.notices
    assert (notice.code, notice.severity, len(experiment.wells)) == ("UNLISTED_WELLS", "warn", 60)
    assert (notice.values["count"], notice.values["highest"]) == (36, 47)
    assert notice.values["lowest"] == 20014


def test_a_shifted_map_is_refused_and_named() -> None:
    with pytest.raises(InputError, match="shifted by one row and one column") as caught:
        kit.load(FILES / "11b-layout-shifted")
    assert len(caught.value.problems) == 1


def test_blank_cells_of_a_plate_shaped_map_are_empty() -> None:
    experiment = kit.load(FILES / "11c-layout-grid-blank-ring")
    assert experiment.wells["role"].value_counts().to_dict() == {"sample": 60, "empty": 36}
    assert not experiment.notices


def test_events_behind_the_header_are_read_where_the_text_is_wrong() -> None:
    flow = kit.load(FILES / "16-fcs-text-offset-wrong").flow
    assert flow is not None
    shares = flow[["viable_percent", "early_percent", "late_percent", "necrotic_percent"]]
    expected = [[90.2, 3.6, 3.2, 2.9], [54.4, 25.6, 14.8, 5.3]]
    np.testing.assert_allclose(shares, expected, atol=0.06)


SAMPLE = FILES / "16-fcs-text-offset-wrong" / "raw" / "LineA_complete_R1.fcs"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8, 16])
@pytest.mark.parametrize("put_in", [True, False])
def test_bytes_lost_or_put_in_before_the_events_are_noticed(
    tmp_path: Path, count: int, put_in: bool
) -> None:
    data, at = SAMPLE.read_bytes(), 400
    spoilt = data[:at] + (b"x" * count + data[at:] if put_in else data[at + count :])
    (tmp_path / "spoilt.fcs").write_bytes(spoilt)
    with pytest.raises(InputError):
        read_fcs(tmp_path / "spoilt.fcs")


def test_keywords_behind_padding_are_found(tmp_path: Path) -> None:
    data = SAMPLE.read_bytes()
    text = b"    " + data[58:431].replace(b"|$P2N|", b"|  $P2N|")
    first, last = 58 + len(text), 58 + len(text) + len(data) - 431 - 1
    head = b"FCS3.0    " + b"".join(b"%8d" % n for n in (58, first - 1, first, last, 0, 0))
    (tmp_path / "padded.fcs").write_bytes(head + text + data[431:])
    sound, padded = read_fcs(SAMPLE), read_fcs(tmp_path / "padded.fcs")
    assert padded.channels == sound.channels
    np.testing.assert_array_equal(padded.values, sound.values)


def test_area_alone_is_the_gel_analyser_s() -> None:
    bands = kit.load(FILES / "17-imagej-gel-area-only").bands
    assert bands is not None
    assert bands["volume"].tolist() == [24530.19, 12001.5]


@pytest.mark.parametrize("case", ["18-quantstudio-results-below-line-200", "18b-quantstudio-crt"])
def test_cq_wherever_the_table_stands(case: str) -> None:
    values = kit.load(FILES / case).mrna
    assert values is not None
    by_line = values.set_index("cell_line")["value"]
    assert by_line["LineA"] - by_line["LineB"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("text", "word"), [('<Workspace flowJoVersion="10.8">', "[flowjo]"), ("<bdfacs>", "CSV")]
)
def test_xml_of_flow_programs_names_the_way(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "a.wsp").write_text(f'<?xml version="1.0"?>\n{text}\n')
    with pytest.raises(InputError) as caught:
        read_flow_table(tmp_path / "a.wsp")
    assert word in str(caught.value)


def test_optical_densities_less_their_blank_may_be_negative(tmp_path: Path) -> None:
    path = tmp_path / "od.csv"
    rows = [row + ",-0.012" * 2 + ",0.5512" * 10 for row in "ABCDEFGH"]
    path.write_text("\n".join([",1,2,3,4,5,6,7,8,9,10,11,12", *rows]) + "\n")
    assert values(read_plates(path)[0])["A01"] == -0.012
    path.write_text(path.read_text().replace("-0.012", "-12").replace("0.5512", "5512"))
    with pytest.raises(InputError, match="negative"):
        read_plates(path)
