"""The index of casync: which chunks an archive consists of, in their order.

Source of the format: ``caformat.h`` of casync (CaFormatIndex, CaFormatTable), ``castore.c`` for the paths of chunks.
"""

import struct

from atomic_lib.base.errors import WorkbookError

STORE = "default.castr"
"""The directory of the chunks, beside the indices that name them."""
_INDEX_TYPE, _TABLE_TYPE, _TAIL_MARKER = 0x96824D9C7B129FF9, 0xE75B9E112F17417D, 0x4B4F050E5549ECD1
_INDEX, _TABLE, _ITEM, _TAIL = (struct.Struct(form) for form in ("<6Q", "<2Q", "<Q32s", "<5Q"))
_ID_PREFIX = 4


def chunks_of(index: bytes) -> tuple[str, ...]:
    """The identifiers of an index's chunks, in hex; a chunk may be there more than once.

    Raises WorkbookError if it is not an index.
    """
    items = index[_INDEX.size + _TABLE.size : -_TAIL.size]
    if not _is_index(index) or len(items) % _ITEM.size:
        raise WorkbookError("not an index of casync", hint="make it again: ./workbook clean damaged")
    return tuple(identifier.hex() for _, identifier in _ITEM.iter_unpack(items))


def chunk_path(identifier: str) -> str:
    """Where a chunk is, relative to the directory of the index."""
    return f"{STORE}/{identifier[:_ID_PREFIX]}/{identifier}.cacnk"


def _is_index(index: bytes) -> bool:
    """Whether it has the head of an index, of a table, and the tail."""
    if len(index) < _INDEX.size + _TABLE.size + _TAIL.size:
        return False
    size, kind = _INDEX.unpack_from(index)[:2]
    table = _TABLE.unpack_from(index, _INDEX.size)[1]
    marker = _TAIL.unpack_from(index, len(index) - _TAIL.size)[-1]
    return (size, kind, table, marker) == (_INDEX.size, _INDEX_TYPE, _TABLE_TYPE, _TAIL_MARKER)
