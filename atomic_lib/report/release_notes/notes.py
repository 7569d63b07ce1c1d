"""The release notes of one image, as a page and as Markdown: what it is, what is in it, what changed, what is not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.report.elements.blocks import Opening, Paragraph, Section, Sentences, Shown, Stack
from atomic_lib.report.elements.cells import Cell, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import plural, quantity
from atomic_lib.report.release_notes.build_differences import differences, listed
from atomic_lib.report.release_notes.objectives import Objective, objectives
from atomic_lib.report.tables.build_contents.guard_tables import GUARD_TITLES
from atomic_lib.report.text.boot_words import failed_boot_words
from atomic_lib.report.text.content_words import content_and_date, day, standin_notice
from atomic_lib.results.equality_record import EqualityRecord, equality_of
from atomic_lib.results.result_files import read_study_result
from atomic_lib.results.runs import finished_runs
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import LOCK_FILE, Lock, read_lock

NOTES_MARKDOWN, NOTES_PAGE, NOTES_NOTEBOOK = "release-notes.md", "release-notes.html", "release-notes.ipynb"
_RUNS_NAMED = 5


@dataclass(frozen=True)
class Earlier:
    """The build that the notes compare with, and the locks of both builds, the earlier one's first."""

    study: StudyResult
    result: VariantResult
    locks: tuple[Lock, Lock]


@dataclass(frozen=True)
class ReleaseNotes:
    """All that the notes of a variant say; each property is a part of the page, and renders in a notebook."""

    study: StudyResult
    result: VariantResult
    equality: EqualityRecord | None
    earlier: Earlier | None

    @property
    def opening(self) -> Opening:
        """Content and date, the variant, and with stand-in content that the figures are not Fedora's."""
        own = self.study.model_copy(update={"variants": (self.result,)})
        return Opening(content_and_date(own), f"Release notes of {self.result.variant}", standin_notice(own))

    @property
    def image(self) -> Section:
        """What was built: its checksums and sizes."""
        text = self.result.description.rstrip(".")
        return Section("What it is", f"{text}." if text else "", (_identity(self),))

    @property
    def objectives(self) -> Section:
        """What the Change page asked for, and what of it this build has."""
        found = objectives(self.result, self.equality)
        counts = Counter(one.answer for one in found)
        text = (
            f"Each answer is a measurement of this build: {counts['yes']} yes, {counts['no']} no, "
            f"{counts['not measured']} not measured. What was not measured is not promised."
        )
        return Section("Objectives of the Change", text, (_objectives_table(found),))

    @property
    def changes(self) -> Section:
        """What changed since the earlier run."""
        if self.earlier is None:
            return Section("Changes", "", (Paragraph("These notes compare with no earlier run."),))
        text = f"Compared with the run {self.earlier.study.run}, {day(self.earlier.study.created)}."
        parts = differences(self.earlier.result, self.result, self.earlier.locks)
        return Section("Changes", text, parts)

    @property
    def limits(self) -> Section:
        """What is known not to be right, not to be tested, or to be allowed."""
        return Section("Known limits", "", (Sentences(tuple(_limits(self.result))),))

    @property
    def parts(self) -> tuple[Shown, ...]:
        """The whole page."""
        return (self.opening, self.image, self.objectives, self.changes, self.limits)

    def _repr_html_(self) -> str:
        return Stack(self.parts)._repr_html_()


def read_notes(run_directory: Path, variant: str, since: str, build: Path) -> ReleaseNotes:
    """The notes of a variant of a finished run. ``since``: the name of an earlier run; empty: compare with none.

    Raises WorkbookError if a run or the variant in it is not there, or the variant's build failed or is not finished.
    """
    study = read_study_result(run_directory)
    result = _built(study, variant)
    earlier = None
    if since:
        before = _earlier_run(run_directory.resolve(), since)
        old = read_study_result(before)
        locks = read_lock(before / variant / LOCK_FILE), read_lock(run_directory / variant / LOCK_FILE)
        earlier = Earlier(old, _built(old, variant), locks)
    return ReleaseNotes(study, result, equality_of(build, result), earlier)


def _built(study: StudyResult, variant: str) -> VariantResult:
    result = study.variant(variant)
    if result is None:
        names = ", ".join(one.variant for one in study.variants)
        raise WorkbookError(f"run {study.run}: no variant {variant!r}", hint=f"it has: {names}")
    if result.error or result.status != "ok":
        what = f"failed at {result.error.stage}" if result.error else "is not finished"
        raise WorkbookError(
            f"run {study.run}: {variant} {what}: there is nothing to release", hint="name another run: --run RUN"
        )
    return result


