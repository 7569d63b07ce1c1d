"""SELinux labels by a policy's file contexts, looked up through libselinux."""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Literal

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.tree_access.beneath import shown
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.tools.sandbox import Bind, Tools

FileType = Literal["file", "directory", "link", "fifo", "socket", "character device", "block device"]
CONTEXTS_FILE = "file_contexts"
CONTEXTS_FILES = (CONTEXTS_FILE, *(f"{CONTEXTS_FILE}.{part}" for part in ("homedirs", "local", "subs", "subs_dist")))
"""A policy's file contexts, and the files that libselinux reads with them: file_contexts(5), selabel_file(5)."""
NO_LABEL = "<<none>>"
"""The label in file contexts for paths that the policy does not label."""
UNKNOWN_TYPE = "default_t"
"""The type in file contexts for paths that the policy does not know."""

OBJECT_OF_FILE = ".file"
"""The suffix of a repository's objects that hold a file with its attributes."""
_LABEL_ATTRIBUTE = "security.selinux"
_LABELLED_SEPARATELY = ("proc", "sysroot", "ostree")
_LETTERS = {"file": "f", "directory": "d", "link": "l", "fifo": "p", "socket": "s", "character device": "c",
            "block device": "b"}  # fmt: skip
_TYPES: Mapping[int, FileType] = {
    stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket", stat.S_IFCHR: "character device", stat.S_IFBLK: "block device",
}  # fmt: skip
_MOUNTED = "/mnt/contexts"
_MOUNT_POINT: tuple[str, FileType] = ("/mnt", "directory")
_ROOT: tuple[str, FileType] = ("/", "directory")


def label_type(label: str) -> str:
    """The type in a label (user:role:type:level); a text that is not a label is returned unchanged."""
    return label.split(":")[2] if label.count(":") > 1 else label


def contexts_directory(policy: str) -> str:
    """The directory of a policy's file contexts, relative to the root."""
    return f"etc/selinux/{policy}/contexts/files"


def wanted_labels(
    tools: Tools, contexts: Path, paths: Iterable[tuple[str, FileType]]
) -> dict[tuple[str, FileType], str]:
    """The label of each path and file type, by the file contexts in the directory ``contexts``; or ``NO_LABEL``.

    Raises WorkbookError with the output of matchpathcon if libselinux cannot read the contexts.
    """
    labels: dict[tuple[str, FileType], str] = {}
    for kind, same in groupby(sorted(set(paths), key=lambda pair: pair[1]), key=lambda pair: pair[1]):
        batch = list(same)
        words = ["xargs", "-0", "matchpathcon", "-n", "-m", _LETTERS[kind], "-f", f"{_MOUNTED}/{CONTEXTS_FILE}"]
        names = os.fsencode("\0".join(path for path, _ in batch))
        done = tools.run(words, binds=[Bind(contexts, _MOUNTED)], input=names)
        found = done.stdout.splitlines()
        if len(found) != len(batch):
            message = f"{contexts}: matchpathcon printed {len(found)} labels for {len(batch)} paths"
            raise WorkbookError(message, log=done.stderr, hint="check the policy package")
        labels.update(zip(batch, found, strict=True))
    return labels


def labels_to_give(tools: Tools, contexts: Path, lookups: Mapping[str, tuple[str, FileType]]) -> dict[str, str]:
    """The label for each name in ``lookups``, which maps it to the path and file type to look up.

    This is the policy's label, with two exceptions. A policy does not label /proc, but its mount
    point is a directory on the disk: it gets the label of /mnt, as in ostree
    (src/libostree/ostree-sepolicy.c). Confined services may not read paths that the policy does not
    know (``default_t``), and only policies made for ostree know /ostree: such paths get the label of
    the root directory.
    """
    by_policy = wanted_labels(tools, contexts, {*lookups.values(), _MOUNT_POINT, _ROOT})
    labels = {}
    for name, lookup in lookups.items():
        label = by_policy[lookup]
        if lookup[0] == "/proc" and label == NO_LABEL:
            label = by_policy[_MOUNT_POINT]
        labels[name] = by_policy[_ROOT] if label_type(label) == UNKNOWN_TYPE else label
    return {name: label for name, label in labels.items() if label != NO_LABEL}


def type_of(path: Path) -> FileType:
    """The file type of a path on this machine; links are not followed."""
    return type_of_mode(path.lstat().st_mode)


