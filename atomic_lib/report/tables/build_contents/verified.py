"""Whether a rebuild gave the same bits: verified, differs, or not verified; never assumed."""

from atomic_lib.report.elements.cells import Cell, missing, verdict
from atomic_lib.results.analysis.metrics import missing_reason
from atomic_lib.results.variant_result import VariantResult

TITLE = "reproducible"


def verified_cell(result: VariantResult) -> Cell:
    """What ``./workbook verify`` found of this image, its checksums folded away."""
    if result.image_sha256 is None:
        return missing(missing_reason(result))
    found = result.verified
    if found is None:
        return Cell("not verified", f"./workbook verify {result.variant}", "missing")
    builds = [f"{name}: build A {one}, build B {other}" for name, (one, other) in found.checksums.items()]
    checksums = "; ".join([*builds, f"this image: {result.image_sha256}"])
    when = f"{found.when[:10]}, two builds from scratch under {found.differing_conditions} different conditions"
    text = "verified" if found.same else "differs"
    cell = verdict(found.same, text, when)
    return Cell(cell.text, cell.note, cell.kind, more=checksums)