def _earlier_run(own: Path, since: str) -> Path:
    """The directory of a run beside this one, by its name."""
    others = sorted(path.name for path in finished_runs(own.parent) if path.name != own.name)
    if since not in others:
        known = ", ".join(reversed(others[-_RUNS_NAMED:])) or "there is none"
        raise WorkbookError(f"--since {since}: no such other run in {own.parent.name}", hint=f"the newest: {known}")
    return own.parent / since


def _identity(notes: ReleaseNotes) -> Table:
    result = notes.result
    sizes = {
        "tree": result.tree_bytes, "image, compressed (qcow2)": result.image_compressed_bytes,
        "image, allocated": result.image_allocated_bytes, "download (RPMs)": result.download_bytes,
    }  # fmt: skip
    texts = {
        "content": result.content_summary.title if result.content_summary else result.content,
        "recipe": result.recipe,
        "version": result.version or "",
        "ostree commit": result.commit or ("none: traditional" if result.method == "traditional" else ""),
        "sha256 of disk.qcow2": result.image_compressed_sha256 or "",
        "sha256 of disk.raw": result.image_sha256 or "",
        "lock": result.lock_sha256 or "",
        "packages": "" if result.package_count is None else f"{result.package_count:,}",
        **{
            title: "" if size is None else f"{quantity(size, 'bytes')} ({size:,} bytes)"
            for title, size in sizes.items()
        },
        "reproduced": _reproduced(result),
        "run": notes.study.run,
        "revision of the workbook": str(result.provenance.get("git_revision") or ""),
    }
    rows = tuple((Cell(title), Cell(text or "not measured", kind="text" if text else "missing"))
                 for title, text in texts.items())  # fmt: skip
    return Table("The build", ("", result.variant), rows, fixed=True)


def _reproduced(result: VariantResult) -> str:
    found = result.verified
    if found is None:
        return ""
    said = "the same bits" if found.same else "other bits"
    return f"{said} in a second build, {plural(found.differing_conditions, 'condition')} of the host changed"


def _objectives_table(found: tuple[Objective, ...]) -> Table:
    cells = {
        "yes": verdict(True, "yes"),
        "no": verdict(False, "no"),
        "not measured": Cell("not measured", kind="missing"),
    }
    rows = tuple((Cell(one.title), cells[one.answer], Cell(one.evidence)) for one in found)
    return Table("Objectives", ("objective", "in the image", "evidence"), rows, fixed=True)


def _limits(result: VariantResult) -> Iterator[tuple[str, str]]:
    content = result.content_summary
    if content is None or content.standin:
        yield "Stand-in content.", "The packages are Debian's, under Fedora's names where a recipe uses them."
    yield "How it was composed.", _composed(result)
    for note in result.notes:
        yield "Recipe and tree.", f"{note.rstrip('.')}."
    yield from _label_limits(result)
    yield from _guard_limits(result)
    if words := failed_boot_words(result):
        yield "Boots that failed.", f"{words[:1].upper()}{words[1:]}."
    if not (result.boots or result.counted_boots):
        yield "Not booted.", "Nothing here shows that the image starts."
    elif any(boot.accelerator == "tcg" for boot in result.boots):
        yield "Times.", "QEMU emulated the processor (TCG): its times say nothing about real hardware."
    yield "Architecture.", "Only x86-64 was built."


def _composed(result: VariantResult) -> str:
    if result.method == "traditional":
        return "dnf installed the packages; Anaconda was not run."
    if result.download_bytes is None:  # the packages are those of a commit
        return "The commit was pulled from an ostree remote; only the image was made here."
    return "dnf installed the packages and ostree made the commit; rpm-ostree was not run."


def _label_limits(result: VariantResult) -> Iterator[tuple[str, str]]:
    labels = result.labels
    if labels is None:
        return
    if labels.wrong:
        paths = [f"{one.path} ({one.label or 'no label'}, not {one.wanted})" for one in labels.wrong]
        yield "Wrong labels.", f"{plural(labels.wrong_paths, 'path')}: {listed(paths)}."
    for one in labels.explained:
        where = f"{plural(one.paths, 'path')}, such as {one.example}"
        yield "Label with a reason.", f"{where}: {one.reason.rstrip('.')}."


def _guard_limits(result: VariantResult) -> Iterator[tuple[str, str]]:
    """What the guards of the image found: without a reason first; the rest by its reason."""
    for guard in result.guards or ():
        name = GUARD_TITLES[guard.guard].capitalize()
        if guard.unexplained:
            found = [f"{one.found} ({one.detail})" for one in guard.findings if not one.reason]
            yield f"{name} without a reason.", f"{guard.unexplained:,}: {listed(found)}."
        for reason in dict.fromkeys(one.reason for one in guard.findings if one.reason):
            places = [one.found for one in guard.findings if one.reason == reason]
            yield f"{name}, allowed.", f"{listed(list(dict.fromkeys(places)))}: {reason.rstrip('.')}."
