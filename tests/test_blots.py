"""Files of an experiment are told apart by content and read under the experiment's own names."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from test_western import S

from kit.core.errors import InputError
from kit.readers.blots.densitometry import net_volume
from kit.western.bands import read_blot, read_mrna

TABLE = "lane,cell_line,target,volume,background,lane_role\n1,{line},ASNS,120,20,sample\n2,HeLa,ASNS,300,0,sample\n3,pool,ASNS,250,0,reference\n"


def test_table_takes_the_experiments_spelling(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(TABLE.format(line="Molt 4"))
    bands, image = read_blot(tmp_path, "b.csv", S, replicate=2, lines=["MOLT-4", "A549"])
    assert image is None
    assert bands[["cell_line", "replicate"]].values.tolist() == [
        ["MOLT-4", 2],
        ["HeLa", 2],
        ["pool", 2],
    ]


def test_unknown_sample_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(TABLE.format(line="A594"))
    with pytest.raises(
        InputError, match=r"b.csv: lane 1: cell line 'A594' is neither .* Did you mean 'A549'"
    ):
        read_blot(tmp_path, "b.csv", S, lines=["MOLT-4", "A549"])


def test_image_with_its_lane_list(tmp_path: Path) -> None:
    """Two planted bands, one four times the other; the file's name does not say that it is an
    image.
    """
    y, x = np.mgrid[:200, :200]
    lane = [np.exp(-((y - 100.0) ** 2) / 50) * (abs(x - centre) < 25) for centre in (60, 140)]
    noise = np.random.default_rng(0).normal(0, 20, y.shape)
    tifffile.imwrite(
        tmp_path / "asns.dat", (1000 + 8000 * lane[0] + 2000 * lane[1] + noise).astype(np.uint16)
    )
    (tmp_path / "lanes.csv").write_text(
        "lane,cell_line,lane_role,left,right\n1,A549,sample,25,95\n2,molt4,sample,105,175\n"
    )
    bands, image = read_blot(
        tmp_path, "asns.dat", S, lanes="lanes.csv", replicate=3, lines=["A549", "MOLT-4"]
    )
    asns = bands[bands["target"] == "ASNS"].set_index("cell_line")
    assert image is not None and set(asns["replicate"]) == {3}
    net = net_volume(asns)
    planted = 8000 * lane[0].sum()
    assert net["A549"] == pytest.approx(planted, rel=0.02)
    assert net["MOLT-4"] == pytest.approx(planted / 4, rel=0.05)
    with pytest.raises(InputError, match="image without a lane list"):
        read_blot(tmp_path, "asns.dat", S)


def test_missing_files_are_said(tmp_path: Path) -> None:
    for read in (
        lambda: read_blot(tmp_path, "nowhere.csv", S),
        lambda: read_mrna(tmp_path, "nowhere.csv"),
    ):
        with pytest.raises(InputError, match="no such file"):
            read()


def test_mrna_of_both_kinds(tmp_path: Path) -> None:
    (tmp_path / "values.csv").write_text("cell_line,value\nMolt 4,-2\nA549,0\n")
    (tmp_path / "cq.csv").write_text(
        "well,sample,target,cq\n1,Molt 4,ASNS,24\n2,Molt 4,TBP,20\n3,A549,ASNS,22\n4,A549,TBP,20\n"
    )
    lines = ["MOLT-4", "A549"]
    values = read_mrna(tmp_path, "values.csv", unit="log2 relative", lines=lines)
    cycles = read_mrna(tmp_path, "cq.csv", references=["TBP"], calibrator="A549", lines=lines)
    for table in (values, cycles):
        assert table.set_index("cell_line")["value"].to_dict() == {"MOLT-4": -2, "A549": 0}
