"""Parts of a page as Markdown."""

from pathlib import Path

import pytest

from atomic_lib.report.elements.blocks import Alert, Details, Opening, Paragraph, Section, Sentences, Stack
from atomic_lib.report.elements.cells import Cell, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.release_notes.notes_markdown import markdown, write_notes

TABLE = Table("Sizes", ("", "bytes"), ((Cell("a|b", "note"), number(2_000_000, "bytes")),))


def test_each_part_has_its_form() -> None:
    parts = (
        Opening("today", "Title", "Beware"),
        Section("Head", "Text.", (Paragraph("one\ntwo"), Sentences((("Bold:", "said"),)))),
        Stack((Details("More", TABLE),)),
        Section("Empty", "Text.", ()),
    )
    assert markdown(parts) == (
        "# Title\n\ntoday\n\n**Beware**\n\n## Head\n\nText.\n\none two\n\n- **Bold:** said\n\n"
        "More:\n\nSizes:\n\n|   | bytes |\n| --- | ---: |\n| a\\|b (note) | 2.0 MB |\n"
    )


def test_a_table_without_rows_is_its_sentence() -> None:
    assert markdown([Table("Files", ("", ""), (), empty="None.")]) == "None.\n"


def test_a_part_without_a_form_is_an_error() -> None:
    with pytest.raises(TypeError, match="Alert"):
        markdown([Alert("a", "b")])


def test_the_notes_are_a_file_beside_the_result(tmp_path: Path) -> None:
    write_notes([Paragraph("text")], tmp_path)
    assert (tmp_path / "release-notes.md").read_text() == "text\n"
