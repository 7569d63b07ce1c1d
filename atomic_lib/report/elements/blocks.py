"""Texts that render in notebooks and pages: paragraphs, lists, sections, failures."""

from dataclasses import dataclass
from html import escape
from typing import Protocol

from atomic_lib.report.elements.values import slug


class Shown(Protocol):
    """Anything that a notebook shows as HTML."""

    def _repr_html_(self) -> str: ...


@dataclass(frozen=True)
class Opening:
    """The beginning of a page: what was measured and when, the title, and what a reader must know first."""

    line: str
    title: str
    notice: str = ""

    def _repr_html_(self) -> str:
        notice = f'<p class="notice">{escape(self.notice)}</p>' if self.notice else ""
        return f'<p class="line">{escape(self.line)}</p><h1>{escape(self.title)}</h1>{notice}'


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of text."""

    text: str

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.text)}</p>"


@dataclass(frozen=True)
class Details:
    """Something long, folded away below its summary."""

    summary: str
    content: Shown

    def _repr_html_(self) -> str:
        return f'<details class="fold"><summary>{escape(self.summary)}</summary>{self.content._repr_html_()}</details>'


@dataclass(frozen=True)
class Stack:
    """Several things, one below the other."""

    parts: tuple[Shown, ...]

    def _repr_html_(self) -> str:
        return "".join(part._repr_html_() for part in self.parts)


@dataclass(frozen=True)
class Section:
    """Parts below a heading of their own; without parts there is no heading either."""

    heading: str
    text: str
    parts: tuple[Shown, ...]

    def _repr_html_(self) -> str:
        if not self.parts:
            return ""
        name = slug(self.heading)
        heading = f'<h2 id="{name}">{escape(self.heading)}{anchor_link(name)}</h2>'
        text = f"<p>{escape(self.text)}</p>" if self.text else ""
        return heading + text + "".join(part._repr_html_() for part in self.parts)


@dataclass(frozen=True)
class Sentences:
    """A list of sentences, each with a bold beginning."""

    items: tuple[tuple[str, str], ...]

    def _repr_html_(self) -> str:
        lines = (f"<li><strong>{escape(head)}</strong> {escape(text)}</li>" for head, text in self.items)
        return f'<ul class="conclusions">{"".join(lines)}</ul>'

    def __repr__(self) -> str:
        return "\n".join(f"{head} {text}" for head, text in self.items)


@dataclass(frozen=True)
class Alert:
    """A failure: heading, cause, next step, the log folded away, links to more."""

    heading: str
    message: str
    hint: str = ""
    log: str = ""
    links: tuple[tuple[str, str], ...] = ()

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>✗ {escape(self.heading)}</strong></p><pre>{escape(self.message)}</pre>"]
        if self.hint:
            parts.append(f"<p>Next step: {escape(self.hint)}</p>")
        if self.log:
            parts.append(
                f"<details open><summary>Last lines of the log</summary><pre>{escape(self.log)}</pre></details>"
            )
        if self.links:
            links = ", ".join(f'<a href="{escape(path)}">{escape(text)}</a>' for text, path in self.links)
            parts.append(f"<p>More: {links}</p>")
        return f'<div class="alert" role="alert">{"".join(parts)}</div>'


def empty(text: str) -> str:
    """A sentence in place of something that was not measured; pages leave it out."""
    return f'<div class="empty"><p>{escape(text)}</p></div>'


def how_measured(text: str) -> str:
    """The unit, n, interval and method of a figure, folded away; nothing for an empty text."""
    return f'<details class="how"><summary>How measured</summary><p>{escape(text)}</p></details>' if text else ""


def anchor_link(name: str) -> str:
    """The link of a heading or caption to itself."""
    return f'<a class="anchor-link" href="#{name}" aria-label="link to this part">#</a>'
