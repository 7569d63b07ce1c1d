"""What a host's file system has allocated of a sparse file."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.formats.disk.extents import allocated_ranges

MIB = 1 << 20


@pytest.fixture(params=["disk", "memory"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A directory on the file system of temporary files, and one in memory, which has no FIEMAP."""
    memory = Path("/dev/shm")
    if request.param == "disk":
        yield tmp_path
    elif os.access(memory, os.W_OK):
        with tempfile.TemporaryDirectory(dir=memory) as place:
            yield Path(place)
    else:
        pytest.skip("/dev/shm cannot be written")


def test_written_places_are_there_and_holes_are_not(directory: Path) -> None:
    path = directory / "sparse"
    with open(path, "wb") as file:
        file.truncate(64 * MIB)
        for place in (0, 8 * MIB, 64 * MIB - 1):
            file.seek(place)
            file.write(b"x")
    ranges = allocated_ranges(path)
    assert [start // MIB for start, _ in ranges] == [0, 8, 63]
    assert ranges[-1][1] == 64 * MIB
    assert sum(end - start for start, end in ranges) <= path.stat().st_blocks * 512 < MIB


def test_many_ranges_are_all_found(directory: Path) -> None:
    path = directory / "many"
    places = [number * 128 * 1024 for number in range(1500)]
    with open(path, "wb") as file:
        for place in places:
            file.seek(place)
            file.write(b"x")
    assert [start for start, _ in allocated_ranges(path)] == places


def test_a_file_of_nothing_has_no_ranges(directory: Path) -> None:
    path = directory / "hole"
    path.touch()
    assert allocated_ranges(path) == []
    os.truncate(path, MIB)
    assert allocated_ranges(path) == []
