"""An executed notebook as the pages that it is published as: without what was not measured."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING

from atomic_lib.report.elements.values import slug
from atomic_lib.results.runs import INDEX_FILE

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOK_ONLY = "remove-cell"
"""The tag of a cell that pages leave out, as other tools call it too."""
_EMPTY = re.compile(r'<div class="empty">.*?</div>', re.DOTALL)
_EMPTY_FOLD = re.compile(r'<details class="fold"><summary>[^<]*</summary></details>')


@dataclass(frozen=True)
class PageCells:
    """The cells of one page. ``title``: its first-level heading; empty for the page that the notebook begins with."""

    title: str
    cells: "tuple[NotebookNode, ...]"

    @property
    def file(self) -> str:
        """The name of the page's file."""
        return f"{slug(self.title)}.html" if self.title else INDEX_FILE


def split_pages(cells: "Sequence[NotebookNode]") -> tuple[PageCells, ...]:
    """The cells by page: each first-level heading after the notebook's own begins one. Empty pages are left out."""
    groups = list(_groups(published(cells), "# "))
    pages = [
        PageCells(_title(group[0]) if place else "", tuple(without_empty(group))) for place, group in enumerate(groups)
    ]
    return tuple(page for page in pages if not page.title or any(cell.get("outputs") for cell in page.cells))


def published(cells: "Sequence[NotebookNode]") -> "list[NotebookNode]":
    """The cells without those that only the notebook shows."""
    return [cell for cell in cells if NOTEBOOK_ONLY not in cell.metadata.get("tags", [])]


def without_empty(cells: "Sequence[NotebookNode]") -> "list[NotebookNode]":
    """The cells without the sections in which nothing was measured, and what is empty in the others."""
    kept: list[NotebookNode] = []
    for cell in cells:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = _EMPTY_FOLD.sub("", _EMPTY.sub("", "".join(output.data["text/html"])))
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("data", {}).get("text/html") != ""]
    for section in _groups(cells, "## "):
        code = [cell for cell in section if cell.cell_type == "code"]
        if not (code and section[0].source.startswith("## ")) or any(cell.outputs for cell in code):
            kept += section
    return kept


def headings(cells: "Sequence[NotebookNode]") -> list[dict[str, str]]:
    """The second-level headings, with the anchors that nbconvert or the library gave them, in the page's order."""
    found = []
    for cell in cells:
        if cell.cell_type == "markdown":
            texts = re.findall(r"^## +(.+?) *$", cell.source, flags=re.MULTILINE)
            found += [{"text": text, "anchor": text.replace(" ", "-")} for text in texts]
        for output in cell.get("outputs", []):
            made = re.findall(r'<h2 id="([^"]+)">([^<]+)<', output.get("data", {}).get("text/html", ""))
            found += [{"text": unescape(text), "anchor": anchor} for anchor, text in made]
    return found


def _groups(cells: "Sequence[NotebookNode]", mark: str) -> "Iterator[list[NotebookNode]]":
    """The cells, cut before each text that begins with ``mark``."""
    group: list[NotebookNode] = []
    for cell in cells:
        if group and cell.cell_type == "markdown" and cell.source.startswith(mark):
            yield group
            group = []
        group.append(cell)
    if group:
        yield group


def _title(cell: "NotebookNode") -> str:
    return str(cell.source.partition("\n")[0].lstrip("# ").strip())
