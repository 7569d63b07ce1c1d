"""What must be whole of version 1 and of version 2: deployment, /etc, kernel, initramfs, and objects in the repository.

Version 1 is as the disk has it when the upgrade begins, version 2 as the disk has it when the guest has powered off.
Their objects are checked against the checksums that are their names, as ``ostree fsck`` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.ext4_inode import FILE, LINK, Inode
from atomic_lib.formats.disk_states.disk_state import Source
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.formats.ostree_checksum import file_checksum
from atomic_lib.formats.ostree_objects import OstreeObject, objects_of
from atomic_lib.measure.power_cuts.boot_menu import MenuEntry, deployed_commits
from atomic_lib.measure.power_cuts.whole_tree import WholeTree, whole_tree

REPOSITORY = "/ostree/repo"
_CONTENT_SUFFIX = "file"
"""The suffix of files in a repository of mode ``bare``."""


@dataclass(frozen=True)
class WholeVersion:
    """One version; ``boot``: the digests of kernel and initramfs; ``object_count``: its objects, all checked."""

    name: str
    commit: str
    deployment: WholeTree
    etc: WholeTree
    objects: WholeTree
    boot: tuple[str, str]
    object_count: int


def whole_version(name: str, commit: str, view: FileView, blocks: Mapping[int, Source]) -> WholeVersion:
    """A version as ``view`` has it, checked in full.

    Raises WorkbookError if it is not deployed there, or an object is missing or has another checksum.
    """
    entries, problems = deployed_commits(view)
    entry = entries.get(commit)
    if entry is None:
        raise WorkbookError(
            f"{name} ({commit[:12]}) is not deployed in the recorded upgrade: {', '.join(problems) or 'no entry'}",
            hint="read the console in the recording's directory; ./workbook clean damaged, then run again",
        )
    directory = str(view.real_path(entry.deployment))
    objects = _objects(name, commit, view)
    etc = f"{directory}/etc"
    tops = [f"{directory}/{child}" for child in view.listing(directory) if child != "etc"]
    return WholeVersion(
        name,
        commit,
        whole_tree(view, blocks, [*tops, f"{directory}.origin"]),
        whole_tree(view, blocks, [etc]),
        whole_tree(view, blocks, [*objects, f"{REPOSITORY}/config"]),
        _boot_digests(name, entry, view),
        len(objects),
    )


def object_problem(path: str, one: OstreeObject, view: FileView) -> str | None:
    """What is wrong with an object of a repository: nothing, or that it is missing or has another checksum."""
    inode = view.lookup(path, follow=False)
    if inode is None:
        return f"{path}: missing"
    found = _file_checksum(view, inode) if one.kind == "file" else sha256(view.content(inode)).hexdigest()
    return None if found == one.checksum else f"{path}: its checksum is {found}"


def refs_of(view: FileView) -> dict[str, str]:
    """The commit that each ref of the repository names, by the path of the ref."""
    paths = [(path, inode) for path, inode in view.below(f"{REPOSITORY}/refs") if inode.kind == FILE]
    return {path: view.content(inode).decode(errors="replace").strip() for path, inode in paths}


def _objects(name: str, commit: str, view: FileView) -> list[str]:
    def path_of(one: OstreeObject) -> str:
        return f"{REPOSITORY}/{one.path(_CONTENT_SUFFIX)}"

    def read(one: OstreeObject) -> bytes:
        inode = view.lookup(path_of(one), follow=False)
        if inode is None:
            raise WorkbookError(f"{name} is not whole in the recorded upgrade: {path_of(one)}: missing")
        return view.content(inode)

    found = sorted(objects_of(commit, read))
    problems = [problem for one in found if (problem := object_problem(path_of(one), one, view))]
    if problems:
        raise WorkbookError(f"{name} is not whole in the recorded upgrade: {problems[0]}", log="\n".join(problems[:20]))
    return [path_of(one) for one in found]


def _file_checksum(view: FileView, inode: Inode) -> str:
    target = view.content(inode) if inode.kind == LINK else None
    content = [] if inode.kind == LINK else [view.content(inode)]
    mode = inode.kind << 12 | inode.mode
    return file_checksum(mode, (inode.uid, inode.gid), view.attributes(inode), target, content)


def _boot_digests(name: str, entry: MenuEntry, view: FileView) -> tuple[str, str]:
    found = [view.lookup(path) for path in (entry.kernel, entry.initramfs)]
    kernel, initramfs = found
    if kernel is None or initramfs is None:
        raise WorkbookError(f"{name}: its boot entry names a kernel or an initramfs that is not there: {entry}")
    return view.digest(kernel), view.digest(initramfs)
