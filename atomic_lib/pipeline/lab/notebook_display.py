"""An IPython extension: errors in one line, progress as a bar, tables that sort, search and give their CSV.

``./workbook lab`` has its kernels load it. Pages do not need it: their template has a script and a style of its own.
"""

import base64
import re
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.failures import explained
from atomic_lib.pipeline.lab.progress_stream import ProgressStream, Steps
from atomic_lib.report.elements.blocks import Details, Section, Shown, Stack
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import slug
from atomic_lib.report.figures.picture import Picture
from atomic_lib.report.page.export import table_script

_STYLE = (Path(__file__).parent / "tables.css").read_text(encoding="utf-8")
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


def load_ipython_extension(shell: Any) -> None:
    """Register all of it with IPython, which calls this by its name."""
    setattr(WorkbookError, "_render_traceback_", one_line)  # noqa: B010 - IPython's own hook, not a method of ours
    shell.set_custom_exc((OSError,), _show_explained)
    html = shell.display_formatter.formatters["text/html"]
    for kind in (Table, Picture, Stack, Section, Details):
        html.for_type(kind, in_notebook)
    if not isinstance(sys.stderr, ProgressStream):
        stream = ProgressStream(sys.stderr, CellProgress(shell))
        sys.stderr = stream


def one_line(error: WorkbookError) -> list[str]:
    """The error as the one line of a traceback: what is wrong, and the next step."""
    message = " · ".join(error.message.splitlines())
    reason = error.log.strip().splitlines()[-1:]
    text = message + (f" ({reason[0].strip()})" if reason else "")
    return [f"{_RED}✗ {text}{_PLAIN}" + (f" Next step: {error.hint}" if error.hint else "")]


def _show_explained(
    shell: Any, kind: type[OSError], error: OSError, traceback: object, tb_offset: object = None
) -> None:
    """Show an OSError, such as of a directory that may not be written, as the error that it means."""
    shell.showtraceback((WorkbookError, explained(error), traceback), tb_offset=tb_offset)


class CellProgress:
    """Shows the steps of each cell in one place of its output."""

    def __init__(self, shell: Any) -> None:
        self._handle: Any = None
        shell.events.register("pre_run_cell", self._begin)

    def __call__(self, steps: Steps) -> None:
        from IPython.display import HTML, display

        shown = HTML(steps.as_html())  # type: ignore[no-untyped-call]
        if self._handle is None:
            self._handle = display(shown, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(shown)

    def _begin(self, _: object) -> None:
        self._handle = None
        if isinstance(sys.stderr, ProgressStream):
            sys.stderr.begin()


def in_notebook(shown: Shown) -> str:
    """The HTML of something shown, with the style and the script that pages have, for this output alone."""
    name = f"workbook-{uuid.uuid4().hex}"
    html = _with_csv(shown)._repr_html_()
    html = re.sub(r'<a class="csv" (?=href="data:text/csv;name=([^;]*);)', r'<a class="csv" download="\1.csv" ', html)
    script = f"{{{table_script()}\nworkbookTables(document.getElementById('{name}'));}}"
    return f'<style>{_STYLE}</style><div class="workbook" id="{name}">{html}</div><script>{script}</script>'


def _with_csv(shown: Shown) -> Shown:
    """The same, with tables whose CSV is in the link itself: the files of a run are elsewhere, or not there at all.

    A picture has no records, so it gets no link.
    """
    if isinstance(shown, Picture) or (isinstance(shown, Table) and not shown.records):
        return replace(shown, csv="")
    if isinstance(shown, Table):
        data = base64.b64encode(shown.frame.to_csv(index=False).encode()).decode()
        name = shown.anchor or slug(shown.caption.partition(":")[0])
        return replace(shown, csv=f"data:text/csv;name={name};base64,{data}")
    if isinstance(shown, Stack | Section):
        return replace(shown, parts=tuple(map(_with_csv, shown.parts)))
    if isinstance(shown, Details):
        return replace(shown, content=_with_csv(shown.content))
    return shown
