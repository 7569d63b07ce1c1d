"""The packages removed and added from the baseline to another variant, in packages and bytes.

The parts add up exactly to the difference of the two trees.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from atomic_lib.results.build_result import PackageSize
from atomic_lib.results.variant_result import VariantResult


@dataclass(frozen=True)
class PackageChanges:
    """The difference of a variant's tree to the baseline's.

    ``resized_bytes``: the difference of the packages that both have (other files kept, another
    version). ``unowned_bytes``: the difference of the files that no package owns.
    """

    removed: tuple[PackageSize, ...]
    added: tuple[PackageSize, ...]
    resized: int
    resized_bytes: int
    unowned_bytes: int

    @property
    def removed_bytes(self) -> int:
        """The bytes of the packages removed."""
        return package_bytes(self.removed)

    @property
    def added_bytes(self) -> int:
        """The bytes of the packages added."""
        return package_bytes(self.added)

    @property
    def total_bytes(self) -> int:
        """The difference of the two trees."""
        return self.added_bytes - self.removed_bytes + self.resized_bytes + self.unowned_bytes


def package_changes(base: VariantResult, result: VariantResult) -> PackageChanges | None:
    """The changes from ``base`` to ``result``; None if one of the trees was not measured."""
    if base.tree_bytes is None or result.tree_bytes is None or not base.packages or not result.packages:
        return None
    before, after = bytes_by_name(base.packages), bytes_by_name(result.packages)
    both = before.keys() & after.keys()
    return PackageChanges(
        removed=_largest_first(package for package in base.packages if package.name not in after),
        added=_largest_first(package for package in result.packages if package.name not in before),
        resized=sum(before[name] != after[name] for name in both),
        resized_bytes=sum(after[name] - before[name] for name in both),
        unowned_bytes=(result.tree_bytes - sum(after.values())) - (base.tree_bytes - sum(before.values())),
    )


def bytes_by_name(packages: Iterable[PackageSize]) -> dict[str, int]:
    """The bytes of each package; several of one name (two kernels, two architectures) count together."""
    sizes: dict[str, int] = {}
    for package in packages:
        sizes[package.name] = sizes.get(package.name, 0) + package.bytes
    return sizes


def package_bytes(packages: Iterable[PackageSize]) -> int:
    """The bytes of all packages together."""
    return sum(package.bytes for package in packages)


def _largest_first(packages: Iterable[PackageSize]) -> tuple[PackageSize, ...]:
    return tuple(sorted(packages, key=lambda package: (-package.bytes, package.name)))
