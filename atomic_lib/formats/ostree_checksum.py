"""The checksum under which ostree keeps a file, from what the file is in a checkout, or in a repository.

Source of the format: ``ostree-core.c`` (ostree_checksum_file, _OSTREE_ZLIB_FILE_HEADER and
OSTREE_FILE_HEADER_GVARIANT_FORMAT, ``(uuuusa(ayay))``), ``ostree-repo-commit.c`` (create_file_metadata, of a
``bare-user`` repository), and the serialization of GVariant (see ostree_objects.py).
"""

import stat
import struct
from collections.abc import Iterable, Mapping
from hashlib import sha256

_NUL = b"\0"
_OWNER_AND_MODE_BYTES = 12


def file_checksum(
    mode: int, owner: tuple[int, int], attributes: Mapping[str, bytes], target: bytes | None, content: Iterable[bytes]
) -> str:
    """The checksum of a regular file, or of a link with a ``target``, in hex.

    ``mode`` has the type of the file as stat(2) gives it; ``owner``: user and group.
    """
    return _checksum(_header(mode, owner, target or b"", _attributes(attributes)), content)


def bare_user_checksum(metadata: bytes, content: Iterable[bytes]) -> str:
    """The checksum of a file, or of a link, from its object in a ``bare-user`` repository, in hex.

    ``metadata``: the object's attribute ``user.ostreemeta``, the variant ``(uuua(ayay))``: user, group, mode,
    attributes. The content of a link is its target and a null byte. Raises struct.error if there is too little of it.
    """
    user, group, mode = struct.unpack_from(">3I", metadata)
    if not stat.S_ISLNK(mode):
        return _checksum(_header(mode, (user, group), b"", metadata[_OWNER_AND_MODE_BYTES:]), content)
    target = b"".join(content).removesuffix(_NUL)
    return _checksum(_header(mode, (user, group), target, metadata[_OWNER_AND_MODE_BYTES:]), [])


def _checksum(header: bytes, content: Iterable[bytes]) -> str:
    digest = sha256(struct.pack(">I4x", len(header)) + header)
    for part in content:
        digest.update(part)
    return digest.hexdigest()


def _header(mode: int, owner: tuple[int, int], target: bytes, attributes: bytes) -> bytes:
    """The variant ``(uuuusa(ayay))``: user, group, mode, a device number that is 0, target, attributes by name."""
    return _tuple(struct.pack(">4I", *owner, mode, 0) + target + _NUL, attributes)


def _attributes(values: Mapping[str, bytes]) -> bytes:
    """The variant ``a(ayay)`` of attributes by name."""
    return _array([_tuple(name.encode(errors="surrogateescape") + _NUL, values[name]) for name in sorted(values)])


def _tuple(first: bytes, second: bytes) -> bytes:
    """A tuple of two members; the end of the first one follows them."""
    return _with_offsets(first + second, [len(first)])


def _array(elements: list[bytes]) -> bytes:
    ends = [sum(len(element) for element in elements[: count + 1]) for count in range(len(elements))]
    return _with_offsets(b"".join(elements), ends) if elements else b""


def _with_offsets(data: bytes, ends: list[int]) -> bytes:
    width = next(width for width in (1, 2, 4, 8) if len(data) + width * len(ends) < 1 << 8 * width)
    return data + b"".join(end.to_bytes(width, "little") for end in ends)
