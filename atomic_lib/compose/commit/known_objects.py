"""Objects that earlier trees have: a new repository gets them as hard links, before its commit is made.

ostree then computes the checksum of every file of the tree, as ever, but writes only those that are new. An object
is taken only if it is what its name says, with owner, mode and labels: so what is damaged in an earlier tree is written
anew, and stays there. The signature of a commit is not taken: it has the name of its commit, which others may have
signed as well.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from atomic_lib.formats.ostree_checksum import bare_user_checksum
from atomic_lib.formats.ostree_objects import OstreeObject, objects_of

_METADATA = "user.ostreemeta"
_PIECE_BYTES = 1 << 18
_TAKEN = (".file", ".dirtree", ".dirmeta")


def take_known_objects(objects: Path, repositories: Iterable[Path]) -> None:
    """Make ``objects``, a new directory, and in it hard links to the whole objects of ``bare-user`` repositories."""
    objects.mkdir()
    for repository in repositories:
        for path in (repository / "objects").glob("*/*"):
            target = objects / path.parent.name / path.name
            if path.suffix in _TAKEN and not target.exists():
                with suppress(OSError, struct.error):  # removed meanwhile, damaged, or of another file system
                    _take(path, target)


def _take(path: Path, target: Path) -> None:
    if checksum_of(path) == path.parent.name + path.stem:
        target.parent.mkdir(exist_ok=True)
        os.link(path, target, follow_symlinks=False)


def checksum_of(path: Path) -> str:
    """The checksum of an object in a ``bare-user`` repository, which its name should be, in hex.

    Raises OSError if it cannot be read, or has no attributes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if path.suffix == ".file":
            return bare_user_checksum(os.getxattr(descriptor, _METADATA), _pieces(descriptor))
        return sha256(b"".join(_pieces(descriptor))).hexdigest()
    finally:
        os.close(descriptor)


def _pieces(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, _PIECE_BYTES):
        yield piece


def remove_other_objects(repository: Path, commit: str) -> None:
    """Remove all objects but those of the commit, and its signature.

    Raises WorkbookError as ``objects_of`` does.
    """

    def read(one: OstreeObject) -> bytes:
        return (repository / one.path()).read_bytes()

    first = OstreeObject("commit", commit).path()
    kept = {f"{first}meta", *(one.path("file") for one in objects_of(commit, read))}
    for path in (repository / "objects").glob("*/*"):
        if str(path.relative_to(repository)) not in kept:
            path.unlink()
