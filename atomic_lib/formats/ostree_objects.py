"""The objects of an ostree repository: which ones a commit consists of.

Source of the format: ``ostree-core.h`` (OSTREE_COMMIT_GVARIANT_FORMAT, OSTREE_TREE_GVARIANT_FORMAT) and the
serialization of GVariant (https://developer.gnome.org/documentation/specifications/gvariant-specification-1.0.html).
Only what leads to other objects is read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from atomic_lib.base.errors import WorkbookError

ObjectKind = Literal["commit", "dirtree", "dirmeta", "file"]
_CHECKSUM_BYTES = 32
_COMMIT_OFFSETS = 6
"""How many members of a commit end at an offset of its table: all of variable size but the last."""


@dataclass(frozen=True, order=True)
class OstreeObject:
    """An object: its kind, and its checksum in hex."""

    kind: ObjectKind
    checksum: str

    def path(self, content_suffix: str = "filez") -> str:
        """Its path in a repository; ``filez`` is the suffix of files in a repository that web servers have."""
        suffix = content_suffix if self.kind == "file" else self.kind
        return f"objects/{self.checksum[:2]}/{self.checksum[2:]}.{suffix}"


ReadObject = Callable[[OstreeObject], bytes]
"""Returns what a repository has of a commit, dirtree or dirmeta; these are the same bytes in every mode."""


def objects_of(commit: str, read: ReadObject) -> frozenset[OstreeObject]:
    """All objects that a commit consists of, itself included.

    Raises WorkbookError if one that leads to others is not what its kind should be.
    """
    first = OstreeObject("commit", commit)
    found, waiting = {first}, [first]
    while waiting:
        one = waiting.pop()
        if one.kind not in ("commit", "dirtree"):
            continue
        try:
            named = (_named_by_commit if one.kind == "commit" else _named_by_dirtree)(read(one))
        except (IndexError, ValueError) as error:
            raise WorkbookError(
                f"{one.path()}: not a {one.kind} of ostree: {error}", hint="check the repository: ostree fsck"
            ) from None
        new = named - found
        found |= new
        waiting += new
    return frozenset(found)


def _named_by_commit(data: bytes) -> set[OstreeObject]:
    """The root directory's objects in a commit, ``(a{sv}aya(say)sstayay)``."""
    offsets = _offsets(data, _COMMIT_OFFSETS)
    contents = data[offsets[-1] - _CHECKSUM_BYTES : offsets[-1]]
    meta = data[offsets[-1] : len(data) - _COMMIT_OFFSETS * _offset_bytes(len(data))]
    return {OstreeObject("dirtree", _hex(contents)), OstreeObject("dirmeta", _hex(meta))}


def _named_by_dirtree(data: bytes) -> set[OstreeObject]:
    """The objects of the files and directories in a directory, ``(a(say)a(sayay))``."""
    (end_of_files,) = _offsets(data, 1)
    directories = data[end_of_files : len(data) - _offset_bytes(len(data))]
    found = set()
    for entry in _elements(data[:end_of_files]):
        (end_of_name,) = _offsets(entry, 1)
        found.add(OstreeObject("file", _hex(entry[end_of_name : len(entry) - _offset_bytes(len(entry))])))
    for entry in _elements(directories):
        end_of_name, end_of_contents = _offsets(entry, 2)
        found.add(OstreeObject("dirtree", _hex(entry[end_of_name:end_of_contents])))
        meta = entry[end_of_contents : len(entry) - 2 * _offset_bytes(len(entry))]
        found.add(OstreeObject("dirmeta", _hex(meta)))
    return found


def _hex(checksum: bytes) -> str:
    if len(checksum) != _CHECKSUM_BYTES:
        raise ValueError(f"a checksum of {len(checksum)} bytes")
    return checksum.hex()


def _offset_bytes(size: int) -> int:
    """The size of each offset in a container of ``size`` bytes, its table included."""
    return next(width for width in (1, 2, 4, 8) if size < 1 << 8 * width)


def _offsets(container: bytes, count: int) -> list[int]:
    """Where the first ``count`` members of variable size of a tuple end; its table has them in reverse order."""
    width = _offset_bytes(len(container))
    start = len(container) - count * width
    if start < 0:
        raise ValueError(f"only {len(container)} bytes")
    table = [container[at : at + width] for at in range(start, len(container), width)]
    return _in_order([int.from_bytes(word, "little") for word in reversed(table)], start)


def _elements(array: bytes) -> list[bytes]:
    """The elements of an array, each of variable size; the last one ends where the table begins."""
    if not array:
        return []
    width = _offset_bytes(len(array))
    start = int.from_bytes(array[-width:], "little")
    if start >= len(array) or (len(array) - start) % width:
        raise ValueError(f"a table at byte {start} of {len(array)}")
    words = [array[at : at + width] for at in range(start, len(array), width)]
    ends = _in_order([int.from_bytes(word, "little") for word in words], start)
    return [array[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


def _in_order(ends: list[int], limit: int) -> list[int]:
    if ends != sorted(ends) or ends[-1] > limit:
        raise ValueError("offsets that are out of order")
    return ends
