"""The initramfs, built once for all trees in which dracut would find the same files.

Dracut includes files that its module scripts name, and copies some directories completely.
So the key of the result consists of: the packages that own such files, and their
requirements; such files that no package owns or that were changed after installation; the
accounts that scripts look up; and dracut's arguments. The key errs on the safe side: a file
counts if any script contains its name as a word.

Each has a service of ours (``initramfs_files``), which does not let the root be mounted if several file systems have
its UUID. The boot loader refuses such a machine, too, but sees only the disks that the firmware shows to it.

Source of the rules: dracut.modules(7), dracut.conf(5), and module-setup.sh of dracut 106.
"""

import os
import stat
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.stage import Stage
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.dracut import PROGRAMS, Names, is_library, names_in_scripts
from atomic_lib.compose.tree_access.links import links_of
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.formats.rpm_headers import Header, PackagedFile, closure
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.lock import Lock
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context

_ACCOUNTS = ("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow")
# Dracut runs ldconfig for the initramfs, so the tree's own cache does not matter.
_IGNORED = {"etc/ld.so.cache", *_ACCOUNTS}

_OWN_FILES = Path(__file__).parent / "initramfs_files"
_PROGRAM, _SERVICE = "require-one-root", "require-one-root.service"
_BLOCKED_UNITS = ("systemd-fsck-root.service", "sysroot.mount")
"""The units that write to the root file system, or mount it."""
_INCLUDED = "tmp/initramfs"
"""Where dracut finds the files that are added to the initramfs."""

_FileState = list[int | str]


def kernel_version(files: TreeFiles) -> str:
    """The version of the kernel in a tree; raises WorkbookError if there is none, or more than one."""
    found = [path.split("/")[-2] for path in files.matching("usr/lib/modules/*/vmlinuz")]
    if len(found) != 1:
        raise WorkbookError(
            f"the tree has {len(found)} kernels ({', '.join(found) or 'none'}), it needs one",
            hint="name exactly one kernel package in the recipe",
        )
    return found[0]


def place_kernels(files: TreeFiles) -> None:
    """Copy each kernel that its package has in /boot only, as ``vmlinuz-KVER``, to its directory of modules.

    Distributions have it there; packages of others still have it in /boot alone, which rpm-ostree accepts, too.
    """
    for path in files.matching("boot/vmlinuz-*"):
        modules = f"usr/lib/modules/{path.removeprefix('boot/vmlinuz-')}"
        if files.is_directory(modules) and files.status(f"{modules}/vmlinuz") is None:
            files.copy(path, f"{modules}/vmlinuz")


@dataclass(frozen=True)
class InitramfsRequest:
    """An initramfs to build with the dracut of ``tree``; ``found``: everything in the tree that it may depend on."""

    name: str
    tree: Installroot
    arguments: tuple[str, ...]
    path: str
    found: Mapping[str, Mapping[str, object]]
    log: Path


def install_initramfs(
    tree: Installroot,
    recipe: Recipe,
    rpm_set: RpmSet,
    context: Context,
    *,
    headers: Mapping[str, Header],
    name: str,
    log: Path,
) -> None:
    """Install the initramfs beside the tree's kernel; built first if the store has none for this tree.

    Raises WorkbookError unless the tree has exactly one kernel, and CommandError if dracut fails.
    """
    kver = kernel_version(tree.files)
    own = ("--include", f"/{_INCLUDED}", "/")
    arguments = ("--force", "--reproducible", "--no-hostonly", *recipe.initramfs_arguments, *own, "--kver", kver)
    path = f"usr/lib/modules/{kver}/initramfs.img"
    tree.files.remove(_INCLUDED)  # of a script: dracut would take it
    found = initramfs_inputs(tree, recipe, rpm_set.lock, headers)
    tree.files.remove(path)
    stored = INITRAMFS.get(InitramfsRequest(name, tree, arguments, path, found, log), context)
    tree.files.take_in(stored.path / "initramfs.img", path)


def _inputs(request: InitramfsRequest, _: Context) -> dict[str, object]:
    return {
        "arguments": request.arguments,
        "source_date_epoch": request.tree.source_date_epoch,
        **request.found,
    }


