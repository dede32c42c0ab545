"""`kit new --kind`: a folder of each wing runs as it is with its simulated files, and without them
`kit check` names the files that are missing and nothing else.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

import kit
from kit.cli.main import main
from kit.core.errors import InputError
from kit.new.wings import UNKNOWN, WINGS

SHOWS = {
    "dose": ("dose_response", "curve_shifts", "enzyme_split", "titration"),
    "exchange": ("uptake_rates", "exchange", "medium_ledger"),
    "timecourse": ("timecourse", "onset", "interaction"),
}


@pytest.mark.parametrize("kind", WINGS)
def test_a_folder_with_simulated_files_is_analysed(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / f"EXP-{kind.upper()}"
    assert main(["new", str(folder), "--kind", kind, "--yes", "--title", 'My "own"']) == 0
    found = kit.analyse(kit.load(folder))
    assert found.experiment.config.simulated and found.experiment.config.title == 'My "own"'
    assert all(len(getattr(found, name)) for name in SHOWS[kind])
    assert "SIMULATED" in (folder / "README.txt").read_text("utf-8")
    with pytest.raises(InputError):
        main_raises(folder, kind)


def main_raises(folder: Path, kind: str) -> None:
    from kit.new import wings

    wings.write(kind, folder)


@pytest.mark.parametrize("kind", WINGS)
def test_a_blank_folder_lacks_its_raw_files_and_claims_nothing(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "EXP-1"
    assert main(["new", str(folder), "--kind", kind, "--blank", "--yes"]) == 0
    with pytest.raises(InputError) as caught:
        kit.load(folder)
    told = [str(problem) for problem in caught.value.problems]
    assert told and all("raw/" in text for text in told)
    config = YAML(typ="safe").load(folder / "experiment.yaml")
    assert config["simulated"] is False and "SIM-" not in (folder / "experiment.yaml").read_text()

    def claimed(part: object) -> list[str]:
        if isinstance(part, list):
            return [name for item in part for name in claimed(item)]
        if not isinstance(part, dict):
            return []
        own = [key for key, value in part.items() if key in UNKNOWN and value is not None]
        return own + [name for value in part.values() for name in claimed(value)]

    assert claimed(config) == []
