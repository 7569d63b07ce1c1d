"""Executed notebooks as self-contained pages: no network requests, no trace of the machine they ran on."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.scrub import scrubber
from atomic_lib.measure.build_changes import CHANGED_FILES
from atomic_lib.report.elements.blocks import Alert, Shown
from atomic_lib.report.page.sections import PageCells, headings, published, split_pages, without_empty
from atomic_lib.report.tables.update.study_update_words import summary_lines
from atomic_lib.report.text.budget_words import breach_alert
from atomic_lib.report.text.conclusions import failure
from atomic_lib.report.text.content_words import content_and_date, standin_notice
from atomic_lib.report.text.summary import SUMMARY_FILE, summary
from atomic_lib.results.conformance_files import CSV_FILE as CONFORMANCE_CSV
from atomic_lib.results.conformance_files import MATRIX_FILE
from atomic_lib.results.history.previous_study import previous_study
from atomic_lib.results.result_files import RESULT_FILE, read_study_result
from atomic_lib.results.runs import INDEX_FILE
from atomic_lib.results.sbom.sbom_document import sbom_file
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.tables.csv_tables import csv_headers
from atomic_lib.results.update.update_results import UPDATES_FILE, read_updates
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import LOCK_FILE

if TYPE_CHECKING:
    from nbconvert.exporters import HTMLExporter
    from nbformat import NotebookNode

TEMPLATES = Path(__file__).parent / "templates"

_BANNER = "papermill-error-cell-tag"
"""The tag of the cells that papermill inserts above a failed one; the page has its own alert."""
_INJECTED = "injected-parameters"
"""The tag of papermill's cell with the parameters of a run."""
_PATH_OF_THE_USER = re.compile(r'(?m)^(\w+ = ")(?:file://)?/(?:[^"]*/)?([^"/]*")')
"""A parameter that is an absolute path, of a key or a repository: only its name is shown."""
_VARIANT = "variant.ipynb"
_FEW_SECTIONS = 3
"""A page with no more sections needs no links to them."""


@dataclass(frozen=True)
class PageLink:
    """An entry of a page's navigation; ``target`` is relative to the page."""

    text: str
    target: str
    current: bool = False


@dataclass(frozen=True)
class PageFrame:
    """What surrounds the cells of a page: links to other pages at the top, files at the end.

    ``line`` and ``notice``: what was measured and when, where the cells themselves do not begin with it. ``feed``: the
    Atom feed of the pages, relative to the page.
    """

    title: str
    links: Sequence[PageLink] = ()
    files: Sequence[PageLink] = ()
    line: str = ""
    notice: str = ""
    failed: Alert | None = None
    feed: str = ""


def export_html(notebook: Path, out: Path, frame: PageFrame) -> None:
    """Convert an executed notebook into one HTML file that needs nothing else.

    Raises WorkbookError when the notebook is missing or damaged.
    """
    node = _without_traces(read_notebook(notebook), scrubber(notebook.parent))
    _write_page(node, without_empty(published(node.cells)), out, frame)


def write_pages(run_directory: Path) -> Path:
    """Make the pages and ``summary.md`` of a run; returns ``index.html``, which is written last.

    ``compare.ipynb`` becomes the index and the pages beside it, each ``variant.ipynb`` a page of its own.

    Raises WorkbookError when the run has no results or no executed ``compare.ipynb``.
    """
    study = read_study_result(run_directory)
    compare = run_directory / "compare.ipynb"
    remove_traces(compare, compare)
    node = read_notebook(compare)
    pages = split_pages(node.cells)
    variants = [result.variant for result in study.variants if (run_directory / result.variant / _VARIANT).exists()]
    for result in study.variants:
        if result.variant in variants:
            links = _links(pages, variants, result.variant, "../")
            _write_variant_page(run_directory / result.variant, study, result, links)
    updates = summary_lines(read_updates(run_directory))
    write_text(run_directory / SUMMARY_FILE, summary(study, previous_study(run_directory), INDEX_FILE, updates))
    about = content_and_date(study), standin_notice(study)
    for page in reversed(pages):
        title = f"{page.title} · {study.title}" if page.title else study.title
        links = _links(pages, variants, page.file)
        frame = PageFrame(title, links, _run_files(run_directory), *(about if page.title else ()))
        if not page.title:
            frame = replace(frame, failed=breach_alert(study))
        _write_page(node, page.cells, run_directory / page.file, frame)
    return run_directory / INDEX_FILE


def _write_variant_page(directory: Path, study: StudyResult, result: VariantResult, links: Sequence[PageLink]) -> None:
    remove_traces(directory / _VARIANT, directory / _VARIANT)
    title = f"{result.variant} · {study.title}"
    failed = failure(result, "../") if result.error else None
    about = content_and_date(study), standin_notice(study)
    frame = PageFrame(title, links, _variant_files(directory), *about, failed)
    export_html(directory / _VARIANT, directory / INDEX_FILE, frame)


def page_of(parts: Sequence[Shown], frame: PageFrame) -> str:
    """A page that no notebook made, as HTML: these parts, one below the other, without code."""
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    shown = "".join(part._repr_html_() for part in parts)
    output = new_output("display_data", {"text/html": shown})  # type: ignore[no-untyped-call]
    cell = new_code_cell(outputs=[output], id="parts")  # type: ignore[no-untyped-call]
    node = new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    alert = frame.failed._repr_html_() if frame.failed else ""
    return _page(node, without_empty(node.cells), frame, alert)


