"""The command line: kit new, check, run, index, explore. Heavy imports happen inside the commands,
so help is quick.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kit
from kit.cli import interrupt
from kit.cli.output import printer_of
from kit.core.errors import InputError, Problem, Problems, did_you_mean
from kit.new import command

if TYPE_CHECKING:
    from kit.batch.batch import Progress
    from kit.experiment.load import Experiment

OK, FAILED, USAGE, VERDICT = 0, 1, 2, 3
"""Exit statuses: every report made; some experiment could not be reported; bad usage; a verdict as
bad as --fail-on.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    try:
        given = _parser().parse_args(arguments)
        return int(given.command(given))
    except InputError as error:
        print(error, file=sys.stderr)
        return FAILED if type(error).__name__ == "OutputError" else USAGE
    except (KeyboardInterrupt, interrupt.Stopped) as stop:
        interrupt.leave("\nStopped. Reports that were done stay; the next run does the rest.")
        return getattr(stop, "code", 128 + signal.SIGINT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kit",
        description="From raw plate files to a reasoned verdict on amino-acid dropout assays.",
    )
    parser.add_argument("--version", action="version", version=f"kit {kit.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    new = commands.add_parser("new", help="write a filled-in experiment folder, ready to edit")
    command.add_flags(new)
    new.set_defaults(command=command.run)

    check = commands.add_parser("check", help="read and validate everything; print every problem")
    check.add_argument(
        "experiments",
        nargs="+",
        metavar="EXPERIMENT",
        help="experiment folder, or a folder of them",
    )
    check.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting, as for run",
    )
    check.set_defaults(command=_check)

    _add_run(commands.add_parser("run", help="make reports of experiments, then the index"))

    index = commands.add_parser("index", help="rebuild the index of a folder of reports")
    index.add_argument("folder", metavar="DIR", help="folder of reports")
    index.add_argument(
        "--across",
        action="store_true",
        help="also make across.html: calls in time, repeats, control charts, ASNS over all reports",
    )
    index.set_defaults(command=_index)

    pack = commands.add_parser("pack", help="make a publication package of finished reports")
    pack.add_argument(
        "reports", nargs="+", metavar="REPORT", help="report folder, or folder of reports"
    )
    pack.add_argument("--to", required=True, metavar="FOLDER", help="where the packages go")
    pack.set_defaults(command=_pack)

    explain = commands.add_parser(
        "explain", help="say in plain words what a check, metric, setting, column or call means"
    )
    explain.add_argument("name", nargs="?", metavar="NAME", help="none: list every name")
    explain.set_defaults(command=_explain)

    explore = commands.add_parser("explore", help="open JupyterLab on the workbench notebook")
    explore.add_argument(
        "experiment",
        nargs="?",
        metavar="EXPERIMENT",
        help="experiment folder, or a folder of experiments",
    )
    explore.add_argument(
        "--app", action="store_true", help="the same page without code, through voila"
    )
    explore.add_argument(
        "--server",
        dest="options",
        action="append",
        default=[],
        metavar="OPTION",
        help="an option for the server, e.g. --server=--no-browser",
    )
    explore.set_defaults(command=_explore)
    return parser


def _explain(given: argparse.Namespace) -> int:
    from kit.report.glossary import explain, overview

    print(explain(given.name) if given.name else overview())
    return OK


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "experiments",
        nargs="+",
        metavar="EXPERIMENT",
        help="experiment folder, folder of experiments, or glob",
    )
    run.add_argument(
        "--out",
        type=_folder,
        default="reports",
        metavar="DIR",
        help="folder of reports (default: reports)",
    )
    run.add_argument(
        "--json",
        action="store_true",
        help="print one JSON line per experiment: status, verdict, reasons with codes, calls, paths",
    )
    run.add_argument(
        "--pdf", action="store_true", help="also print each report to report.pdf, by Chromium"
    )
    run.add_argument(
        "--workers",
        type=_count,
        default=0,
        metavar="N",
        help="processes that work side by side (default: as many as there are cores)",
    )
    run.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="a running Dask scheduler whose workers make the reports",
    )
    run.add_argument(
        "--only",
        default="",
        metavar="NOTEBOOK,...",
        help="run only these notebooks, e.g. 01,02_dropout_analysis",
    )
    run.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting, typed and checked",
    )
    run.add_argument("--force", action="store_true", help="make reports again that are up to date")
    run.add_argument(
        "--fail-on", choices=("warn", "fail"), help="exit 3 when a verdict is at least that bad"
    )
    run.add_argument(
        "--timeout",
        type=_positive,
        default=0.0,
        metavar="SECONDS",
        help="end a notebook that runs longer",
    )
    run.add_argument(
        "--memory",
        type=_size,
        default=0,
        metavar="SIZE",
        help="end a notebook that uses more, e.g. 2GB",
    )
    run.add_argument(
        "--plain-kernels",
        action="store_true",
        help="run notebooks in ordinary Jupyter kernels (slower)",
    )
    run.set_defaults(command=_run)


