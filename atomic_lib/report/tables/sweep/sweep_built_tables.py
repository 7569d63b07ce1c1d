"""The variants of a sweep that were made: predicted bytes against those installed, and image bytes against boots."""

from atomic_lib.compose.tree_access.ownership import readable
from atomic_lib.report.elements.cells import Cell, missing, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.results.sweep_result import SWEEP_FILE, BuiltVariant, SweepResult, SweepRow

_INSTALLED = (
    "Predicted: by the solver. Installed: all files of the packages, installed by the dnf of a compose. Changed: by "
    "how much scriptlets made files of packages larger, such as /etc/passwd, which no index knows. As predicted: "
    "predicted and changed together are what is installed."
)
_BOOTED = (
    "Image: what its disk takes, uncompressed. Boot: busy, under instruction counting, n = 1; it repeats. On the "
    "front: no other variant that was booted has both a smaller image and a shorter boot."
)


def composed_table(result: SweepResult) -> Table:
    """Predicted and installed bytes of each variant that was made, and why one could not be."""
    rows = [_composed(row) for row in result.rows if row.built]
    header = ("variant", "predicted", "changed by scriptlets", "installed", "as predicted")
    return Table("Predicted and installed", header, tuple(rows), (), (), _INSTALLED, SWEEP_FILE)


def booted_table(result: SweepResult) -> Table:
    """Image bytes and counted boot of each variant that was booted, the smallest image first."""
    front = {row.variant for row in result.front}
    rows = [
        (Cell(row.variant), number(image_bytes, "bytes"), number(boot_seconds, "counted"),
         Cell("yes" if row.variant in front else "no"))
        for row, (image_bytes, boot_seconds) in ((row, row.cost) for row in result.booted)
    ]  # fmt: skip
    header = ("variant", "image", "boot", "on the front")
    return Table("Image and boot", header, tuple(rows), (), (), _BOOTED, SWEEP_FILE)


def _composed(row: SweepRow) -> tuple[Cell, ...]:
    assert row.built
    reason = row.built.error or "not installed"
    surplus = row.surplus_bytes
    words = f"{surplus:+,} bytes" if surplus else ""
    return (
        Cell(row.variant),
        number(row.solved.installed_bytes, "bytes"),
        _changed(row.built),
        number(row.built.composed_bytes, "bytes", reason=reason),
        missing(reason) if surplus is None else verdict(surplus == 0, words, row.built.error),
    )


def _changed(built: BuiltVariant) -> Cell:
    size_bytes = built.changed_by_scriptlets_bytes
    if size_bytes is None:
        return missing(built.error or "not installed")
    return Cell(f"{size_bytes:+,} bytes", more=", ".join(sorted(map(readable, built.changed_bytes))), value=size_bytes)
