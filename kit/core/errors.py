"""What is wrong with an input, where it is, and how to put it right.

Every problem of an input is collected first and raised together, so that a bench scientist can mend
a folder in one go.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

_LONGEST = 1200
"""Characters of a finding that are shown; a value of megabytes is cut."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    `file` is the path as the user knows it (relative to the experiment folder), `place` the line,
    sheet, cell, well or
    key, `what` the finding with the offending value, `remedy` what to do about it. `place` and
    `remedy` may be empty.
    """

    file: str
    place: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.file, self.place) if part)
        what = self.what.rstrip(". ")
        if len(what) > _LONGEST:
            what = f"{what[: _LONGEST // 2]} ... {what[-_LONGEST // 4 :]}"
        text = f"{where}: {what}." if where else f"{what}."
        return f"{text} {self.remedy}".rstrip()


class KitError(Exception):
    """Base of every error the kit raises on purpose."""


class InputError(KitError, ValueError):
    """An input cannot be used; carries every `Problem` found in it."""

    def __init__(self, problems: Iterable[Problem] | Problem) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def refused(file: object, what: str, remedy: str = "", *, place: object = "") -> InputError:
    """The error of an input with one problem; arguments as in `Problem`.

    >>> str(refused("map.csv", "is empty", "Export it again."))
    'map.csv: is empty. Export it again.'
    """
    return InputError(Problem(str(file), str(place), what, remedy))


class Problems(list[Problem]):
    """Collects problems while an input is read, then raises them all at once."""

    def say(self, file: object, place: object, what: str, remedy: str = "") -> None:
        """Note one problem; arguments as in `Problem`."""
        self.append(Problem(str(file), str(place), what, remedy))

    def raise_if_any(self) -> None:
        """Raise `InputError` with everything collected, or do nothing when there is nothing."""
        if self:
            raise InputError(dict.fromkeys(self))


def did_you_mean(name: object, known: Iterable[object], *, listing: bool = True) -> str:
    """A remedy for a misspelt name: the nearest known one, else the list of known names (first
    twelve).
    """
    names = [str(item) for item in known]
    folded = {item.casefold(): item for item in reversed(names)}
    near = difflib.get_close_matches(str(name).casefold(), list(folded), n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{folded[near[0]]}'?"
    if not listing or not names:
        return ""
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"Known: {', '.join(names[:12])}{more}."
