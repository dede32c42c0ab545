"""Drafted methods and legends of a report, as Markdown: what was done, with exact n and versions."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import kit
from kit.core.errors import InputError
from kit.report.methods import methods_text
from kit.report.pack.report_files import ReportFiles
from kit.report.pack.workbook import replication

DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
LIBRARIES = ("numpy", "pandas", "scipy", "matplotlib", "seaborn")


def methods(report: ReportFiles) -> str:
    """The methods section: every step that was done to these data, then software and seed.

    The experiment is analysed again for it, but only where every input is still the one that was
    read; else the section says that the raw files are needed.
    """
    manifest = report.manifest
    lines = [f"# Methods of {report.name} (draft)", "", report.origin, ""]
    lines += [*_steps(report), ""]
    versions = [f"{name} {manifest['packages'][name]}" for name in LIBRARIES]
    lines += [
        f"Analyses were made with asn-dropout-kit {manifest['kit_version']} on Python"
        f" {manifest['python']} ({', '.join(versions)}); seed {manifest['seed']}.",
    ]
    return "\n".join(lines) + "\n"


def _steps(report: ReportFiles) -> list[str]:
    absent = [name for name, path in report.raw_files() if path is None]
    if absent:
        return [
            f"The steps are not described here: {len(absent)} of the input files are missing or"
            f" have changed since the report was made ({', '.join(absent[:3])})."
        ]
    try:
        experiment = kit.load(report.manifest["source"], report.manifest["settings"])
    except InputError as error:
        return [f"The steps are not described here: {error}"]
    return [f"- {sentence}" for sentence in methods_text(kit.analyse(experiment))]


def legends(report: ReportFiles) -> str:
    """A legend for every figure: its title and caption, n with its unit, and its source data."""
    lines = [f"# Figure legends of {report.name} (draft)", "", report.origin, ""]
    for name, path in report.figures.items():
        title, caption = read_caption(path)
        lines += [f"## {title or name}", "", caption]
        if name in report.tables:
            counted = replication(report.tables[name])
            if counted["n"]:
                lines += ["", f"n = {counted['n']} {counted['unit_of_n']}."]
            lines += ["", f"Source data: sheet of `{name}` in `{report.name}.xlsx`."]
        lines += ["", f"File: `figures/{name}.svg`", ""]
    return "\n".join(lines)


def read_caption(path: Path) -> tuple[str, str]:
    """Title and caption that a figure of the kit carries in its SVG; empty where it has none."""
    root = ET.parse(path).getroot()
    found = [root.findtext(f".//{DUBLIN_CORE}{name}") for name in ("title", "description")]
    return (found[0] or "").strip(), (found[1] or "").strip()
