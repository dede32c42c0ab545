"""A finished report folder as the package reads it: manifest, tables, figures and raw inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from kit.core.errors import InputError, Problem
from kit.store.tables import read_csv


@dataclass(frozen=True)
class ReportFiles:
    """One report folder, `OUT/<experiment_id>`."""

    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What was run on what; raises InputError where the folder is no finished report."""
        path = self.folder / "manifest.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            why = f"cannot be read as a report ({error})"
            remedy = "Name a report folder that `kit run` made, such as reports/EXP-2026-014."
            raise InputError(Problem(str(self.folder), "manifest.json", why, remedy)) from None
        if found.get("status") != "ok":
            why = "is not a finished report"
            raise InputError(Problem(str(self.folder), "", why, "Mend it and run `kit run` again."))
        return found

    @property
    def name(self) -> str:
        """The experiment's id."""
        return str(self.manifest["experiment_id"])

    @cached_property
    def sha256(self) -> str:
        """Hash of report.html: every file of the package names it."""
        return hashlib.sha256((self.folder / "report.html").read_bytes()).hexdigest()

    @property
    def origin(self) -> str:
        """The sentence that ties a file of the package to its report."""
        simulated = "Simulated data. " if self.manifest.get("simulated") else ""
        version = self.manifest["kit_version"]
        return (
            f"{simulated}Made by asn-dropout-kit {version} from the report of {self.name}"
            f" (report.html, SHA-256 {self.sha256})."
        )

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of the report, by name."""
        paths = sorted((self.folder / "tables").glob("*.csv"))
        return {path.stem: read_csv(path) for path in paths}

    @property
    def figures(self) -> dict[str, Path]:
        """Every figure as SVG, by name."""
        return {path.stem: path for path in sorted((self.folder / "figures").glob("*.svg"))}

    def raw_files(self) -> Iterator[tuple[str, Path | None]]:
        """The inputs by their path in the experiment folder; None where the file is no longer
        there, or no longer the one that was read.
        """
        source = Path(str(self.manifest.get("source", "")))
        for item in self.manifest["inputs"]:
            path = source / item["path"]
            same = path.is_file() and _sha256(path) == item["sha256"]
            yield item["path"], path if same else None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
