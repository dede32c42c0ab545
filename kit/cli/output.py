"""What `kit run` prints: a line per report, a bar on a terminal, or JSON for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.batch.batch import Progress


def printer_of(as_json: bool) -> Lines:
    """The printer for this terminal, or the one for programs."""
    return JsonLines() if as_json else Bar() if sys.stderr.isatty() else Lines()


class Lines:
    """One plain line per report, and every problem below it."""

    def conclude(self, result: Progress, out: Path) -> None:
        """What came of the run, in a line or two."""
        made = len(result.made) - len(result.failed)
        parts = [f"{made} made", *([f"{len(result.skipped)} up to date"] if result.skipped else [])]
        parts += [f"{len(result.failed)} could not be reported"] if result.failed else []
        print(f"{', '.join(parts)}. Index: {out / 'index.html'}")

    def __call__(self, progress: Progress, manifest: Mapping[str, Any] | None) -> None:
        if progress.notice:
            print(progress.notice, file=sys.stderr, flush=True)
        if manifest is not None and not manifest.get("skipped"):
            print(line(manifest), flush=True)
            for problem in manifest.get("problems", ()):
                print(f"  {problem}", file=sys.stderr, flush=True)


def line(manifest: Mapping[str, Any]) -> str:
    """One report in a line: name, verdict, seconds, first reason, and what else there is to
    know.
    """
    note = f" ({manifest['note']})" if manifest.get("note") else ""
    if manifest["status"] != "ok":
        count = len(manifest["problems"])
        return (
            f"{manifest['experiment_id']}: FAILED ({count}"
            f" problem{'s' if count != 1 else ''}){note}"
        )
    reason = f": {manifest['reasons'][0]}" if manifest["reasons"] else ""
    return (
        f"{manifest['experiment_id']}: {manifest['verdict'].upper()} in {manifest['seconds']:.1f}"
        f" s{reason}{note}"
    )


class Bar(Lines):
    """A bar with experiments done, failed and time left; problems are printed above it."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.fresh = 0

    def __call__(self, progress: Progress, manifest: Mapping[str, Any] | None) -> None:
        if progress.notice:
            print(f"\r\x1b[K{progress.notice}", file=sys.stderr)
        if manifest is not None and not manifest.get("skipped"):
            self.fresh += 1
            print(f"\r\x1b[K{line(manifest)}", file=sys.stderr)
            for problem in manifest.get("problems", ()):
                print(f"  {problem}", file=sys.stderr)
        share = progress.done / max(progress.total, 1)
        blocks = "█" * round(24 * share) + "░" * (24 - round(24 * share))
        failed = f", {len(progress.failed)} failed" if progress.failed else ""
        end = "\n" if progress.done == progress.total else ""
        print(
            f"\r\x1b[K{blocks} {progress.done}/{progress.total}{failed}{self._left(progress)}",
            end=end,
            file=sys.stderr,
            flush=True,
        )

    def _left(self, progress: Progress) -> str:
        remaining = progress.total - progress.done
        if not remaining or not self.fresh:
            return ""
        seconds = (time.monotonic() - self.started) / self.fresh * remaining
        return (
            f", about {seconds / 60:.0f} min left"
            if seconds > 90
            else f", about {seconds:.0f} s left"
        )


class JsonLines(Lines):
    """One JSON line per experiment on stdout once the run is over, everything else on stderr."""

    def __call__(self, progress: Progress, manifest: Mapping[str, Any] | None) -> None:
        if progress.notice:
            print(progress.notice, file=sys.stderr, flush=True)

    def conclude(self, result: Progress, out: Path) -> None:
        """The lines, in the order of the experiments' names."""
        every = [(each, True) for each in result.made] + [(each, False) for each in result.skipped]
        for manifest, fresh in sorted(every, key=lambda item: str(item[0]["experiment_id"])):
            print(json.dumps(_record(manifest, fresh, out), ensure_ascii=False), flush=True)


def _record(kept: Mapping[str, Any], fresh: bool, out: Path) -> dict[str, Any]:
    """What a program has to know of one experiment; what the run keeps in memory is little, so the
    rest comes from the report's manifest.
    """
    folder = out / str(kept["experiment_id"])
    try:
        written = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        written = {}
    manifest = {**written, **kept}
    reasons = zip_longest(manifest.get("codes", ()), manifest.get("reasons", ()), fillvalue="")
    paths = {"report": "report.html", "tables": "tables", "manifest": "manifest.json"}
    return {
        "experiment_id": kept["experiment_id"],
        "status": manifest.get("status", "failed"),
        "made": fresh,
        "verdict": manifest.get("verdict", "fail"),
        "reasons": [{"code": code, "text": text} for code, text in reasons],
        "problems": manifest.get("problems", []),
        "next_actions": manifest.get("next_actions", []),
        "calls": manifest.get("calls", []),
        "seconds": manifest.get("seconds"),
        "paths": {
            name: str(folder / end) for name, end in paths.items() if (folder / end).exists()
        },
    }
