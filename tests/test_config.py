"""experiment.yaml: what is refused, where, and with which remedy."""

import re

import pytest

from kit.config.reading import read_config
from kit.config.settings import APART, IN_ORDER, Settings
from kit.core.errors import InputError

GOOD = """\
experiment_id: EXP-1
cell_lines:
  MOLT-4: {growth_mode: suspension, doubling_time_h: 27.9}
  A549:
sera:
  dFBS: {dialyzed: true, cutoff_kDa: 10, percent: 10, lot: 17}
media:
  complete: {role: control, serum: dFBS, asparagine_uM: 100}
  no_asn: {role: dropout, removes: asparagine, serum: dFBS, asparagine_uM: 0}
protocol:
  wash: {buffer: PBS, count: 2, volume_uL: 100, residual_uL: 10}
plates:
  - {plate: P1, file: raw/p1.csv, layout: map.csv, readout: CellTiter-Glo, hours: 48, replicate: 1}
settings: {min_z_prime: 0.4}
"""


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "EXP-1"
    (root / "raw").mkdir(parents=True)
    (root / "raw/p1.csv").write_text("x")
    (root / "map.csv").write_text("x")
    return root


def problems(folder, text, **overrides):
    (folder / "experiment.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_config(folder, overrides or None)
    return str(caught.value)


@pytest.mark.parametrize(
    "encode",
    [
        lambda t: t.encode(),
        lambda t: b"\xef\xbb\xbf" + t.encode(),
        lambda t: t.encode("utf-16"),
        lambda t: t.replace("\n", "\r\n").encode(),
    ],
)
def test_reads_whatever_the_encoding(folder, encode):
    (folder / "experiment.yaml").write_bytes(encode(GOOD))
    config = read_config(folder)
    assert config.settings.min_z_prime == 0.4
    assert config.cell_lines["MOLT-4"].doubling_time_h == 27.9
    assert config.sera["dFBS"].lot == "17"
    assert config.control_medium == "complete" and config.dropouts("asparagine") == ["no_asn"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "min_z_prime",
            "min_zprime",
            (
                r"line 14: settings\.min_zprime: 'min_zprime' is not a field here\. Did you mean"
                r" 'min_z_prime'\?"
            ),
        ),
        (
            "min_z_prime: 0.4",
            "min_z_prime: true",
            r"settings\.min_z_prime: .*should be a number, not true",
        ),
        (
            "removes: asparagine",
            "remove: asparagine",
            r"line 9: .*'remove' is not a field here\. Did you mean 'removes'\?",
        ),
        ("removes: asparagine", "removes: asparagin", r"line 9: .*Did you mean 'asparagine'\?"),
        ("role: control", "role: contol", r"line 8: .*Did you mean 'control'\?"),
        ("removes: asparagine, ", "", r"no_asn: role dropout does not say what it removes"),
        ("role: dropout, removes: asparagine", "role: control", r"both role control"),
        (
            "serum: dFBS, asparagine_uM: 100",
            "serum: dfbs, asparagine_uM: 100",
            r"serum 'dfbs' is not under sera\. Did you mean 'dFBS'\?",
        ),
        ("volume_uL: 100", "volume_uL: ten", r"line 11: protocol\.wash\.volume_uL: 'ten'.*in uL"),
        ("percent: 10,", "percent: 101,", r"percent: 101"),
        ("hours: 48", "hours: .inf", r"hours"),
        ("hours: 48", "hours: -1", r"hours: -1"),
        ("experiment_id: EXP-1", "experiment_id: EXP-2", r"differs from the folder's name 'EXP-1'"),
        ("experiment_id: EXP-1", "experiment_id: '../x'", r"Use letters, digits"),
        ("raw/p1.csv", "raw/p1.cvs", r"'raw/p1.cvs' is not there\. Did you mean 'raw/p1.csv'\?"),
        ("raw/p1.csv", "raw/p2.csv", r"'raw/p2.csv' is not there\. Put the file there"),
        ("raw/p1.csv", "../EXP-1/../secret", r"leaves the experiment folder"),
        ("raw/p1.csv", "/etc/passwd", r"leaves the experiment folder"),
        ("raw/p1.csv", "raw", r"is a folder"),
        (
            "replicate: 1}",
            (
                "replicate: 1}\n  - {plate: P1, file: raw/p1.csv, layout: map.csv, readout: X,"
                " hours: 0, replicate: 1}"
            ),
            r"plate 'P1' is already entry 1",
        ),
        ("  A549:", "  MOLT-4:", r"line 4.*duplicate key"),
        ("doubling_time_h: 27.9", "doubling_time_h: !!python/object:os.system x", r"tag"),
        (
            "media:",
            "medium:",
            r"line 7: medium: 'medium' is not a field here\. Did you mean 'media'\?",
        ),
    ],
)
def test_one_clear_message(folder, old, new, expected):
    text = problems(folder, GOOD.replace(old, new, 1))
    assert re.search(expected, text), text
    assert text.startswith("experiment.yaml: ")