def _folder(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("names no folder")
    return text


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return value


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?", text.strip().upper())
    if not found or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size such as 500MB or 2GB")
    return int(float(found[1]) * 1000 ** " KMGT".index(found[2] or " "))


def settings_of(given: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE` texts as typed settings. Raises InputError for every one that is unknown or of
    the wrong kind.
    """
    if not given:
        return {}
    from kit.config.settings import Settings

    problems, values = Problems(), dict[str, Any]()
    for item in given:
        name, separator, text = item.partition("=")
        name = name.strip()
        if not separator:
            problems.say(
                "--set",
                "",
                f"'{item}' is not NAME=VALUE",
                "Write for example --set min_z_prime=0.4.",
            )
        elif name not in Settings.model_fields:
            problems.say(
                "--set",
                "",
                f"'{name}' is not a setting",
                did_you_mean(name, Settings.model_fields, listing=False),
            )
        elif wrong := Settings.wrong(name, _typed(text)):
            problems.say(
                "--set", name, f"'{text}': {wrong}", Settings.model_fields[name].description or ""
            )
        else:
            values[name] = _typed(text)
    problems.raise_if_any()
    return values


def _typed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _check(given: argparse.Namespace) -> int:
    from kit.batch.find import find
    from kit.experiment.load import load

    settings, bad = settings_of(given.settings), 0
    try:
        found = find(given.experiments)
    except InputError as error:
        print(error)
        return FAILED
    for problem in found.passed:
        print(f"Passed over: {problem}")
    for problem in found.doubled.values():
        bad += 1
        print(problem)
    for folder in found.folders:
        try:
            experiment = load(folder, settings or None)
        except InputError as error:
            bad += 1
            for problem in error.problems:
                print(f"{folder.name}/{problem}" if problem.file else f"{folder.name}: {problem}")
        except (
            Exception
        ) as error:  # one folder the kit stumbles over must not keep the others from being checked
            bad += 1
            print(
                f"{folder.name}: could not be checked: {type(error).__name__}: {error}. This is a"
                " fault of the kit; please report it."
            )
        else:
            _checked(folder.name, experiment)
    return FAILED if bad else OK


def _checked(name: str, experiment: Experiment) -> None:
    """What `kit check` says of an experiment that can be read: notices, amounts that look like
    another unit, and the empty fields with what each costs.
    """
    from kit.protocol import compliance
    from kit.protocol.findings import gaps

    for notice in experiment.notices:
        print(f"{name}: {notice.severity.upper()}: {notice.sentence} {notice.remedy}")
    table = compliance(experiment.config)
    for row in table[table["check"].eq("P26") & table["verdict"].eq("warn")].itertuples():
        print(f"{name}: WARN: {row.subject}: {row.value}. {row.advice}")
    empty = gaps(table) if experiment.config.media else []
    for text in empty:
        print(f"{name}: {text}")
    print(f"{name}: no problems" + " in the files; empty fields are listed above" * bool(empty))


def _run(given: argparse.Namespace) -> int:
    from kit.batch import batch

    only = [name.strip() for name in given.only.split(",") if name.strip()]
    printer = printer_of(given.json)
    workers = given.workers or batch.cores()
    if not (given.workers or given.scheduler):
        print(f"Workers: {workers}, as many as there are cores.", file=sys.stderr)
    result = batch.run(
        given.experiments,
        given.out,
        workers=workers,
        only=only,
        settings=settings_of(given.settings),
        force=given.force,
        timeout_s=given.timeout,
        memory_bytes=given.memory,
        plain=given.plain_kernels,
        scheduler=given.scheduler,
        report=printer,
    )
    printer.conclude(result, Path(given.out))
    if given.pdf:
        _print(result, Path(given.out))
    if result.failed:
        return FAILED
    bad = {"warn": ("warn", "fail"), "fail": ("fail",)}.get(given.fail_on or "", ())
    return VERDICT if result.worst in bad else OK


def _print(result: Progress, out: Path) -> None:
    """report.pdf beside each report that was made, or has none yet."""
    from kit.batch import pdf

    fresh = {manifest["experiment_id"] for manifest in result.made}
    for manifest in [*result.made, *result.skipped]:
        folder = out / manifest["experiment_id"]
        there = (folder / "report.pdf").exists() and manifest["experiment_id"] not in fresh
        if manifest["status"] == "ok" and not there:
            _tell(str(pdf.write(folder)))


def _index(given: argparse.Namespace) -> int:
    from kit.report import index

    folder = Path(given.folder)
    if not folder.is_dir():
        raise InputError(Problem(given.folder, "", "is not a folder", "Name a folder of reports."))
    try:
        across = _across(folder) if given.across else None
    finally:
        print(index.write(folder, _tell))  # after it, as it links to it
    if across:
        print(across)
    return OK


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def _across(folder: Path) -> Path:
    from kit.batch import across_page

    return across_page.write(folder)


def _pack(given: argparse.Namespace) -> int:
    from kit.report.pack.package import pack

    for folder in pack(given.reports, given.to):
        print(folder)
    return OK


def _explore(given: argparse.Namespace) -> int:
    from kit.explore.launch import explore

    return explore(given.experiment, app=given.app, options=given.options)
