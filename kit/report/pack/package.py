"""What goes into a publication package, and where."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from kit.core.errors import InputError, Problem, Problems
from kit.report.pack import crate, multiqc, prism, words, workbook
from kit.report.pack.report_files import ReportFiles

IMAGES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")


def pack(reports: Sequence[str | Path], to: str | Path) -> list[Path]:
    """Write a package for each report folder into `to`/<experiment_id>; returns these folders.

    Parameters
    ----------
    reports
        Report folders, or folders of reports.
    to
        Where the packages go.

    Raises
    ------
    InputError
        With every folder that is no finished report, before anything is written, and where `to`
        is or lies in a report.
    """
    found = _find([Path(item) for item in reports])
    target = Path(to)
    problems = Problems()
    for report in found:
        try:
            _check(report, target)
        except InputError as error:
            problems.extend(error.problems)
    problems.raise_if_any()
    return [_pack(report, target / report.name) for report in found]


def _find(folders: Sequence[Path]) -> list[ReportFiles]:
    """Report folders as they are; a folder of reports gives all it holds."""
    found = []
    for folder in folders:
        inner = sorted(path.parent for path in folder.glob("*/manifest.json"))
        whole = (folder / "manifest.json").is_file() or not inner
        found += [folder] if whole else inner
    return [ReportFiles(path) for path in dict.fromkeys(found)]


def _check(report: ReportFiles, target: Path) -> None:
    own = report.folder.resolve()
    whole = (target / report.name).resolve()
    if own == whole or own in whole.parents or whole in own.parents:
        why = "a package cannot stand in the place of its report"
        raise InputError(Problem(str(target), "--to", why, "Name another folder."))


def _pack(report: ReportFiles, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = report.name
    workbook.write(report, folder / f"{name}.xlsx")
    prism.write(report, folder / f"{name}.pzfx")
    multiqc.write(report, folder / f"{name}_mqc.json")
    texts = {"methods.md": words.methods(report), "legends.md": words.legends(report)}
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    _copy(folder / "figures", list(report.figures.values()))
    _blots(report, folder / "blots")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    beside = {path.relative_to(folder).as_posix(): path for path in files}
    extra = {name: path for name, path in beside.items() if _belongs(name)}
    crate.write(report, folder / f"{name}.eln", extra)
    return folder


def _belongs(name: str) -> bool:
    """The archive holds the figures from the report itself, and no earlier archive."""
    return not name.endswith(".eln") and not name.startswith("figures/")


def _copy(folder: Path, files: Sequence[Path]) -> None:
    folder.mkdir(exist_ok=True)
    for path in files:
        shutil.copyfile(path, folder / path.name)


def _blots(report: ReportFiles, folder: Path) -> None:
    """The uncropped images as the scanner wrote them, and which lane holds what."""
    images = [
        path
        for name, path in report.raw_files()
        if path is not None and path.suffix.casefold() in IMAGES
    ]
    lanes = report.tables.get("asns_lanes")
    if not images and lanes is None:
        return
    _copy(folder, images)
    if lanes is not None:
        lanes.to_csv(folder / "lanes.csv", index=False, lineterminator="\n")
