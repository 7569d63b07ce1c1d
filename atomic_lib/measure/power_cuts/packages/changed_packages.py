"""What an update of packages changes, and the files that must be whole, each as one end of the update has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.ext4_inode import DIRECTORY, FILE
from atomic_lib.measure.power_cuts.mounted_state import FileDigests
from atomic_lib.measure.power_cuts.packages.database_in_state import RpmFile
from atomic_lib.measure.power_cuts.verdict import Moment, RecordedEnds
from atomic_lib.measure.power_cuts.whole_tree import WholeTree, whole_tree

Packages = Mapping[str, Sequence[tuple[str, str]]]
"""The NEVRAs that a database has of each name, with the digests of their headers."""
_OWN, _NOT_WRITTEN = "c", "g"
"""Flags of files that an administrator may change, and of files that rpm does not write."""


@dataclass(frozen=True)
class ChangedPackage:
    """A package that the update changes: what the database names before and after, and the files of both.

    ``old`` is empty for a package that is added. ``added``: the paths that only the new one has.
    """

    name: str
    old: tuple[tuple[str, str], ...]
    new: tuple[tuple[str, str], ...]
    old_files: WholeTree
    new_files: WholeTree
    added: tuple[str, ...]


def changed_packages(
    ends: RecordedEnds, packages: tuple[Packages, Packages], files: tuple[list[RpmFile], list[RpmFile]]
) -> tuple[ChangedPackage, ...]:
    """The packages that differ between the ends, whose files must be as their headers say.

    ``packages``, ``files``: as the database has them when the update begins, and when the guest has powered off. Raises
    WorkbookError naming a file that is not as its header says.
    """
    before, after = packages
    found = []
    for name in sorted(before.keys() | after.keys()):
        old, new = tuple(before.get(name, ())), tuple(after.get(name, ()))
        if old != new:
            own = [_of(named, listing) for named, listing in zip((old, new), files, strict=True)]
            trees = [_whole_files(name, one, moment) for one, moment in zip(own, (ends.first, ends.last), strict=True)]
            paths = {one.path for one in own[0]}
            added = tuple(
                path
                for path in trees[1].items
                if path not in paths and path and not ends.first.view.lookup(path, follow=False)
            )
            found.append(ChangedPackage(name, old, new, trees[0], trees[1], added))
    return tuple(found)


def _of(named: Sequence[tuple[str, str]], files: Sequence[RpmFile]) -> list[RpmFile]:
    nevras = {nevra for nevra, _ in named}
    return [one for one in files if one.nevra in nevras]


def _whole_files(name: str, files: Sequence[RpmFile], moment: Moment) -> WholeTree:
    """The files of a package at a moment; raises WorkbookError if one is not as its header says.

    The mode of a directory may be another one: tmpfiles.d sets it.
    """
    for one in files:
        inode = moment.view.lookup(one.path, follow=False)
        if _NOT_WRITTEN in one.flags or (inode is None and _OWN in one.flags):
            continue
        if inode is None:
            raise WorkbookError(f"{name}: not whole in the recorded update: {one.path}: missing")
        same = inode.kind << 12 | inode.mode == one.mode or (inode.kind == DIRECTORY and inode.kind == one.mode >> 12)
        if inode.kind == FILE and one.digest and _OWN not in one.flags:
            same = same and moment.view.digest(inode) == one.digest
        if not same:
            raise WorkbookError(f"{name}: not whole in the recorded update: {one.path}: another content or mode")
    return tree_of(moment, [one.path for one in files if _NOT_WRITTEN not in one.flags])


def tree_of(moment: Moment, paths: Sequence[str]) -> WholeTree:
    """These files, without what is below those that are directories."""
    found = ((path, moment.view.lookup(path, follow=False)) for path in paths)
    tops = [path for path, inode in found if inode is not None and inode.kind != DIRECTORY]
    return whole_tree(moment.view, moment.blocks, tops)


def lasting_files(files: Sequence[RpmFile], ends: RecordedEnds) -> list[str]:
    """The paths that are the same at both ends: a script of an update may change files of others."""
    return [one.path for one in files if _NOT_WRITTEN not in one.flags and _same(one.path, ends)]


def lasting_below(top: str, ends: RecordedEnds) -> list[str]:
    """All paths below a directory that are the same at both ends."""
    return [path for path, _ in ends.first.view.below(top) if _same(path, ends)]


def _same(path: str, ends: RecordedEnds) -> bool:
    """Whether a file is the same at both ends."""
    first, last = (moment.view.lookup(path, follow=False) for moment in (ends.first, ends.last))
    if first is None or last is None:
        return False
    facts = [(one.kind, one.mode, one.uid, one.gid, one.size_bytes) for one in (first, last)]
    if facts[0] != facts[1]:
        return False
    digests = FileDigests(ends.layout)
    if first.kind == DIRECTORY or digests.identity(ends.first.view, first) == digests.identity(ends.last.view, last):
        return True
    return ends.first.view.content(first) == ends.last.view.content(last)
