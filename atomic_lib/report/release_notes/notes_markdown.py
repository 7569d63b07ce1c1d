"""What a page is made of, as Markdown that reads as plain text too."""

from collections.abc import Iterable
from pathlib import Path

from atomic_lib.base.files import write_text
from atomic_lib.report.elements.blocks import Details, Opening, Paragraph, Section, Sentences, Shown, Stack
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import NBSP
from atomic_lib.report.release_notes.notes import NOTES_MARKDOWN
from atomic_lib.report.text.summary import markdown_text


def markdown(parts: Iterable[Shown]) -> str:
    """The parts, one below the other. Texts of foreign recipes and packages stay text.

    Raises TypeError for a part that has no form in Markdown, such as a picture.
    """
    return "\n\n".join(text for part in parts if (text := _block(part))).replace(NBSP, " ") + "\n"


def _block(part: Shown) -> str:
    match part:
        case Opening(line, title, notice):
            return "\n\n".join(
                filter(None, [f"# {plain(title)}", plain(line), f"**{plain(notice)}**" if notice else ""])
            )
        case Paragraph(text):
            return plain(text)
        case Sentences(items):
            return "\n".join(f"- **{plain(head)}** {plain(text)}" for head, text in items)
        case Section(heading, text, parts):
            below = markdown([Paragraph(text), *parts]).strip()
            return f"## {plain(heading)}\n\n{below}" if parts else ""
        case Details(summary, content):
            return f"{plain(summary)}:\n\n{_block(content)}"
        case Stack(parts):
            return markdown(parts).rstrip()
        case Table():
            return _table(part)
    raise TypeError(f"no Markdown for {type(part).__name__}")


def _table(table: Table) -> str:
    if not table.rows:
        return plain(table.empty)
    rows = [[title or " " for title in map(plain, table.header)]]
    rows += [[plain(f"{cell.text} ({cell.note})" if cell.note else cell.text) for cell in row] for row in table.rows]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    ends = [any(row[place].kind == "number" for row in table.rows) for place in range(len(table.header))]
    rule = f"|{'|'.join(' ---: ' if end else ' --- ' for end in ends)}|"
    return "\n".join([f"{plain(table.caption)}:", "", lines[0], rule, *lines[1:]])


def plain(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, one line."""
    return markdown_text(" ".join(text.split()))


def write_notes(parts: Iterable[Shown], directory: Path) -> None:
    """Write the parts as ``release-notes.md``."""
    write_text(directory / NOTES_MARKDOWN, markdown(parts))
