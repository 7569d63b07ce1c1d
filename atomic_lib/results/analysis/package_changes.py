"""The packages removed and added from the baseline to another variant, in packages and bytes.

The parts add up exactly to the difference of the two trees.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True)
class Cause:
    """A part of the difference of two trees, and the recipe's entry that it comes from.

    ``what``: the entry ("cloud-init"), or the class of files that no package owns. ``packages``: how
    many packages were removed with the entry or came with it; 0 for files, and for packages that both trees have.
    """

    kind: Literal["removed", "added", "resized", "files"]
    what: str
    bytes: int
    packages: int = 0


def causes(base: VariantResult, result: VariantResult) -> tuple[Cause, ...]:
    """Why the tree of ``result`` has another size than that of ``base``: the parts of the difference, largest first.

    A package counts for the entry of the recipe that its shortest chain of requirements begins
    with. The parts add up to the whole difference; there are none if a tree was not measured.
    """
    found = package_changes(base, result)
    if found is None:
        return ()
    parts = [*_by_entry("removed", found.removed), *_by_entry("added", found.added)]
    parts.append(Cause("resized", "packages of another size", found.resized_bytes))
    before, after = _unowned(base), _unowned(result)
    parts += [Cause("files", name, after.get(name, 0) - before.get(name, 0)) for name in sorted({*before, *after})]
    return tuple(sorted((part for part in parts if part.bytes), key=lambda part: (-abs(part.bytes), part.what)))


def _by_entry(kind: Literal["removed", "added"], packages: Iterable[PackageSize]) -> list[Cause]:
    sizes: dict[str, list[int]] = {}
    for package in packages:
        entry = package.why[0].package if package.why else package.name
        sizes.setdefault(entry, []).append(package.bytes)
    sign = -1 if kind == "removed" else 1
    return [Cause(kind, entry, sign * sum(of), len(of)) for entry, of in sizes.items()]


def _unowned(result: VariantResult) -> dict[str, int]:
    """The bytes of the files that no package owns, by class."""
    sizes = {size.class_: size.bytes for size in result.classes}
    for package in result.packages:
        sizes[package.class_] = sizes.get(package.class_, 0) - package.bytes
    return sizes


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
