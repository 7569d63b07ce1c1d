"""A notebook as pages: cut at its first-level headings, without what was not measured."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from atomic_lib.report.elements.blocks import Details, Stack
from atomic_lib.report.elements.table import Table
from atomic_lib.report.page.sections import headings, published, split_pages, without_empty

EMPTY = Table("Boots", ("", "a"), ())


def shows(html: str):  # type: ignore[no-untyped-def]
    output = new_output("execute_result", {"text/html": html})  # type: ignore[no-untyped-call]
    return new_code_cell("x", outputs=[output])  # type: ignore[no-untyped-call]


def says(text: str, *tags: str):  # type: ignore[no-untyped-def]
    return new_markdown_cell(text, metadata={"tags": list(tags)})  # type: ignore[no-untyped-call]


def test_each_first_level_heading_begins_a_page() -> None:
    cells = [says("# Notebook", "remove-cell"), shows("one"), says("# Where bytes go\n\ntext"), shows("two")]
    pages = split_pages(cells)
    assert [(page.title, page.file) for page in pages] == [
        ("", "index.html"),
        ("Where bytes go", "where-bytes-go.html"),
    ]
    assert [len(page.cells) for page in pages] == [1, 2]


def test_a_page_and_a_section_in_which_nothing_was_measured_are_left_out() -> None:
    empty = EMPTY._repr_html_()
    folded = Stack((Details("More", EMPTY),))._repr_html_()
    cells = [shows("one"), says("## Images"), shows(empty), says("## Trees"), shows(empty + "<p>two</p>"),
             says("# Boots"), says("## Times"), shows(folded), shows("")]  # fmt: skip
    (page,) = split_pages(cells)
    assert [cell.source for cell in page.cells if cell.cell_type == "markdown"] == ["## Trees"]
    assert [cell.outputs[0].data["text/html"] for cell in page.cells if cell.cell_type == "code"] == [
        "one",
        "<p>two</p>",
    ]


def test_texts_and_errors_of_a_notebook_that_ended_early_stay() -> None:
    failed = new_code_cell("x", outputs=[new_output("error", ename="E", evalue="no", traceback=["E: no"])])  # type: ignore[no-untyped-call]
    unexecuted = new_code_cell("y")  # type: ignore[no-untyped-call]
    cells = [says("# Variant\n\ntext"), failed, says("## Later"), unexecuted]
    assert without_empty(cells) == [cells[0], failed]


def test_headings_of_texts_and_of_the_library_are_linked() -> None:
    cells = [says("## In the text"), shows('<h2 id="made">Made &amp; shown<a href="#made">#</a></h2>')]
    assert headings(cells) == [{"text": "In the text", "anchor": "In-the-text"},
                               {"text": "Made & shown", "anchor": "made"}]  # fmt: skip


def test_what_only_the_notebook_shows_is_not_published() -> None:
    cells = [says("# Notebook", "remove-cell"), shows("one"), says("text")]
    assert published(cells) == cells[1:]
