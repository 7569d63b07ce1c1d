"""What is the same in all variants and what is not, in packages and bytes."""

from collections import Counter
from collections.abc import Mapping

from atomic_lib.report.text import methods
from atomic_lib.results.metrics import missing_reason
from atomic_lib.results.variant_result import PackageSize, StudyResult, VariantResult
from atomic_lib.report.page.elements import Cell, Table, missing, number, plural

SHARES: Mapping[str, str] = {
    "all": "packages that all variants have",
    "some": "packages that some variants have",
    "own": "packages that only this variant has",
    "unowned": "files that no package owns",
}
"""The parts of a tree by who has them too, with their titles; a package is one with its version."""


def shares_of(study: StudyResult) -> list[tuple[VariantResult, dict[str, int]]]:
    """The bytes of every measured tree by part of SHARES; they add up to the tree."""
    measured = _measured(study)
    return [(r, {name: size for name, (size, _) in _shares(r, measured).items()}) for r in measured]


def sharing(study: StudyResult) -> Table:
    """The tree of every variant: what all have, what some have, what it has alone."""
    measured = _measured(study)
    shares = {result.variant: _shares(result, measured) for result in measured}
    rows = [
        (Cell(title), *(_cell(shares.get(result.variant), name, result) for result in study.variants))
        for name, title in SHARES.items()
    ]
    rows.append((Cell("whole tree"), *(_whole(result) for result in study.variants)))
    records = tuple(
        {"variant": variant, "part": name, "bytes": size, "packages": count}
        for variant, parts in shares.items()
        for name, (size, count) in parts.items()
    )
    header = ("", *(result.variant for result in study.variants))
    note = f"Compared: {plural(len(measured), 'variant')} with a measured tree. A package is one with its version."
    return Table(
        "The same and not the same", header, tuple(rows) if measured else (), records, (note,),
        methods.TREE, "packages.csv", feet=1, fixed=True,
    )  # fmt: skip


def presence(study: StudyResult) -> dict[str, int]:
    """In how many measured trees each package is, by name."""
    return dict(Counter(name for result in _measured(study) for name in {p.name for p in result.packages}))


def _measured(study: StudyResult) -> list[VariantResult]:
    return [result for result in study.variants if result.packages and result.tree_bytes is not None]


def _shares(result: VariantResult, measured: list[VariantResult]) -> dict[str, tuple[int, int | None]]:
    trees = Counter(one for other in measured for one in {_identity(package) for package in other.packages})
    parts: dict[str, list[int]] = {name: [] for name in ("all", "some", "own")}
    for package in result.packages:
        found = trees[_identity(package)]
        parts["all" if found == len(measured) else "own" if found == 1 else "some"].append(package.bytes)
    sizes: dict[str, tuple[int, int | None]] = {name: (sum(of), len(of)) for name, of in parts.items()}
    owned = sum(size for size, _ in sizes.values())
    return {**sizes, "unowned": ((result.tree_bytes or 0) - owned, None)}


def _identity(package: PackageSize) -> tuple[str, int, str, str, str]:
    return (package.name, package.epoch, package.version, package.release, package.arch)


def _cell(parts: dict[str, tuple[int, int | None]] | None, name: str, result: VariantResult) -> Cell:
    if parts is None:
        return missing(missing_reason(result))
    size_bytes, count = parts[name]
    return number(size_bytes, "bytes", note="" if count is None else plural(count, "package"))


def _whole(result: VariantResult) -> Cell:
    return number(result.tree_bytes, "bytes", reason=missing_reason(result))
