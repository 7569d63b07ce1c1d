"""What changed since the previous build of a variant: the tables of its page, a line for each variant of a study."""

from collections.abc import Sequence

from atomic_lib.measure.build_changes import CHANGED_FILES, Change, ChangedFiles
from atomic_lib.report.elements.blocks import Details, Paragraph, Sentences, Shown, Stack
from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import MINUS, NBSP, plural, signed, slug
from atomic_lib.report.tables.equality_tables import clipped, packages_changed_table
from atomic_lib.report.text import methods
from atomic_lib.report.text.content_words import moment
from atomic_lib.results.build_result import Release
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

FEW_BYTES = 1000
NO_PREVIOUS = "no previous build in build/runs"
_HOW = f"{methods.FILE_SYSTEMS} Bytes are those of the content, counted for each path."


def release(result: VariantResult) -> Stack:
    """Everything that changed since the previous build, or one sentence where there is none."""
    found = result.release
    if found is None:
        return Stack((Paragraph(f"{result.variant}: {NO_PREVIOUS}, so there is nothing to compare with."),))
    parts: list[Shown] = [
        Paragraph(f"Compared with the run {found.run}, made {moment(found.made)} UTC: {_summary(found)}.")
    ]
    if found.inputs:
        parts.append(_inputs_table(found.inputs))
    parts.append(packages_changed_table(found.packages))
    if found.files is None:
        parts.append(Paragraph(f"Files are not compared: {found.files_reason}."))
    else:
        parts.append(files_changed_table(found.files))
        parts += [Details(f"Paths: {one.change} ({one.paths:,})", paths_changed_table(one)) for one in found.files]
    return Stack(tuple(parts))


def releases(study: StudyResult) -> Sentences:
    """One line for each variant of a study."""
    return Sentences(tuple((f"{result.variant}:", _line(result)) for result in study.variants))


def files_changed_table(files: Sequence[ChangedFiles]) -> Table:
    """How many paths were added, removed, grown, shrunk or otherwise changed, and by how many bytes."""
    rows = tuple(
        (
            Cell(one.change),
            number(one.paths, "count"),
            Cell(_grown(one.bytes), kind="number", value=one.bytes),
            Cell(one.largest[0].path if one.largest else ""),
        )
        for one in files
    )
    records = tuple(one.model_dump(exclude={"largest"}) for one in files)
    return Table(
        f"Files: {plural(_paths(files), 'path')} changed", ("change", "paths", "bytes", "largest path"), rows, records,
        (), _HOW, CHANGED_FILES, empty="The file systems are equal in everything.", fixed=True,
    )  # fmt: skip


def paths_changed_table(files: ChangedFiles) -> Table:
    """The largest paths with one kind of change, and what differs of each."""
    rows = tuple(
        (Cell(one.path), Cell(_grown(one.bytes), kind="number", value=one.bytes), Cell(clipped(one.what)))
        for one in files.largest
    )
    more = files.paths - len(files.largest)
    notes = (f"and {more:,} more, all in {CHANGED_FILES}",) if more else ()
    records = tuple(one.model_dump() for one in files.largest)
    caption = f"{files.change.capitalize()}: {plural(files.paths, 'path')}"
    return Table(caption, ("path", "bytes", "difference"), rows, records, notes, anchor=slug(f"files {files.change}"))


def _inputs_table(inputs: Sequence[Change]) -> Table:
    rows = tuple((Cell(one.name), _value(one.before), _value(one.after)) for one in inputs)
    records = tuple(one.model_dump() for one in inputs)
    return Table("Changed inputs", ("", "before", "after"), rows, records, fixed=True)


def _line(result: VariantResult) -> str:
    if result.error and result.release is None:
        return f"not compared, failed at the stage {result.error.stage}."
    return f"since {result.release.run}: {_summary(result.release)}." if result.release else f"{NO_PREVIOUS}."


def _summary(found: Release) -> str:
    packages = f"{plural(len(found.packages), 'package')} changed" if found.packages else "the same packages"
    files = "files not compared"
    if found.files is not None:
        size = _grown(sum(one.bytes for one in found.files))
        files = f"{plural(_paths(found.files), 'path')}, {size}" if found.files else "no path changed"
    inputs = f"; also changed: {', '.join(one.name for one in found.inputs)}" if found.inputs else ""
    return f"{packages}, {files}{inputs}"


def _paths(files: Sequence[ChangedFiles]) -> int:
    return sum(one.paths for one in files)


def _grown(size_bytes: int) -> str:
    """A change in bytes; fewer than FEW_BYTES are written as such, not as 0.0 kB."""
    few = 0 < abs(size_bytes) < FEW_BYTES
    return f"{size_bytes:+}{NBSP}bytes".replace("-", MINUS) if few else signed(size_bytes, "bytes")


def _value(text: str) -> Cell:
    return Cell(text) if text else missing("none")
