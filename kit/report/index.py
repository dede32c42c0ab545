"""The index of a folder of reports: index.json for programs, index.html for people, both from the
manifests alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

import kit
from kit.core.errors import InputError, Problem
from kit.core.files import replace_text
from kit.report import page as report
from kit.signaling.names import words_of
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


def write(out: Path, say: Callable[[str], None] = lambda text: None) -> Path:
    """Write `out`/index.html and index.json from the reports that are there; returns the path of
    the page. `say` is told which reports are left out. Raises OutputError where it cannot.
    """
    try:
        entries = []
        for folder, manifest in _manifests(out):
            try:
                entry = _entry(folder, manifest)
                json.dumps(_compact(entry), allow_nan=False)
                entries.append(entry)
            except (AttributeError, LookupError, TypeError, ValueError):
                say(
                    f"{folder} is left out of the index: its manifest.json is not one of the kit's."
                )
        entries.sort(key=lambda one: (one["date"] or "", one["experiment_id"]), reverse=True)
        content = {
            "schema_version": SCHEMA_VERSION,
            "kit_version": kit.__version__,
            "experiments": entries,
        }
        text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        replace_text(out / "index.json", text, "index.json")
        replace_text(
            out / "index.html", page(entries, across=(out / ACROSS).is_file()), "index.html"
        )
    except (OSError, InputError) as error:
        what = f"the index cannot be written: {getattr(error, 'strerror', None) or error}"
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
    return (
        report.environment()
        .get_template("index.html.j2")
        .render(
            style=Markup(report.asset("index.css")),
            script=Markup(script),
            data=Markup(safe),
            policy=report.policy(script),
            total=len(entries),
            across=ACROSS if across else "",
            calls=[(code, call.replace("_", " ")) for call, code in CALL_CODES.items()],
        )
    )


def _manifests(out: Path) -> Iterator[tuple[str, Any]]:
    """Folder and manifest of each report; None for a manifest that cannot be read."""
    for folder in os.scandir(out):
        path = Path(folder.path) / "manifest.json"
        if not folder.name.startswith(".") and path.is_file():
            try:
                yield folder.name, json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                yield folder.name, None


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
        "experiment_id": str(manifest["experiment_id"]),
        "report": f"{folder}/report.html",
        "title": manifest.get("title", ""),
        "date": None if manifest.get("date") is None else str(manifest["date"]),
        "status": manifest["status"],
        "verdict": manifest["verdict"],
        "reasons": _reasons(manifest),
        "cell_lines": manifest.get("cell_lines", []),
        "calls": manifest.get("calls", []),
        "mtorc1": manifest.get("mtorc1", {}),
        "simulated": manifest.get("simulated", False),
        "started": manifest.get("started"),
        "kit_version": manifest.get("kit_version"),
    }


def _routes(classes: Mapping[str, str]) -> list[str]:
    """The classes of notebook 06 as one sentence; none where it did not run."""
    said = [f"{stimulus} {words_of(name)}" for stimulus, name in classes.items()]
    return [f"mTORC1: {'; '.join(said)}."] if said else []


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
    told = [*_routes(entry.get("mtorc1", {})), *entry["reasons"]]
    reasons = [str(reason)[:300] for reason in told[: 20 if state == "failed" else 3]]
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
