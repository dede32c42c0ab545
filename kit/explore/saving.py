"""Changes of experiment.yaml: shown as a diff first, written only when that is confirmed, and then
read again.
"""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as w

from kit.config.model import FILE
from kit.explore import parts
from kit.explore.parts import Page, button, row
from kit.explore.state import Session
from kit.explore.yaml_edit import Proposal, write


class Saving:
    """A button that shows what would change, and two that write or cancel; `propose` makes the
    proposal.
    """

    def __init__(
        self, session: Session, page: Page, propose: Callable[[], Proposal], words: str
    ) -> None:
        self.session, self.page, self._make = session, page, propose
        self.proposal: Proposal | None = None
        self.show = button(
            "Save…", tooltip=f"show what saving {words} would change in experiment.yaml"
        )
        self.confirm = button("Write to experiment.yaml", "warning")
        self.cancel = button("Cancel")
        self.diff = w.HTML()
        self.below = w.VBox([self.diff, row([self.confirm, self.cancel])])
        self.show.on_click(page.guard(self._propose, "Comparing…"))
        self.confirm.on_click(page.guard(self._write, "Saving and reading again…"))
        self.cancel.on_click(lambda _: self.forget())
        self.forget()

    @property
    def widgets(self) -> list[w.Widget]:
        """The button, and what appears below once it was pressed."""
        return [self.show, self.below]

    def forget(self) -> None:
        """Take the diff away: nothing is written."""
        self.proposal, self.diff.value = None, ""
        self.below.layout.display = "none"

    def _propose(self, _: object) -> str:
        self.forget()
        proposal = self._make()
        if not proposal.changes:
            return f"{FILE} says so already: there is nothing to save."
        self.proposal = proposal
        self.diff.value = (
            "<p>This would change in experiment.yaml; everything else stays as it is:</p>"
            + parts.diff(proposal.before, proposal.after, FILE)
        )
        self.below.layout.display = ""
        return ""

    def _write(self, _: object) -> str:
        if self.proposal is None:
            return ""
        write(self.proposal)
        self.forget()
        self.session.open(self.session.loaded.folder)
        return f"Saved in {FILE}: the next report uses it."
