"""The index of a folder of reports: index.json for programs, index.html for people, both from the
manifests alone.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

import kit
from kit.core.errors import Problem
from kit.report import page as report
from kit.store.outfolder import OutputError

SCHEMA_VERSION = 1
ACROSS = "across.html"
CALL_CODES = {
    "auxotrophic": "A",
    "dependent": "D",
    "partially_dependent": "P",
    "prototrophic": "N",
    "inconclusive": "I",
}


def write(out: Path) -> Path:
    """Write `out`/index.html and index.json from the reports that are there; returns the path of
    the page. Raises OutputError where it cannot.
    """
    try:
        entries = list(_entries(out))
        content = {
            "schema_version": SCHEMA_VERSION,
            "kit_version": kit.__version__,
            "experiments": entries,
        }
        _replace(out / "index.json", json.dumps(content, ensure_ascii=False, indent=1) + "\n")
        _replace(out / "index.html", page(entries, across=(out / ACROSS).is_file()))
    except OSError as error:
        what = f"the index cannot be written: {error.strerror or error}"
        raise OutputError(
            Problem(str(out), "", what, "Make room or free the folder, then: kit index.")
        ) from None
    return out / "index.html"


def page(entries: list[dict[str, Any]], across: bool = False) -> str:
    """The page; its rows are data that a script draws as they come into view. `across`: there is a
    page across experiments to link to.
    """
    script = report.asset("index.js")
    data = json.dumps(
        [_compact(entry) for entry in entries], ensure_ascii=False, separators=(",", ":")
    )
    safe = (
        data.replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )
    return report.environment().get_template("index.html.j2").render(
        style=Markup(report.asset("index.css")),
        script=Markup(script),
        data=Markup(safe),
        policy=report.policy(script),
        total=len(entries),
        across=ACROSS if across else "",
        calls=[(code, call.replace("_", " ")) for call, code in CALL_CODES.items()],
    )  # fmt: skip


def _entries(out: Path) -> Iterator[dict[str, Any]]:
    """One entry per report, the newest experiment first."""
    found = []
    for folder in os.scandir(out):
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        try:
            manifest = json.loads((out / folder.name / "manifest.json").read_text(encoding="utf-8"))
            found.append(_entry(folder.name, manifest))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a report
    yield from sorted(
        found, key=lambda entry: (entry["date"] or "", entry["experiment_id"]), reverse=True
    )


def _reasons(manifest: Mapping[str, Any]) -> list[str]:
    """Why the verdict is what it is; first, that a later attempt to make the report again
    failed.
    """
    failed = [
        f"The last attempt failed: {problem}"
        for problem in manifest.get("last_attempt", {}).get("problems", ())
    ]
    return [*failed, *manifest["reasons"]]


def _entry(folder: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "experiment_id": manifest["experiment_id"],
        "report": f"{folder}/report.html",
        "title": manifest.get("title", ""),
        "date": manifest.get("date"),
        "status": manifest["status"],
        "verdict": manifest["verdict"],
        "reasons": _reasons(manifest),
        "cell_lines": manifest.get("cell_lines", []),
        "calls": manifest.get("calls", []),
        "simulated": manifest.get("simulated", False),
        "started": manifest.get("started"),
        "kit_version": manifest.get("kit_version"),
    }


def _compact(entry: Mapping[str, Any]) -> list[Any]:
    """An entry as a short list: folder, title, date, verdict (or `failed`), reasons, calls as
    [line, amino acid, code, confidence], simulated.
    """
    state = entry["verdict"] if entry["status"] == "ok" else "failed"
    calls = [
        [
            call["cell_line"],
            call["amino_acid"],
            CALL_CODES.get(call["call"], "I"),
            call["confidence"][:1],
        ]
        for call in entry["calls"]
    ]
    folder = entry["report"].rsplit("/", 1)[0]
    reasons = [str(reason)[:300] for reason in entry["reasons"][: 20 if state == "failed" else 3]]
    return [
        folder,
        entry["title"],
        entry["date"] or "",
        state,
        reasons,
        calls,
        int(bool(entry["simulated"])),
        entry["cell_lines"],
    ]


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        os.replace(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
