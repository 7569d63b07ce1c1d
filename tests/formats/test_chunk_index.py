"""The index of casync, as casync 2 wrote one."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.chunk_index import chunk_path, chunks_of
from tests.formats.chunk_indices import index_of

ONE, TWO = "0a" * 32, "fb" * 32


def test_the_chunks_are_in_their_order_and_may_repeat() -> None:
    assert chunks_of(index_of([ONE, TWO, ONE])) == (ONE, TWO, ONE)
    assert chunks_of(index_of([])) == ()


def test_a_chunk_is_in_a_directory_by_its_first_digits() -> None:
    assert chunk_path(TWO) == f"default.castr/fbfb/{TWO}.cacnk"


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        bytes(104),
        index_of([ONE])[:-1],
        index_of([ONE]) + bytes(8),
        index_of([ONE])[8:],
        index_of([ONE, TWO])[:100] + index_of([ONE, TWO])[108:],
        index_of([ONE])[:56] + bytes(8) + index_of([ONE])[64:],
    ],
    ids=["empty", "zeros", "short", "long", "no head", "an item cut", "no table"],
)
def test_what_is_no_index_is_refused(damaged: bytes) -> None:
    with pytest.raises(WorkbookError, match="not an index of casync"):
        chunks_of(damaged)
