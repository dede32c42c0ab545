"""Runs a notebook in this very process, as a papermill engine: no kernel to start, no sockets.

Meant for a process that was forked from a warmed one and ends with the notebook (`kit.batch.job`),
so that every notebook is as isolated as in a
kernel of its own. Outputs are those of a kernel: the same shell, the same display formats,
tracebacks and inline figures. What differs: text that
C code writes to the terminal is not captured.
"""

from __future__ import annotations

import base64
import os
import platform
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from io import TextIOBase
from typing import Any

import nbformat
from ipykernel.compiler import XCachingCompiler
from ipykernel.jsonutil import json_clean
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbformat.v4 import new_output
from papermill.engines import Engine, papermill_engines
from traitlets import Type
from traitlets.config import Config

from kit.batch.partial import Keeper

NAME = "kit-in-process"
INLINE = "module://matplotlib_inline.backend_inline"


class Outputs:
    """The outputs of the cell that runs, gathered as nbclient gathers a kernel's messages."""

    def __init__(self) -> None:
        self.cell: list[Any] = []
        self.displayed: dict[str, list[Any]] = {}
        self.clear_first = False

    def add(self, kind: str, **content: Any) -> Any:
        """Append an output; returns the node."""
        self._clear_if_due()
        node = new_output(kind, **content)
        self.cell.append(node)
        return node

    def write(self, stream: str, text: str) -> None:
        """Text of stdout or stderr: joined to what that stream wrote just before."""
        self._clear_if_due()
        last = self.cell[-1] if self.cell else None
        if last is not None and last.output_type == "stream" and last.name == stream:
            last.text += text
        else:
            self.cell.append(new_output("stream", name=stream, text=text))

    def clear(self, wait: bool) -> None:
        """Forget the cell's outputs, now or when the next one comes."""
        if wait:
            self.clear_first = True
        else:
            self.cell.clear()

    def _clear_if_due(self) -> None:
        if self.clear_first:
            self.cell.clear()
            self.clear_first = False


def _content(data: Mapping[str, Any], metadata: Any) -> Any:
    """Formats and their metadata as a notebook stores them: images as base64."""
    encoded = {
        kind: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for kind, value in data.items()
    }
    return nbformat.from_dict(json_clean({"data": encoded, "metadata": metadata or {}}))


class _Publisher(DisplayPublisher):
    """`display()`: a display_data output, or a change of an earlier one."""

    outputs: Outputs

    def publish(
        self,
        data: Any,
        metadata: Any = None,
        source: Any = None,
        *,
        transient: Any = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        content = _content(data, metadata)
        known = self.outputs.displayed.setdefault((transient or {}).get("display_id") or "", [])
        if update:
            for node in known:
                node.update(content)
        else:
            known.append(self.outputs.add("display_data", **content))

    def clear_output(self, wait: bool = False) -> None:
        self.outputs.clear(wait)


class _Hook(DisplayHook):
    """The value of a cell's last line: an execute_result output."""

    outputs: Outputs

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self.outputs.add(
            "execute_result", execution_count=self.prompt_count, **_content(format_dict, md_dict)
        )

    def finish_displayhook(self) -> None:
        pass


class Shell(InteractiveShell):
    """IPython's shell as a kernel has it, its outputs gathered."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)
    compiler_class = Type(XCachingCompiler)
    system = InteractiveShell.system_piped
    outputs: Outputs

    def gather(self) -> Outputs:
        """Begin to gather outputs."""
        self.outputs = self.displayhook.outputs = self.display_pub.outputs = Outputs()
        return self.outputs

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        self.outputs.add(
            "error",
            ename=str(getattr(etype, "__name__", etype)),
            evalue=str(evalue),
            traceback=list(stb),
        )

    def enable_gui(self, gui: Any = None) -> None:
        """There is no event loop to join."""


class _Stream(TextIOBase):
    """Stands in for sys.stdout or sys.stderr."""

    encoding = "UTF-8"

    def __init__(self, outputs: Outputs, name: str) -> None:
        self.outputs, self.name = outputs, name

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if text:
            self.outputs.write(self.name, text)
        return len(text)

    def writable(self) -> bool:
        return True


class InProcessEngine(Engine):
    """papermill engine: the cells run here, one after another."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, partial: str = "", **_: Any
    ) -> None:
        """Run the cells; what is done so far is kept in the file `partial`."""
        keeper = Keeper(partial, nb_man.nb)
        shell = _new_shell()
        outputs = shell.gather()
        with _streams(outputs):
            for index, cell in enumerate(nb_man.nb.cells):
                keeper.starting(index)
                nb_man.cell_start(cell, index)
                error = _run_cell(shell, outputs, cell)
                if error is not None:
                    nb_man.cell_exception(cell, cell_index=index, exception=error)
                nb_man.cell_complete(cell, cell_index=index)
                keeper.completed(index, cell)
                if error is not None:
                    break
        keeper.close()
        nb_man.nb.metadata["language_info"] = _language()


def _new_shell() -> Shell:
    """A shell in a fresh `__main__`, with no history on disk and inline figures as a kernel has
    them.
    """
    os.environ["MPLBACKEND"] = INLINE
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.xmode = "Context"
    shell: Shell = Shell.instance(config=config)
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcParams["backend"] = INLINE
    if (
        "matplotlib_inline.backend_inline" in sys.modules
    ):  # imported before there was a shell to register with
        sys.modules["matplotlib_inline.backend_inline"]._enable_matplotlib_integration()
    return shell


def _run_cell(shell: Shell, outputs: Outputs, cell: Any) -> BaseException | None:
    """Run one cell as nbclient would; returns what it raised, unless the cell is tagged as one that
    raises.
    """
    tags = cell.metadata.get("tags", [])
    if cell.cell_type != "code" or not cell.source.strip() or "skip-execution" in tags:
        return None
    cell.outputs = outputs.cell = []
    outputs.clear_first = False
    cell.execution_count = shell.execution_count
    result = shell.run_cell(cell.source, store_history=True)
    error = result.error_before_exec or result.error_in_exec
    return None if "raises-exception" in tags else error


@contextmanager
def _streams(outputs: Outputs) -> Any:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream(outputs, "stdout"), _Stream(outputs, "stderr")
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _language() -> dict[str, Any]:
    """What a Python kernel says of its language."""
    return {
        "codemirror_mode": {"name": "ipython", "version": sys.version_info[0]},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": f"ipython{sys.version_info[0]}",
        "version": platform.python_version(),
    }


papermill_engines.register(NAME, InProcessEngine)
