"""What choices would change of a variant: figures, guards, packages added and removed, the whole list."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from atomic_lib.measure.guards.predicted_guards import PredictedGuard
from atomic_lib.report.elements.cells import Cell, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import delta, plural, quantity
from atomic_lib.solve.explain.why import chain_text
from atomic_lib.solve.running_dnf.prediction import PredictedChanges, Prediction

INSTALLED_NOTE = (
    "Installed: the files of the packages, by their RPMs. What the compose makes (initramfs, RPM database, caches) and "
    "what scripts of the recipe remove is not in it."
)
_NAMED_REASONS = 5
_MARKS = {"holds": "✓ holds", "broken": "✗ broken", "open": "? open"}


def figures_table(changes: PredictedChanges) -> Table:
    """Packages, installed and download bytes: unchanged, with the choices, and the difference."""
    before, after = changes.before, changes.after
    rows = []
    for title, unit, old, new in (
        ("packages", "count", len(before.packages), len(after.packages)),
        ("installed", "bytes", before.installed_bytes, after.installed_bytes),
        ("download", "bytes", before.download_bytes, after.download_bytes),
    ):
        rows.append((title, unit, old, new))
    cells = tuple(
        (Cell(title), number(old, unit), number(new, unit), Cell(delta(new, old, unit), kind="number", value=new - old))  # type: ignore[arg-type]
        for title, unit, old, new in rows
    )
    records = tuple({"figure": title, "unit": unit, "before": old, "after": new} for title, unit, old, new in rows)
    header = ("", "unchanged", "with the choices", "difference")
    return Table("What the choices change", header, cells, records, notes=(INSTALLED_NOTE,), fixed=True)


def predicted_guards_table(guards: Sequence[PredictedGuard]) -> Table:
    """A row for each guard: whether it holds, and because of what."""
    rows = tuple((Cell(guard.title), _verdict(guard), _reasons(guard)) for guard in guards)
    records = tuple(
        {"guard": guard.title, "verdict": guard.verdict, "reason": reason}
        for guard in guards
        for reason in guard.reasons or ("",)
    )
    return Table("Guards", ("guard", "", "because"), rows, records, fixed=True)


def added_table(changes: PredictedChanges) -> Table:
    """The packages that the choices bring, the largest first, each with the shortest chain to it."""
    return _packages("Packages added", changes.after, changes.added, "No package is added.")


def removed_table(changes: PredictedChanges) -> Table:
    """The packages that are gone, the largest first, each with the chain that brought it."""
    return _packages("Packages removed", changes.before, changes.removed, "No package is removed.")


def predicted_packages_table(prediction: Prediction) -> Table:
    """All packages, the largest first."""
    names = sorted(prediction.packages, key=lambda name: (-prediction.installed_bytes_of(name), name))
    return _packages("All packages", prediction, names, "There are no packages.")


def consequence_notes(changes: PredictedChanges) -> list[str]:
    """What else follows: entries of the recipe that cannot stay, excludes that cannot hold, other builds."""
    after = changes.after
    notes = []
    excluded = after.recipe.excludes
    along = [word for word in after.removed if not any(fnmatchcase(word, pattern) for pattern in excluded)]
    if along:
        notes.append(f"Entries of the recipe that go, too, because they need what is excluded: {', '.join(along)}.")
    if after.lifted:
        notes.append(f"The recipe excludes what is now required: {', '.join(after.lifted)}. A variant that you save "
                     "no longer excludes it.")  # fmt: skip
    if changes.changed:
        notes.append(f"Another build of: {', '.join(changes.changed)}.")
    return notes


def _packages(caption: str, prediction: Prediction, names: Sequence[str], empty: str) -> Table:
    rows, records = [], []
    for name in names:
        package, described = prediction.packages[name], prediction.described[name]
        chain = chain_text(prediction.chains[name]) if name in prediction.chains else "chosen by dnf"
        size = prediction.installed_bytes_of(name)
        rows.append(
            (
                Cell(name, described.summary),
                number(size, "bytes"),
                number(package.download_bytes, "bytes"),
                Cell(chain),
            )
        )
        records.append({"name": name, "nevra": package.nevra, "installed_bytes": size,
                        "download_bytes": package.download_bytes, "why": chain})  # fmt: skip
    total = sum(int(str(record["installed_bytes"])) for record in records)
    title = f"{caption}: {plural(len(names), 'package')}, {quantity(total, 'bytes')}" if names else caption
    header = ("package", "installed", "download", "why")
    return Table(title, header, tuple(rows), tuple(records), empty=empty)


def _verdict(guard: PredictedGuard) -> Cell:
    mark = _MARKS[guard.verdict]
    if guard.verdict == "open":
        return Cell(mark)
    return verdict(guard.verdict == "holds", mark[2:])


def _reasons(guard: PredictedGuard) -> Cell:
    named, others = guard.reasons[:_NAMED_REASONS], guard.reasons[_NAMED_REASONS:]
    if not others:
        return Cell("; ".join(named))
    return Cell(f"{'; '.join(named[:2])}; and {len(guard.reasons) - 2} more", more="; ".join(guard.reasons[2:]))