def type_of_mode(mode: int) -> FileType:
    """The file type in ``st_mode``."""
    return _TYPES[stat.S_IFMT(mode)]


def keep_contexts(files: TreeFiles, source: str, target: Path, *, usr_etc_as_etc: bool = False) -> None:
    """Copy the file contexts of a tree's policy, without compiled ones, to the new directory ``target``.

    With ``usr_etc_as_etc`` they label /usr/etc as /etc, even if the policy has no such substitution.

    Raises WorkbookError if there are none.
    """
    if not files.has_file(f"{source}/{CONTEXTS_FILE}"):
        raise WorkbookError(
            f"the tree has no {shown(source)}/{CONTEXTS_FILE}: no SELinux policy of this name",
            hint="add the policy's package to the recipe, or set selinux: disabled",
        )
    target.mkdir()
    for name in CONTEXTS_FILES:
        if files.status(f"{source}/{name}") is not None:
            files.take_out(f"{source}/{name}", target / name)
    if usr_etc_as_etc:
        substitutions = target / f"{CONTEXTS_FILE}.subs_dist"
        text = files.text(f"{source}/{substitutions.name}") or ""
        if not any(line.split()[:1] == ["/usr/etc"] for line in text.split("\n")):
            text = f"{text.rstrip()}\n/usr/etc /etc\n".lstrip()
            substitutions.write_text(text, errors="surrogateescape")


def set_labels(tools: Tools, binds: list[Bind], labels: Mapping[str, str]) -> None:
    """Set the labels of paths in the tools tree (below ``binds``); links are not followed.

    A label ends with a null byte, as setfiles and the kernel write it: ``ostree fsck`` counts that byte. One setfattr
    sets them all. Raises CommandError, which names the path, if one cannot be set.
    """
    if labels:
        words = ["setfattr", "--no-dereference", "--restore=-"]
        tools.run(words, binds=binds, rights="label", input=b"".join(map(_restored, labels.items())))


def _restored(labelled: tuple[str, str]) -> bytes:
    """The lines for a path and its label, in the format of ``getfattr --dump``, with the label in hex."""
    path, label = labelled
    quoted = re.sub(rb"[\\\n\r]", lambda found: b"\\%03o" % ord(found[0]), os.fsencode(path))
    return b"# file: %s\n%s=0x%s00\n\n" % (quoted, _LABEL_ATTRIBUTE.encode(), label.encode().hex().encode())


def label_tree(tree: Installroot, contexts: Path) -> None:
    """Label all files by the file contexts in the directory ``contexts``; the commit then keeps these labels."""
    root, policy = Bind(tree.root, INSTALLROOT, writable=True), Bind(contexts, "/mnt/contexts")
    tree.tools.run(
        ["setfiles", "-F", "-r", INSTALLROOT, f"/mnt/contexts/{CONTEXTS_FILE}", INSTALLROOT],
        binds=[root, policy],
        rights="label",
    )
    special = {name: status for name in _LABELLED_SEPARATELY if (status := tree.files.status(name))}
    lookups = {f"{INSTALLROOT}/{name}": (f"/{name}", type_of_mode(status.st_mode)) for name, status in special.items()}
    set_labels(tree.tools, [root], labels_to_give(tree.tools, contexts, lookups))


def keep_labels(tree: Installroot, target: Path) -> None:
    """Write the labels of all files of the tree to a file, in the format of ``getfattr --dump``."""
    target.touch()
    dump = f"getfattr --recursive --physical --no-dereference --dump --name={_LABEL_ATTRIBUTE} . >/mnt/labels"
    binds = [Bind(tree.root, INSTALLROOT), Bind(target, "/mnt/labels", writable=True)]
    tree.tools.run(["sh", "-c", dump], binds=binds, cwd=INSTALLROOT, rights="root")


def restore_labels(tools: Tools, root: Path, labels: Path) -> None:
    """Set the labels that ``keep_labels`` wrote, below the copy ``root``, which must be in memory."""
    binds = [Bind(root, INSTALLROOT, writable=True), Bind(labels, "/mnt/labels")]
    words = ["setfattr", "--no-dereference", "--restore=/mnt/labels"]
    tools.run(words, binds=binds, cwd=INSTALLROOT, rights="label")
