"""The checksum under which ostree keeps a file, from what the file is in a checkout or in a ``bare`` repository.

Source of the format: ``ostree-core.c`` (ostree_checksum_file, _OSTREE_ZLIB_FILE_HEADER and
OSTREE_FILE_HEADER_GVARIANT_FORMAT, ``(uuuusa(ayay))``), and the serialization of GVariant (see ostree_objects.py).
"""

import struct
from collections.abc import Iterable, Mapping
from hashlib import sha256

_NUL = b"\0"


def file_checksum(
    mode: int, owner: tuple[int, int], attributes: Mapping[str, bytes], target: bytes | None, content: Iterable[bytes]
) -> str:
    """The checksum of a regular file, or of a link with a ``target``, in hex.

    ``mode`` has the type of the file as stat(2) gives it; ``owner``: user and group.
    """
    header = _header(mode, owner, attributes, target or b"")
    digest = sha256(struct.pack(">I4x", len(header)) + header)
    for part in content:
        digest.update(part)
    return digest.hexdigest()


def _header(mode: int, owner: tuple[int, int], attributes: Mapping[str, bytes], target: bytes) -> bytes:
    """The variant ``(uuuusa(ayay))``: user, group, mode, a device number that is 0, target, attributes by name."""
    pairs = [_tuple(name.encode(errors="surrogateescape") + _NUL, value) for name, value in sorted(attributes.items())]
    fixed = struct.pack(">4I", *owner, mode, 0)
    return _tuple(fixed + target + _NUL, _array(pairs))


def _tuple(first: bytes, second: bytes) -> bytes:
    """A tuple of two members; the end of the first one follows them."""
    return _with_offsets(first + second, [len(first)])


def _array(elements: list[bytes]) -> bytes:
    ends = [sum(len(element) for element in elements[: count + 1]) for count in range(len(elements))]
    return _with_offsets(b"".join(elements), ends) if elements else b""


def _with_offsets(data: bytes, ends: list[int]) -> bytes:
    width = next(width for width in (1, 2, 4, 8) if len(data) + width * len(ends) < 1 << 8 * width)
    return data + b"".join(end.to_bytes(width, "little") for end in ends)