def _write_page(node: "NotebookNode", cells: "Sequence[NotebookNode]", out: Path, frame: PageFrame) -> None:
    """Write some cells of a notebook as one page."""
    alert = scrubber(out.parent)(frame.failed._repr_html_()) if frame.failed else ""
    write_text(out, _page(node, cells, frame, alert))


def _page(node: "NotebookNode", cells: "Sequence[NotebookNode]", frame: PageFrame, alert: str) -> str:
    """Some cells of a notebook as one page; ``alert`` is the HTML at its head."""
    script = table_script() + (TEMPLATES / "workbook" / "script.js").read_text(encoding="utf-8")
    sections = headings(cells)
    resources = {
        "page": frame,
        "page_alert": alert,
        "page_code": any(cell.cell_type == "code" and cell.source for cell in cells),
        "page_sections": sections if len(sections) > _FEW_SECTIONS else [],
        "page_script": script,
        "page_script_hash": base64.b64encode(sha256(script.encode()).digest()).decode(),
    }
    text, _ = _exporter().from_notebook_node(type(node)({**node, "cells": list(cells)}), resources)
    return str(text)


@cache
def _exporter() -> "HTMLExporter":
    """The exporter of all pages: to make one takes longer than a page."""
    from nbconvert.exporters import HTMLExporter

    return HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="workbook", extra_template_basedirs=[str(TEMPLATES)], anchor_link_text="#"
    )


def table_script() -> str:
    """The script whose ``workbookTables`` sorts and searches the tables below an element."""
    return (TEMPLATES / "workbook" / "tables.js").read_text(encoding="utf-8")


def read_notebook(path: Path) -> "NotebookNode":
    """The notebook in a file; raises WorkbookError naming the file when it is none."""
    import nbformat

    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text)
    except FileNotFoundError:
        raise WorkbookError(f"{path}: no such file", hint="execute the notebook first: ./workbook run") from None
    except (OSError, ValueError, RecursionError) as error:
        raise WorkbookError(f"{path}: not a notebook: {error}", hint="run ./workbook run again") from None
    if not isinstance(value, dict) or value.get("nbformat") != 4 or not isinstance(value.get("cells"), list):
        raise WorkbookError(f"{path}: not a notebook of format 4", hint="run ./workbook run again")
    node: NotebookNode = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    return node


def remove_traces(notebook: Path, out: Path) -> None:
    """Write an executed notebook to ``out`` without papermill's records and what names this machine.

    Raises WorkbookError when the notebook is missing or damaged.
    """
    import nbformat

    node = _without_traces(read_notebook(notebook), scrubber(out.parent))
    write_text(out, nbformat.writes(node) + "\n")  # type: ignore[no-untyped-call]


def _without_traces(node: "NotebookNode", scrub: Callable[[str], str]) -> "NotebookNode":
    """The notebook without papermill's records and without what ``scrub`` takes out."""
    node.metadata.pop("papermill", None)
    node.cells = [cell for cell in node.cells if _BANNER not in cell.metadata.get("tags", [])]
    for cell in node.cells:
        cell.metadata.pop("papermill", None)
        cell.source = scrub(cell.source)
        if _INJECTED in cell.metadata.get("tags", []):
            cell.source = _PATH_OF_THE_USER.sub(r"\1\2", cell.source)
        for output in cell.get("outputs", []):
            for name in ("text", "evalue", "traceback"):
                if name in output:
                    output[name] = _scrubbed(output[name], scrub)
            for kind, value in output.get("data", {}).items():
                if kind == "image/svg+xml" or not kind.startswith("image/"):
                    output.data[kind] = _scrubbed(value, scrub)
    return node


def _scrubbed(value: Any, scrub: Callable[[str], str]) -> Any:
    """JSON data with all its strings scrubbed."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, list):
        return [_scrubbed(one, scrub) for one in value]
    if isinstance(value, dict):
        return type(value)((key, _scrubbed(one, scrub)) for key, one in value.items())
    return value


def _links(pages: Sequence[PageCells], variants: Sequence[str], current: str, to_run: str = "") -> tuple[PageLink, ...]:
    """The pages of a run, seen from ``current``: the file of one of them, or the name of a variant."""
    named = [("Comparison" if not page.title else page.title, page.file) for page in pages]
    links = [PageLink(title, f"{to_run}{file}", file == current) for title, file in named]
    return (*links, *(PageLink(name, f"{to_run}{name}/{INDEX_FILE}", name == current) for name in variants))


def _run_files(run_directory: Path) -> list[PageLink]:
    variants = sorted(path.parent.name for path in run_directory.glob(f"*/{RESULT_FILE}"))
    sboms = [f"{name}/{sbom_file(name)}" for name in variants]
    rest = (MATRIX_FILE, CONFORMANCE_CSV, UPDATES_FILE, "compare.ipynb")
    names = [SUMMARY_FILE, "results.json", *csv_headers(), *sboms, *rest]
    return [PageLink(name, name) for name in names if (run_directory / name).exists()]


def _variant_files(directory: Path) -> list[PageLink]:
    """The files beside a variant's page, the logs of failed boots included."""
    known = (RESULT_FILE, LOCK_FILE, sbom_file(directory.name), CHANGED_FILES, _VARIANT)
    names = [name for name in known if (directory / name).exists()]
    logs = sorted(path.name for pattern in ("console-*.log", "guest-*.log") for path in directory.glob(pattern))
    return [PageLink(name, name) for name in (*names, *logs)]