def test_all_problems_at_once(folder):
    text = problems(
        folder,
        GOOD.replace("role: control", "role: contol")
        .replace("min_z_prime", "min_zprime")
        .replace("count: 2", "count: two"),
    )
    assert len(text.splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"- a\n- b\n", "named fields"),
        (b"a: [1, 2\n", "not valid YAML"),
        (b"\xff\x00\x81\x8d", "UTF-8"),
        (b"a: &x [1]\n" + b"b: " + b"[" * 4000, "not valid YAML"),
    ],
)
def test_files_that_are_no_experiment(folder, content, expected):
    assert expected in problems(folder, content)


def test_nested_aliases_do_not_explode(folder):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n"
        for a, b in zip("abcdefg", "bcdefgh", strict=True)
    )
    assert "far more values" in problems(folder, bomb)


def test_a_huge_file_is_refused_unread(folder):
    with (folder / "experiment.yaml").open("wb") as stream:
        stream.truncate(1_000_000_000)
    with pytest.raises(InputError, match="1,000,000,000 bytes"):
        read_config(folder)


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path):
    (tmp_path / "outside.csv").write_text("x")
    (folder / "raw/p1.csv").unlink()
    (folder / "raw/p1.csv").symlink_to(tmp_path / "outside.csv")
    assert "leaves the experiment folder" in problems(folder, GOOD)


def test_overrides_are_typed_and_checked(folder):
    (folder / "experiment.yaml").write_text(GOOD)
    assert read_config(folder, {"min_z_prime": "0.3"}).settings.min_z_prime == 0.3
    assert "Did you mean 'min_z_prime'" in problems(folder, GOOD, min_zprim="0.3")
    assert "settings.seed" in problems(folder, GOOD, seed="often")


def test_limits_that_cross_are_one_clear_problem(folder):
    """Whether a pair crosses is judged on the file and the overrides together, never on one value
    against the defaults.
    """
    crossed = problems(folder, GOOD.replace("min_z_prime: 0.4", "gr_auxotroph: 0.7, sa_low: 0.3"))
    assert crossed.count("has to be") == 2 and crossed.count("experiment.yaml") == 1
    assert (
        "gr_auxotroph (0.7) has to be below gr_prototroph (0.6)" in crossed
        and "sa_low (0.3) has to be at most sa_high (0.2)" in crossed
    )
    assert "gr_auxotroph (0.6) has to be below gr_prototroph (0.6)" in problems(
        folder, GOOD, gr_auxotroph=0.6
    )
    assert (
        read_config(folder, {"gr_auxotroph": 0.7, "gr_prototroph": 0.9}).settings.gr_auxotroph
        == 0.7
    )


def test_every_pair_of_pass_and_fail_limits_has_an_order():
    """`min_x` with `fail_x`, `max_x` with `fail_x`, and `x_low` with `x_high`: none may be left out
    when a limit is added.
    """
    names = set(Settings.model_fields)
    pairs = {
        frozenset((name, f"fail_{name[4:]}"))
        for name in names
        if name[:4] in ("min_", "max_") and f"fail_{name[4:]}" in names
    }
    lows = {name: name.replace("_low", "_high") for name in names if "_low" in name}
    pairs |= {frozenset((low, high)) for low, high in lows.items() if high in names and high != low}
    ordered = {*APART, *IN_ORDER}
    ordered |= {
        (first, last) for first, one in ordered for other, last in ordered if one == other
    }  # of three in a row
    assert pairs <= {frozenset(pair) for pair in ordered}
    assert all(
        getattr(Settings(), low) <= getattr(Settings(), high) for low, high in (*APART, *IN_ORDER)
    )


def test_every_setting_says_what_it_means_and_where_it_comes_from():
    for row in Settings.describe():
        assert row["meaning"] and row["source"], row["name"]
