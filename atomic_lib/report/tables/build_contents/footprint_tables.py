"""Tables of where the bytes are: by class, by part of the image, by directory."""

from collections.abc import Mapping, Sequence

from atomic_lib.measure.classes import default_class_rules
from atomic_lib.report.elements.cells import Cell, missing, number
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import delta
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.metrics import missing_reason
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_Sizes = Mapping[str, Mapping[str, int]]


def footprint(study: StudyResult) -> Table:
    """The tree of every variant by class, with the difference from the baseline."""
    sizes = {r.variant: {size.class_: size.bytes for size in r.classes} for r in study.variants if r.classes}
    return _by_part(study, sizes, "The tree by class", "class", "whole tree", methods.TREE, "footprint_by_class.csv")


def image_parts(study: StudyResult, *, compressed: bool = False) -> Table:
    """The allocated bytes of every raw image by part, or those of the compressed qcow2."""
    field = "qcow2_bytes" if compressed else "image_bytes"
    sizes = {r.variant: {p.part: getattr(p, field) for p in r.image_parts} for r in study.variants if r.image_parts}
    caption = "The compressed image by part" if compressed else "The image by part"
    return _by_part(study, sizes, caption, "part", "whole image", methods.IMAGE, "image_parts.csv")


def directories(study: StudyResult) -> Table:
    """The bytes at or below each directory."""
    sizes = {r.variant: {d.path: d.bytes for d in r.directories} for r in study.variants if r.directories}
    paths = sorted({path for of in sizes.values() for path in of}, key=lambda path: _path_order(path, sizes))
    rows = tuple((Cell(path), *(_cell(study, result, sizes, (path,)) for result in study.variants)) for path in paths)
    note = "A directory counts all files at or below it, so rows overlap and do not add up."
    header = ("directory", *(result.variant for result in study.variants))
    return Table(
        "The tree by directory", header, rows, _records(sizes, "path"), (note,), methods.TREE, "directories.csv"
    )


def _by_part(study: StudyResult, sizes: _Sizes, caption: str, kind: str, whole: str, how: str, csv: str) -> Table:
    """One row per part, and the sums in the last row."""
    rules = default_class_rules()
    names = sorted({name for of in sizes.values() for name in of}, key=rules.order_of)
    wanted = [*((rules.title_of(name), [name]) for name in names), (whole, names)]
    rows = tuple(
        (Cell(title), *(_cell(study, result, sizes, parts) for result in study.variants)) for title, parts in wanted
    )
    header = (kind, *(_heading(study, result) for result in study.variants))
    return Table(caption, header, rows if names else (), _records(sizes, kind), (), how, csv, feet=1)


def _cell(study: StudyResult, result: VariantResult, sizes: _Sizes, parts: Sequence[str]) -> Cell:
    """The bytes of some parts together; a part that does not exist has 0 bytes."""
    if result.variant not in sizes:
        return missing(missing_reason(result))
    known = [name for name in (result.variant, study.baseline) if name in sizes]
    value, *base = (sum(sizes[name].get(part, 0) for part in parts) for name in known)
    compared = base and result.variant != study.baseline
    return number(value, "bytes", note=delta(value, base[0], "bytes") if compared else "")


def _heading(study: StudyResult, result: VariantResult) -> str:
    return f"{result.variant} (baseline)" if result.variant == study.baseline else result.variant


def _records(sizes: _Sizes, kind: str) -> tuple[dict[str, object], ...]:
    return tuple({"variant": v, kind: name, "bytes": size} for v, of in sizes.items() for name, size in of.items())


def _path_order(path: str, sizes: _Sizes) -> tuple[int, str]:
    return (-max(of.get(path, 0) for of in sizes.values()), path)
