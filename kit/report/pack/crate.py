"""An electronic notebook's archive (.eln): a zipped RO-Crate 1.1 with report, tables and raw files.

The form is that of the ELN consortium: one folder in the archive, `ro-crate-metadata.json` in it,
and one Dataset for the experiment that lists its files with size and SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit.report.pack.report_files import ReportFiles

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILE = "https://w3id.org/ro/crate/1.1"
LICENSE = {
    "@id": "#all-rights",
    "@type": "CreativeWork",
    "name": "All rights reserved",
    "description": "No licence has been chosen yet: the owner of the data decides.",
}


def write(report: ReportFiles, path: Path, beside: Mapping[str, Path]) -> None:
    """Write the archive of a report to `path`; `beside` are further files of the package, by their
    name in it.
    """
    files = _files(report, beside)
    folder = path.stem
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        metadata = json.dumps(_metadata(report, files), indent=1, ensure_ascii=False)
        archive.writestr(f"{folder}/ro-crate-metadata.json", metadata)
        for name, source in files.items():
            archive.write(source, f"{folder}/{report.name}/{name}")


def _files(report: ReportFiles, beside: Mapping[str, Path]) -> dict[str, Path]:
    found = {"report.html": report.folder / "report.html"}
    found["manifest.json"] = report.folder / "manifest.json"
    for kind in ("tables", "figures", "notebooks"):
        for source in sorted((report.folder / kind).iterdir()):
            found[f"{kind}/{source.name}"] = source
    for name, raw in report.raw_files():
        if raw is not None:
            found[f"experiment/{name}"] = raw
    return {**found, **beside}


def _metadata(report: ReportFiles, files: Mapping[str, Path]) -> dict[str, Any]:
    manifest = report.manifest
    own = f"./{report.name}/"
    created = str(manifest["started"])
    entries = [_entry(f"{own}{name}", path) for name, path in files.items()]
    experiment = {
        "@id": own,
        "@type": "Dataset",
        "name": manifest.get("title") or report.name,
        "identifier": report.name,
        "dateCreated": created,
        "dateModified": created,
        "description": " ".join([f"Verdict: {manifest['verdict']}.", *manifest["reasons"]]),
        "keywords": ", ".join(["amino-acid dropout", *manifest.get("cell_lines", ())]),
        "hasPart": [{"@id": entry["@id"]} for entry in entries],
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{report.name}: amino-acid dropout assay",
        "description": report.origin,
        "datePublished": created,
        "license": {"@id": LICENSE["@id"]},
        "hasPart": [{"@id": own}, *({"@id": entry["@id"]} for entry in entries)],
    }
    descriptor = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": PROFILE},
        "version": "1.0",
    }
    return {"@context": CONTEXT, "@graph": [descriptor, root, experiment, LICENSE, *entries]}


def _entry(name: str, path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {
        "@id": name,
        "@type": "File",
        "name": path.name,
        "encodingFormat": kind,
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
