"""What variants have in common, in packages and bytes. A package is identified by name, version and architecture."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from atomic_lib.results.build_result import PackageSize
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

Sharing = Literal["all", "some", "own", "unowned"]
"""Which variants have a part of a tree: all, some, only this one; ``unowned``: files that no package owns."""


@dataclass(frozen=True)
class SharedPart:
    """The part of a tree with one ``Sharing``; ``packages`` is None for files that no package owns."""

    bytes: int
    packages: int | None


def measured_trees(study: StudyResult) -> list[VariantResult]:
    """The variants whose tree was measured by package."""
    return [result for result in study.variants if result.packages and result.tree_bytes is not None]


def shared_parts(result: VariantResult, measured: Sequence[VariantResult]) -> dict[Sharing, SharedPart]:
    """The parts of a tree by which of the ``measured`` variants have them too; they add up to the tree."""
    trees = Counter(one for other in measured for one in {_identity(package) for package in other.packages})
    sizes: dict[Sharing, list[int]] = {"all": [], "some": [], "own": []}
    for package in result.packages:
        found = trees[_identity(package)]
        sizes["all" if found == len(measured) else "own" if found == 1 else "some"].append(package.bytes)
    parts = {name: SharedPart(sum(of), len(of)) for name, of in sizes.items()}
    owned = sum(part.bytes for part in parts.values())
    return {**parts, "unowned": SharedPart((result.tree_bytes or 0) - owned, None)}


def presence(study: StudyResult) -> dict[str, int]:
    """In how many measured trees each package is, by name."""
    return dict(Counter(name for result in measured_trees(study) for name in {p.name for p in result.packages}))


def _identity(package: PackageSize) -> tuple[str, int, str, str, str]:
    return (package.name, package.epoch, package.version, package.release, package.arch)
