"""Whether a rebuild gave the same bits, as it is shown: verified, differs, or not verified; never assumed."""

from atomic_lib.results.metrics import missing_reason
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.report.page.elements import Cell, missing, verdict

TITLE = "the same when rebuilt"


def verified_cell(result: VariantResult) -> Cell:
    """What ``./workbook verify`` found of this image, its checksums folded away."""
    if result.image_sha256 is None:
        return missing(missing_reason(result))
    found = result.verified
    if found is None:
        return Cell("not verified", f"./workbook verify {result.variant}", "missing")
    pairs = [f"{name}: build A {one}, build B {other}" for name, (one, other) in found.checksums.items()]
    checksums = "; ".join([*pairs, f"this image: {result.image_sha256}"])
    apart = sum(one != other for one, other in found.conditions.values())
    when = f"{found.when[:10]}, two builds from scratch, {apart} conditions apart"
    text = "verified" if found.same else "differs"
    cell = verdict(found.same, text, when)
    return Cell(cell.text, cell.note, cell.kind, more=checksums)
