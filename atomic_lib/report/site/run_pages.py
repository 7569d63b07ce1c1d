"""The pages of runs: those that the run made, with the links of the site, and what it offers for download."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.scrub import scrubber
from atomic_lib.base.store import Store, file_sha256
from atomic_lib.report.elements.blocks import Opening, Paragraph, Shown
from atomic_lib.report.elements.cells import Cell, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.page.export import PageLink
from atomic_lib.report.release_notes.notes import NOTES_MARKDOWN, NOTES_NOTEBOOK, NOTES_PAGE
from atomic_lib.report.site.site_directory import NextSite
from atomic_lib.report.site.site_pages import (
    RUNS,
    SiteContent,
    link,
    run_page,
    site_links,
    variant_page,
    write_page,
)
from atomic_lib.report.site.site_runs import RecordedRun
from atomic_lib.report.text.content_words import day, moment
from atomic_lib.results.result_files import RESULTS_FILE, read_study_result

CHECKSUMS, DOWNLOADS = "SHA256SUMS", "downloads.html"
_ENDINGS = frozenset({".html", ".csv", ".json", ".md", ".ipynb", ".log", ".txt"})
"""What is published of a run's directory."""
_KINDS = (
    (".cdx.json", "software bill of materials (CycloneDX)"),
    ("lock.json", "lock: the packages with versions and checksums"),
    ("results.json", "all results of the run"),
    ("result.json", "all results of the variant"),
    (".json", "data"),
    (".csv", "table; its columns are described in docs/tables.md of the workbook"),
    (NOTES_PAGE, "release notes, as a page"),
    (NOTES_MARKDOWN, "release notes"),
    (".md", "text"),
    (".ipynb", "executed notebook"),
    (".log", "log"),
    (".qcow2", "disk image"),
    ("", "text"),
)
_HEADER = re.compile(r"^<header>$", re.MULTILINE)


def add_run(content: SiteContent, run: RecordedRun, directory: Path) -> None:
    """Add a run to the site, unless it is there: a run that is published stays as it is, but gets release notes.

    ``directory``: that of the run. If it is gone, the page has the figures that the history kept.
    """
    top, site = run_page(run.run).rpartition("/")[0], content.site
    published = site.has(f"{top}/{RESULTS_FILE}")
    if not (published or (directory / RESULTS_FILE).is_file()):
        _write_recorded_page(content, run)
        return
    added = [path for path in _published_files(directory) if not published or _is_added(site, path, directory, top)]
    if published and not added:
        return
    scrubs = {data: scrubber(directory, host_name=not data) for data in (False, True)}
    for path in added:
        name = f"{top}/{path.relative_to(directory)}"
        text = scrubs[path.suffix in (".json", ".csv")](path.read_text(encoding="utf-8", errors="replace"))
        site.write(name, with_site_links(text, name, top) if path.suffix == ".html" else text)
    write_downloads(content, run)


def _is_added(site: NextSite, path: Path, directory: Path, top: str) -> bool:
    """Whether a file is of release notes that were written after the run was published."""
    notes = (NOTES_MARKDOWN, NOTES_PAGE, NOTES_NOTEBOOK)
    return path.name in notes and not site.has(f"{top}/{path.relative_to(directory)}")


def add_image(content: SiteContent, run: RecordedRun, variant: str, store: Store) -> None:
    """Add the disk image of a variant to a run's downloads; raises WorkbookError if it is damaged.

    Nothing is added if the variant has no image, or the store does not have it any more.
    """
    site, top = content.site, run_page(run.run).rpartition("/")[0]
    result = read_study_result(site.root / top).variant(variant)
    key = next((stage.key for stage in result.stages if stage.stage == "image"), "") if result else ""
    name = f"{top}/{variant}/{variant}.qcow2"
    source = store.path_of("image", key) / "disk.qcow2"
    if result is None or not key or site.has(name) or not source.is_file():
        return
    site.add(source, name)
    if file_sha256(site.root / name) != result.image_compressed_sha256:
        raise WorkbookError(f"{source}: is not the image that {run.run} measured", hint="./workbook doctor --check")


