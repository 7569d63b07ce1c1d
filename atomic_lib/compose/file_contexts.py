"""What label a policy gives to a path: its file contexts, asked through libselinux itself."""

import os
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Literal

from atomic_lib.base.errors import WorkbookError
from atomic_lib.tools.sandbox import Bind, Tools

FileType = Literal["file", "directory", "link", "fifo", "socket", "character device", "block device"]
CONTEXTS_FILE = "file_contexts"
CONTEXTS_FILES = (CONTEXTS_FILE, *(f"{CONTEXTS_FILE}.{part}" for part in ("homedirs", "local", "subs", "subs_dist")))
"""A policy's file contexts and what libselinux reads beside them: selinux(8), file_contexts(5), selabel_file(5)."""
NO_LABEL = "<<none>>"
"""What file contexts have for a path that is none of the policy's business."""
UNKNOWN_TYPE = "default_t"
"""What file contexts have for a path that they do not know."""

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
    """The type in a label; of what is no label the text itself."""
    return label.split(":")[2] if label.count(":") > 1 else label


def contexts_directory(policy: str) -> str:
    """Where a system has the file contexts of its policy, from its root."""
    return f"etc/selinux/{policy}/contexts/files"


def wanted_labels(
    tools: Tools, contexts: Path, paths: Iterable[tuple[str, FileType]]
) -> dict[tuple[str, FileType], str]:
    """The label that the file contexts in the directory ``contexts`` give to each path of a type, or ``NO_LABEL``.

    Raises WorkbookError where libselinux cannot read the contexts, naming what it says.
    """
    labels: dict[tuple[str, FileType], str] = {}
    for kind, same in groupby(sorted(set(paths), key=lambda pair: pair[1]), key=lambda pair: pair[1]):
        asked = list(same)
        words = ["xargs", "-0", "matchpathcon", "-n", "-m", _LETTERS[kind], "-f", f"{_MOUNTED}/{CONTEXTS_FILE}"]
        names = os.fsencode("\0".join(path for path, _ in asked))
        said = tools.run(words, binds=[Bind(contexts, _MOUNTED)], input=names)
        answers = said.stdout.splitlines()
        if len(answers) != len(asked):
            raise WorkbookError(f"matchpathcon said {len(answers)} labels for {len(asked)} paths", log=said.stderr)
        labels.update(zip(asked, answers, strict=True))
    return labels


def labels_to_give(tools: Tools, contexts: Path, places: Mapping[str, tuple[str, FileType]]) -> dict[str, str]:
    """The label to give to each name of ``places``, which says as what path of what type it is looked up.

    That is the policy's, but for two cases. A policy leaves /proc alone, yet its mount point is
    a directory on the disk: it gets the label of /mnt, as in ostree (src/libostree/ostree-sepolicy.c).
    What a policy does not know (``default_t``) no confined service may read, and a policy that
    was not made for ostree does not know /ostree: such paths get the label of the root directory.
    """
    wanted = wanted_labels(tools, contexts, {*places.values(), _MOUNT_POINT, _ROOT})
    labels = {}
    for name, place in places.items():
        label = wanted[place]
        if place[0] == "/proc" and label == NO_LABEL:
            label = wanted[_MOUNT_POINT]
        labels[name] = wanted[_ROOT] if label_type(label) == UNKNOWN_TYPE else label
    return {name: label for name, label in labels.items() if label != NO_LABEL}


def type_of(path: Path) -> FileType:
    """The type of a path on this machine; of a link that of the link itself."""
    return _TYPES[stat.S_IFMT(path.lstat().st_mode)]


def keep_contexts(source: Path, target: Path) -> None:
    """Copy the file contexts of a policy, not what is compiled from them, to the new directory ``target``.

    Raises WorkbookError where there are none.
    """
    if not (source / CONTEXTS_FILE).is_file():
        raise WorkbookError(
            f"the tree has no {source.relative_to(source.parents[4])}/{CONTEXTS_FILE}: no SELinux policy of this name",
            hint="install the policy's package, or say `selinux --disabled`",
        )
    target.mkdir()
    for name in CONTEXTS_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def set_labels(tools: Tools, binds: list[Bind], labels: Mapping[str, str]) -> None:
    """Give each path in the tools tree (below ``binds``) its label; links themselves, not what they lead to."""
    paths: dict[str, list[str]] = defaultdict(list)
    for path, label in labels.items():
        paths[label].append(path)
    for label, same in paths.items():
        words = ["xargs", "-0", "setfattr", "--no-dereference", "--name=security.selinux", f"--value={label}", "--"]
        tools.run(words, binds=binds, rights="label", input=os.fsencode("\0".join(same)))