def _make(request: InitramfsRequest, _: Context, directory: Path) -> None:
    files = request.tree.files
    add_own_files(files, _INCLUDED)
    try:
        request.tree.chroot(["dracut", *request.arguments, f"/{request.path}"], log=request.log)
    except CommandError as error:
        if error.status != 127 or files.status("usr/bin/dracut"):
            raise
        raise WorkbookError(
            "the tree has no dracut, which makes the initramfs", hint="name dracut-config-generic in the recipe"
        ) from None
    files.remove(_INCLUDED)
    files.take_out(request.path, directory / "initramfs.img")
    files.remove(request.path)


def add_own_files(files: TreeFiles, top: str) -> None:
    """Write the files that each initramfs has of ours below ``top``: a service, its program, and the links to it."""
    units = f"{top}/usr/lib/systemd/system"
    for name, directory in ((_PROGRAM, f"{top}/usr/libexec"), (_SERVICE, units)):
        files.write(f"{directory}/{name}", (_OWN_FILES / name).read_bytes())
    for unit in _BLOCKED_UNITS:
        files.make_directory(f"{units}/{unit}.requires")
        files.add_link(f"{units}/{unit}.requires/{_SERVICE}", f"../{_SERVICE}")


INITRAMFS = Stage("initramfs", _make, _inputs, title=lambda request: f"{request.name}: initramfs")


def initramfs_inputs(
    tree: Installroot, recipe: Recipe, lock: Lock, headers: Mapping[str, Header]
) -> dict[str, Mapping[str, object]]:
    """Everything in the tree that the initramfs may depend on, as JSON data."""
    paths = {path: status for path, status in tree.files.below() if not stat.S_ISDIR(status.st_mode)}
    programs = {path.rpartition("/")[2] for path in paths if path.startswith(PROGRAMS)}
    names = names_in_scripts(tree.files, recipe.initramfs_arguments, programs)
    links = links_of(tree.files)
    owned = {
        links.real(path).lstrip("/"): (header.name, file)
        for header in headers.values()
        for path, file in header.files.items()
        if not file.is_directory
    }
    named = {path for path, (_, file) in owned.items() if names.concern(path, file.mode)}
    packages = closure(headers, {owned[path][0] for path in named})
    watched = {
        path: file for path, (name, file) in owned.items() if path in named or (name in packages and is_library(path))
    }
    return {
        "packages": {entry.nevra: entry.sha256 for entry in lock.packages if entry.name in packages},
        "changed": _changed(tree, paths, watched, names, set(owned)),
        "accounts": {path: names.accounts(tree.read(path) or "") for path in _ACCOUNTS},
    }


def _changed(
    tree: Installroot,
    paths: Mapping[str, os.stat_result],
    watched: Mapping[str, PackagedFile],
    names: Names,
    owned: Set[str],
) -> dict[str, _FileState | None]:
    """The relevant files that are not as packaged: the current state of each, None if it was removed."""
    changed: dict[str, _FileState | None] = {}
    unowned = paths.keys() - owned
    for path in sorted({*unowned, *watched} - _IGNORED):
        file, status = watched.get(path), paths.get(path)
        if status is None:
            changed[path] = None
            continue
        relevant = file is not None or is_library(path) or names.concern(path, status.st_mode)
        if relevant and not (file and _as_packaged(tree.files, path, status, file)):
            changed[path] = _state(tree, path, status)
    return changed


def _as_packaged(files: TreeFiles, path: str, status: os.stat_result, file: PackagedFile) -> bool:
    if stat.S_ISLNK(status.st_mode):  # mode and time of a link do not matter
        return stat.S_ISLNK(file.mode) and files.target_of(path) == file.target
    return (status.st_mode, status.st_size, int(status.st_mtime)) == (file.mode, file.size_bytes, file.mtime_seconds)


def _state(tree: Installroot, path: str, status: os.stat_result) -> _FileState:
    """Type and mode, content, and the time that the file would have in the initramfs."""
    if stat.S_ISLNK(status.st_mode):
        return [status.st_mode, tree.files.target_of(path), 0]
    digest = tree.files.sha256(path) if stat.S_ISREG(status.st_mode) else ""
    return [status.st_mode, digest, min(int(status.st_mtime), tree.source_date_epoch)]