def write_downloads(content: SiteContent, run: RecordedRun) -> None:
    """Write the page of a run's downloads, and their checksums."""
    page = run_page(run.run)
    top, site = page.rpartition("/")[0], content.site
    names = [name for name in site.files(top) if name not in (CHECKSUMS, DOWNLOADS) and _is_download(name)]
    digests = {name: file_sha256(site.root / top / name) for name in names}
    site.write(f"{top}/{CHECKSUMS}", "".join(f"{digest}  {name}\n" for name, digest in digests.items()))
    rows = tuple(
        (Cell(name, link=name), Cell(_kind(name)), number((site.root / top / name).stat().st_size, "bytes"),
         Cell(digest[:12], more=digest))
        for name, digest in digests.items()
    )  # fmt: skip
    note = f"To check them: sha256sum --check {CHECKSUMS}"
    caption = f"Files of the run {run.run}"
    table = Table(caption, ("file", "what it is", "size", "SHA-256"), rows, notes=(note,), anchor="files")
    opening = Opening(f"{run.study}, {day(run.created)}", "Downloads", content.notice(run.variants))
    parts: list[Shown] = [
        opening,
        table,
        LinkLine((PageLink("The page of the run", "index.html"), PageLink(f"{CHECKSUMS}, for all files", CHECKSUMS))),
    ]
    write_page(site, f"{top}/{DOWNLOADS}", f"Downloads · {run.run}", parts)


def with_site_links(text: str, path: str, top: str) -> str:
    """A page that a run made, with the links of the site at its head; ``top``: the directory of the run."""
    links = [*site_links(path), PageLink("Downloads of this run", link(path, f"{top}/{DOWNLOADS}"))]
    shown = "\n".join(f'<a href="{escape(one.target)}">{escape(one.text)}</a>' for one in links)
    return _HEADER.sub(lambda found: f'{found[0]}\n<nav aria-label="Site" class="site">\n{shown}\n</nav>', text, 1)


def runs_table(content: SiteContent, path: str, runs: tuple[RecordedRun, ...], caption: str) -> Table:
    """Runs, the newest first."""
    rows = tuple(
        (Cell(moment(run.created), link=link(path, run_page(run.run))), Cell(run.study), run.verdict_cell(),
         Cell(", ".join(run.variants)))
        for run in runs
    )  # fmt: skip
    return Table(caption, ("run", "study", "result", "variants"), rows, anchor="list-of-runs")


def write_runs_page(content: SiteContent) -> None:
    """Write the page that lists all runs."""
    caption = f"All runs: {len(content.runs):,}, the newest first"
    parts = (Opening("", "Runs", content.notice(content.variants)),
             Paragraph("Only a run that is complete, in which no variant failed and no budget is broken, becomes the "
                       "latest of its study. All times are UTC."),
             runs_table(content, RUNS, content.runs, caption))  # fmt: skip
    write_page(content.site, RUNS, "Runs", parts)


@dataclass(frozen=True)
class LinkLine:
    """A line of links."""

    links: tuple[PageLink, ...]

    def _repr_html_(self) -> str:
        shown = (f'<a href="{escape(one.target)}">{escape(one.text)}</a>' for one in self.links)
        return f"<p>{' · '.join(shown)}</p>"


def _published_files(directory: Path) -> Iterator[Path]:
    """The files of a run that the site has: no links, no hidden files, no other kinds."""
    for path in sorted((*directory.glob("*"), *directory.glob("*/*"))):
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        linked = path.is_symlink() or path.parent.is_symlink()
        if path.suffix in _ENDINGS and path.is_file() and not (hidden or linked):
            yield path


def _write_recorded_page(content: SiteContent, run: RecordedRun) -> None:
    """The page of a run whose directory was removed before it was published."""
    rows = content.history.execute(
        "SELECT variant, figure, title, unit, value, n FROM figures JOIN builds USING (build) WHERE run = ?"
        " ORDER BY build, figure",
        (run.run,),
    ).fetchall()
    titles = {figure: (title, unit) for _, figure, title, unit, _, _ in rows}
    values = {(variant, figure): value for variant, figure, _, _, value, _ in rows}
    path = run_page(run.run)
    variants = list(dict.fromkeys(row[0] for row in rows)) or list(run.variants)
    cells = tuple(
        (Cell(title), *(number(values.get((variant, figure)), unit) for variant in variants))
        for figure, (title, unit) in titles.items()
    )
    linked = LinkLine(tuple(PageLink(variant, link(path, variant_page(variant))) for variant in run.variants))
    parts: list[Shown] = [
        Opening(f"{run.study}, {day(run.created)}", run.title.rstrip("."), content.notice(run.variants)),
        Paragraph(f"{run.verdict}." if run.verdict else "Complete."),
        Paragraph("The directory of this run was removed before it was published. The history has these figures."),
        Table("Figures", ("figure", *variants), cells),
        linked,
    ]
    write_page(content.site, path, f"{run.title} · {run.run}", parts)


def _is_download(name: str) -> bool:
    """The other pages are linked from the run's own."""
    return not name.endswith(".html") or name.endswith(f"/{NOTES_PAGE}")


def _kind(name: str) -> str:
    return next(kind for ending, kind in _KINDS if name.endswith(ending))
