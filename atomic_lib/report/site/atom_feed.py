"""The Atom feed of a site, RFC 4287: an entry for each of the newest runs, with its summary."""

import uuid
from collections.abc import Sequence
from html import escape
from xml.etree import ElementTree

from atomic_lib.report.site.site_directory import NextSite
from atomic_lib.report.site.site_pages import FEED, FRONT, SiteContent, run_page
from atomic_lib.report.site.site_runs import RecordedRun
from atomic_lib.report.text.content_words import day
from atomic_lib.report.text.summary import SUMMARY_FILE

ENTRIES = 50
"""So many runs are in the feed: a reader that asks once a day misses none."""
_ATOM = "http://www.w3.org/2005/Atom"


def write_feed(content: SiteContent) -> None:
    """Write the feed; its links are relative to it."""
    runs = content.runs[:ENTRIES]
    title = " · ".join(dict.fromkeys(run.title.rstrip(".") for run in runs)) or "Runs"
    feed = ElementTree.Element("feed", {"xmlns": _ATOM})
    # the oldest run stays what it is, and another site has another one
    _texts(
        feed,
        id=_identity("feed", *(run.run for run in content.runs[-1:])),
        title=title,
        subtitle=content.notice(content.variants),
    )
    _texts(feed, updated=runs[0].created if runs else "1970-01-01T00:00:00+00:00")
    ElementTree.SubElement(ElementTree.SubElement(feed, "author"), "name").text = "Atomic workbook"
    ElementTree.SubElement(feed, "link", {"rel": "self", "href": FEED})
    ElementTree.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": FRONT})
    for run in runs:
        _add_entry(feed, run, content.site)
    ElementTree.indent(feed, " ")
    content.site.write(FEED, '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(feed, "unicode") + "\n")


def _add_entry(feed: ElementTree.Element, run: RecordedRun, site: NextSite) -> None:
    entry = ElementTree.SubElement(feed, "entry")
    failed = f" — {run.verdict}" if run.verdict else ""
    title = f"{run.title.rstrip('.')}, {day(run.created)}{failed}"
    _texts(entry, id=_identity(run.run), title=title, updated=run.created)
    page = run_page(run.run)
    ElementTree.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": page})
    file = site.root / page.replace("index.html", SUMMARY_FILE)
    summary = file.read_text(encoding="utf-8").rpartition("\nPage: ")[0] if file.is_file() else title
    told = f"{_verdict(run)}{summary}".strip()
    content = ElementTree.SubElement(entry, "content", {"type": "html"})
    content.text = f"<pre>{escape(told)}</pre>"


def _verdict(run: RecordedRun) -> str:
    return f"✗ {run.verdict}\n\n" if run.verdict else ""


def _texts(parent: ElementTree.Element, **texts: str) -> None:
    for name, text in texts.items():
        if text:
            # what XML cannot hold: https://www.w3.org/TR/xml/#charsets
            ElementTree.SubElement(parent, name).text = "".join(one for one in text if one.isprintable())


def _identity(*names: str | Sequence[str]) -> str:
    """A name that never changes and says nothing of a host: a UUID of the names."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, 'atomic-workbook ' + ' '.join(map(str, names)))}"
