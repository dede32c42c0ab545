"""Changes of experiment.yaml: only what is meant changes, the rest stays byte for byte, and nothing
is written over somebody else's work.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
import yaml  # a second reader, to judge by

from kit.config.model import FILE
from kit.core.errors import InputError
from kit.explore import yaml_edit


def folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / FILE).write_bytes(text.encode())
    return tmp_path


BEFORE_AND_AFTER = [
    (
        "block",
        "a: 1\nsettings:\n  gr_auxotroph: 0.2  # ours\n  # more\nflow: []\n",
        "a: 1\nsettings:\n  gr_auxotroph: 0.25  # ours\n  # more\nflow: []\n",
    ),
    (
        "block, new key after a comment",
        "settings:\n    sa_low: 0.1   # x\nb: 2\n",
        "settings:\n    sa_low: 0.1   # x\n    gr_auxotroph: 0.25\nb: 2\n",
    ),
    (
        "braces",
        "settings: {gr_auxotroph: .3, # c\n   sa_low: 0.1 # d\n  }\n",
        "settings: {gr_auxotroph: 0.25, # c\n   sa_low: 0.1 # d\n  }\n",
    ),
    (
        "braces, new key",
        "settings: {sa_low: 0.1}  # c\n",
        "settings: {sa_low: 0.1, gr_auxotroph: 0.25}  # c\n",
    ),
    ("empty braces", "settings: {}\nb: 1\n", "settings: {gr_auxotroph: 0.25}\nb: 1\n"),
    ("nothing behind the colon", "settings:\nb: 1\n", "settings: {gr_auxotroph: 0.25}\nb: 1\n"),
    ("null", "settings: null # none\nb: 1\n", "settings: {gr_auxotroph: 0.25} # none\nb: 1\n"),
    (
        "no section",
        "a: 1 # x\n# the end\n",
        "a: 1 # x\nsettings:\n  gr_auxotroph: 0.25\n# the end\n",
    ),
    ("no newline at the end", "a: 1", "a: 1\nsettings:\n  gr_auxotroph: 0.25\n"),
    (
        "lines of Windows",
        "settings:\r\n  sa_low: 0.1\r\nb: 1\r\n",
        "settings:\r\n  sa_low: 0.1\r\n  gr_auxotroph: 0.25\r\nb: 1\r\n",
    ),
    (
        "last value a text of lines",
        "a:\n  b: |\n    text\n    more\n",
        "a:\n  b: |\n    text\n    more\nsettings:\n  gr_auxotroph: 0.25\n",
    ),
]


@pytest.mark.parametrize(
    ("before", "after"),
    [case[1:] for case in BEFORE_AND_AFTER],
    ids=[case[0] for case in BEFORE_AND_AFTER],
)
def test_only_the_line_concerned_changes(tmp_path: Path, before: str, after: str) -> None:
    proposal = yaml_edit.propose_settings(folder(tmp_path, before), {"gr_auxotroph": 0.25})
    assert (tmp_path / FILE).read_bytes() == before.encode(), "a proposal writes nothing"
    assert proposal.after == after
    yaml_edit.write(proposal)
    assert (tmp_path / FILE).read_bytes() == after.encode()
    assert yaml.safe_load(after)["settings"]["gr_auxotroph"] == 0.25


def test_gates_in_braces_and_in_lines(tmp_path: Path) -> None:
    inline = (
        "flow:\n  - {file: a.csv, hours: 72}\n  - {file: s.csv, gates: {annexin: FITC-A, pi: PE-A,"
        " pi_threshold: {control: unstained}}}  # c\n"
    )
    proposal = yaml_edit.propose_gates(
        folder(tmp_path, inline), 1, {"annexin_threshold": 512.0, "pi_threshold": 300.5}
    )
    assert (
        proposal.after
        == "flow:\n  - {file: a.csv, hours: 72}\n  - {file: s.csv, gates: {annexin: FITC-A, pi:"
        " PE-A, pi_threshold: 300.5, annexin_threshold: 512.0}}  # c\n"
    )
    block = (
        "flow:\n- file: s.csv\n  gates:\n    annexin: FITC-A   # ch\n    annexin_threshold:\n     "
        " control: pi_only\n      percentile: 99\n    # kept\n    pi: PE-A\n  hours: 72\n"
    )
    proposal = yaml_edit.propose_gates(folder(tmp_path, block), 0, {"annexin_threshold": 512.0})
    assert (
        proposal.after
        == "flow:\n- file: s.csv\n  gates:\n    annexin: FITC-A   # ch\n    annexin_threshold:"
        " 512.0\n    # kept\n    pi: PE-A\n  hours: 72\n"
    )


def test_the_demo_keeps_every_other_line(tmp_path: Path, root: Path) -> None:
    text = (root / "data" / "examples" / "EXP-DEMO-01" / FILE).read_text(encoding="utf-8")
    proposal = yaml_edit.propose_settings(
        folder(tmp_path, text), {"gr_auxotroph": 0.15, "sa_low": 0.12}
    )
    removed = [
        line
        for line in difflib.ndiff(text.splitlines(), proposal.after.splitlines())
        if line.startswith("- ")
    ]
    assert not removed
    whole, then = yaml.safe_load(text), yaml.safe_load(proposal.after)
    assert then == {
        **whole,
        "settings": {**(whole.get("settings") or {}), "gr_auxotroph": 0.15, "sa_low": 0.12},
    }


def test_what_stands_there_already_is_no_change(tmp_path: Path) -> None:
    proposal = yaml_edit.propose_settings(
        folder(tmp_path, "settings: {gr_auxotroph: 0.25}\n"), {"gr_auxotroph": 0.25}
    )
    assert not proposal.changes
    assert proposal.after == proposal.before


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        ("settings: {}\n", {"gr_auxotrof": 0.2}, "Did you mean 'gr_auxotroph'"),
        ("settings: {}\n", {"sa_low": 3.0}, "less than or equal to 1"),
        (
            "settings: {gr_prototroph: 0.5}\n",
            {"gr_auxotroph": 0.55},
            r"gr_auxotroph \(0.55\) has to be below gr_prototroph \(0.5\)",
        ),
        (
            "a: &x {sa_low: 0.1}\nsettings: *x\n",
            {"sa_low": 0.2},
            "cannot be changed without changing something else",
        ),
        ("settings: [1, 2]\n", {"sa_low": 0.2}, "has no place"),
        ("settings: {sa_low: 0.1\n", {"sa_low": 0.2}, "could not be read"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    tmp_path: Path, text: str, settings: dict[str, float], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        yaml_edit.propose_settings(folder(tmp_path, text), settings)
    assert (tmp_path / FILE).read_text() == text


def test_gates_that_would_not_be_valid_are_refused(tmp_path: Path) -> None:
    place = folder(
        tmp_path,
        "flow:\n  - {file: s.csv, gates: {annexin: FITC-A, pi: PE-A}}\n  - {file: t.csv}\n",
    )
    with pytest.raises(InputError, match="unknown field"):
        yaml_edit.propose_gates(place, 0, {"anexin_threshold": 5.0})
    with pytest.raises(InputError, match="entry 2: has no gates"):
        yaml_edit.propose_gates(place, 1, {"annexin_threshold": 5.0})


def test_a_file_changed_underneath_is_not_overwritten(tmp_path: Path) -> None:
    proposal = yaml_edit.propose_settings(folder(tmp_path, "settings: {}\n"), {"sa_low": 0.2})
    (tmp_path / FILE).write_text("settings: {}\ntitle: somebody else\n")
    with pytest.raises(InputError, match="changed by somebody else"):
        yaml_edit.write(proposal)
    assert (tmp_path / FILE).read_text() == "settings: {}\ntitle: somebody else\n"


def test_mode_and_byte_order_mark_stay(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(b"\xef\xbb\xbfsettings: {}\n")
    path.chmod(0o640)
    yaml_edit.write(yaml_edit.propose_settings(tmp_path, {"sa_low": 0.2}))
    assert path.read_bytes() == b"\xef\xbb\xbfsettings: {sa_low: 0.2}\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [item.name for item in tmp_path.iterdir()] == [FILE], "no temporary file stays behind"


def test_limits_are_judged_with_the_files_own(tmp_path: Path) -> None:
    """0.65 crosses the default 0.60, but not the 0.70 that the file has."""
    proposal = yaml_edit.propose_settings(
        folder(tmp_path, "settings: {gr_prototroph: 0.7}\n"), {"gr_auxotroph": 0.65}
    )
    assert proposal.after == "settings: {gr_prototroph: 0.7, gr_auxotroph: 0.65}\n"
