"""Executed notebooks as self-contained pages: no network requests, no trace of the machine they ran on."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.scrub import scrubber
from atomic_lib.measure.build_changes import CHANGED_FILES
from atomic_lib.report.elements.blocks import Alert
from atomic_lib.report.text.budget_words import breach_alert
from atomic_lib.report.text.conclusions import failure
from atomic_lib.results.conformance_files import CSV_FILE as CONFORMANCE_CSV
from atomic_lib.results.conformance_files import MATRIX_FILE
from atomic_lib.results.csv_tables import csv_names
from atomic_lib.results.result_files import RESULT_FILE, read_study_result
from atomic_lib.results.variant_result import VariantResult

if TYPE_CHECKING:
    from nbformat import NotebookNode

TEMPLATES = Path(__file__).parent / "templates"

_BANNER = "papermill-error-cell-tag"
"""The tag of the cells that papermill inserts above a failed one; the page has its own alert."""


@dataclass(frozen=True)
class PageLink:
    """An entry of a page's navigation; ``target`` is relative to the page."""

    text: str
    target: str
    current: bool = False


def export_html(
    notebook: Path,
    out: Path,
    title: str,
    links: Sequence[PageLink] = (),
    files: Sequence[PageLink] = (),
    failed: Alert | None = None,
) -> None:
    """Convert an executed notebook into one HTML file that needs nothing else.

    ``links`` stand at the top (other pages), ``failed`` below them, ``files`` at the end.

    Raises WorkbookError when the notebook is missing or damaged.
    """
    from nbconvert.exporters import HTMLExporter

    scrub = scrubber(notebook.parent)
    script = (TEMPLATES / "workbook" / "script.js").read_text(encoding="utf-8")
    node = _without_traces(read_notebook(notebook), scrub)
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="workbook", extra_template_basedirs=[str(TEMPLATES)], anchor_link_text="#"
    )
    resources = {
        "page_title": title,
        "page_links": list(links),
        "page_files": list(files),
        "page_sections": _sections(node),
        "page_script": script,
        "page_script_hash": base64.b64encode(sha256(script.encode()).digest()).decode(),
        "page_alert": scrub(failed._repr_html_()) if failed else "",
    }
    text, _ = exporter.from_notebook_node(node, resources)
    write_text(out, text)


def write_pages(run_directory: Path) -> Path:
    """Make ``index.html`` of a run, and a page of every variant that has a notebook; returns the index.

    Raises WorkbookError when the run has no results or no executed ``compare.ipynb``.
    """
    study = read_study_result(run_directory)
    pages = [result for result in study.variants if (run_directory / result.variant / "variant.ipynb").exists()]
    for result in pages:
        directory = run_directory / result.variant
        remove_traces(directory / "variant.ipynb", directory / "variant.ipynb")
        export_html(
            directory / "variant.ipynb",
            directory / "index.html",
            f"{result.variant} · {study.title}",
            _pages(pages, result),
            _variant_files(directory),
            failure(result, "../") if result.error else None,
        )
    index = run_directory / "index.html"
    remove_traces(run_directory / "compare.ipynb", run_directory / "compare.ipynb")
    export_html(
        run_directory / "compare.ipynb",
        index,
        study.title,
        _pages(pages, None),
        _run_files(run_directory),
        breach_alert(study),
    )
    return index


def read_notebook(path: Path) -> "NotebookNode":
    """The notebook in a file; raises WorkbookError naming the file when it is none."""
    import nbformat

    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text)
    except FileNotFoundError:
        raise WorkbookError(f"{path}: no such file", hint="execute the notebook first: ./workbook run") from None
    except (OSError, ValueError) as error:
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


def _sections(node: "NotebookNode") -> list[dict[str, str]]:
    """The second-level headings, with the anchors that nbconvert or the library gave them, in the page's order."""
    found = []
    for cell in node.cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^## +(.+?) *$", cell.source, flags=re.MULTILINE)
            found += [{"text": heading, "anchor": heading.replace(" ", "-")} for heading in headings]
        for output in cell.get("outputs", []):
            made = re.findall(r'<h2 id="([^"]+)">([^<]+)<', output.get("data", {}).get("text/html", ""))
            found += [{"text": unescape(heading), "anchor": anchor} for anchor, heading in made]
    return found


def _pages(pages: Sequence[VariantResult], current: VariantResult | None) -> list[PageLink]:
    """The pages of a run, seen from one of them (None: the comparison)."""
    up = "../" if current else ""
    links = [PageLink(page.variant, f"{up}{page.variant}/index.html", page is current) for page in pages]
    return [PageLink("Comparison", f"{up}index.html", current is None), *links]


def _run_files(run_directory: Path) -> list[PageLink]:
    names = ["results.json", *csv_names(), MATRIX_FILE, CONFORMANCE_CSV, "compare.ipynb"]
    return [PageLink(name, name) for name in names if (run_directory / name).exists()]


def _variant_files(directory: Path) -> list[PageLink]:
    """The files beside a variant's page, the logs of failed boots included."""
    names = [name for name in (RESULT_FILE, "lock.json", CHANGED_FILES, "variant.ipynb") if (directory / name).exists()]
    logs = sorted(path.name for pattern in ("console-*.log", "guest-*.log") for path in directory.glob(pattern))
    return [PageLink(name, name) for name in (*names, *logs)]
