"""Small hosts made on the spot: a tree by its files, and its image, made by tools that only write what they would."""

import gzip
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.compose.tree import Tree
from atomic_lib.compose.tree_access.walk import walk_tree, write_entries
from atomic_lib.image.oci import host_image as module
from atomic_lib.image.oci.host_image import HostImage, HostImageRequest, host_image
from atomic_lib.image.oci.packing import Packing
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools
from tests.contexts import on_disk, own_context

FILES = {
    "usr/bin/one": "one", "usr/lib/one.so": "of one", "usr/bin/two": "two", "usr/etc/three.conf": "three",
    "usr/lib/sysimage/rpm/rpmdb.sqlite": "one two three", "usr/etc/machine-id": "uninitialized",
}  # fmt: skip
"""The files of a host; each with "one", "two" or "three" in its name is of the package of this name."""


@dataclass(frozen=True)
class HostTools(Tools):
    """Checks out a directory in place of a commit, and compresses as gzip does."""

    def run(self, words: Sequence[Any], *, binds: Sequence[Bind] = (), **_: Any) -> Completed:
        if words[0] == "ostree":
            shutil.copytree(binds[0].source / "root", binds[1].source / Path(words[-1]).name, symlinks=True)
        else:
            file = binds[0].source / words[2].rpartition("/")[2]
            file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), mtime=0))
            file.unlink()
        return Completed("", "")


def make_host(directory: Path, files: Mapping[str, str] = FILES) -> Tree:
    """A tree whose repository is a directory with its files."""
    root = directory / "repo/root"
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "home").symlink_to("var/home")
    (root / "sysroot").mkdir()
    write_entries(walk_tree(root), directory / "entries.jsonl")
    names = {f"/{path}".replace("/usr/etc/", "/etc/"): path for path in files}
    owners = {path: [name] for path in names for name in ("one", "two", "three") if name in path}
    (directory / "owners.json").write_text(json.dumps(owners))
    key = directory.name
    return Tree(key, "ostree", directory, "1", f"commit of {key}", "", (), seconds=0.0, reused=False)


def image_context(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A context in which images are made in a directory that is not in memory."""
    monkeypatch.setattr(module, "in_memory", on_disk)
    return own_context(directory, HostTools(Path("/nonexistent"), "none"))


def make_image(context: Context, tree: Tree, version: str = "1", packing: Packing = ()) -> HostImage:
    """The image of a tree."""
    return host_image(HostImageRequest("host", version, tree, 1_700_000_000, packing), context)
