"""A raw disk is made again from what is kept, once for all, and is the disk that the image was made with."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import file_digest
from atomic_lib.image import uncompressed_disk as module
from atomic_lib.image.uncompressed_disk import RAW_DISK, UncompressedDisk, put_raw_disk, raw_disk, remove_raw_disks
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools
from tests.contexts import own_context


@dataclass(frozen=True)
class Converter(Tools):
    """Copies in place of ``qemu-img convert``, and notes the command."""

    commands: list[list[str]] = field(default_factory=list)

    def run(self, words: Sequence[Any], *, binds: Sequence[Bind] = (), **_: Any) -> Completed:
        self.commands.append([str(word) for word in words])
        qcow2, out = binds
        assert (qcow2.writable, out.writable) == (False, True)
        shutil.copyfile(qcow2.source, out.source / "disk.raw")
        return Completed("", "")


@pytest.fixture
def tools() -> Converter:
    return Converter(Path("/nonexistent"), "none")


@pytest.fixture
def context(tmp_path: Path, tools: Converter) -> Context:
    return own_context(tmp_path, tools)


def disk(directory: Path, image: str = "image-1", content: bytes = b"a disk" * 1000) -> UncompressedDisk:
    """A disk whose qcow2 has the bytes of the raw one."""
    qcow2 = directory / f"{image}.qcow2"
    qcow2.write_bytes(content)
    return UncompressedDisk(image, qcow2, file_digest(qcow2))


def stored(context: Context) -> set[Path]:
    return {path / "disk.raw" for path in context.store.results("raw-disk")}


def test_it_is_made_again_from_the_compressed_disk_and_once_only(
    tmp_path: Path, context: Context, tools: Converter
) -> None:
    one = disk(tmp_path)
    path = raw_disk(one, context)
    assert path.read_bytes() == one.qcow2.read_bytes()
    assert raw_disk(one, context) == path == one.path(context)
    (command,) = tools.commands
    assert command[:6] == ["qemu-img", "convert", "-f", "qcow2", "-O", "raw"]


def test_one_that_was_just_made_is_moved_and_not_made_again(tmp_path: Path, context: Context, tools: Converter) -> None:
    one = disk(tmp_path)
    made = tmp_path / "made"
    made.write_bytes(one.qcow2.read_bytes())
    put_raw_disk(replace(one, made=made), context)
    assert not made.exists()
    assert raw_disk(one, context).read_bytes() == one.qcow2.read_bytes()
    assert tools.commands == []


def test_in_use_it_stays_and_after_the_run_no_other_does(tmp_path: Path, context: Context) -> None:
    used, unused = disk(tmp_path), disk(tmp_path, "image-2")
    path = raw_disk(used, context)
    put_raw_disk(unused, context)
    remove_raw_disks(context.store)
    assert stored(context) == {path}


def test_no_more_than_a_few_stay(tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT", 2)
    disks = [disk(tmp_path, f"image-{number}") for number in range(4)]
    for one in disks:
        put_raw_disk(one, context)
    assert stored(context) == {one.path(context) for one in disks[2:]}


def test_one_that_is_gone_is_made_again(tmp_path: Path, context: Context, tools: Converter) -> None:
    one = disk(tmp_path)
    shutil.rmtree(raw_disk(one, context).parent)
    assert raw_disk(one, context).is_file()
    assert len(tools.commands) == 2


def test_one_that_was_damaged_meanwhile_is_made_again(tmp_path: Path, context: Context, tools: Converter) -> None:
    one = disk(tmp_path)
    put_raw_disk(one, context)
    one.path(context).write_bytes(b"b disk" * 1000)
    assert raw_disk(one, context).read_bytes() == one.qcow2.read_bytes()
    assert len(tools.commands) == 2


@pytest.mark.parametrize(
    ("digest", "message"),
    [("0" * 64, "is not the one that the image was made with"), ("", "of an earlier revision of the workbook")],
)
def test_a_disk_that_is_not_known_to_be_the_same_is_refused(
    tmp_path: Path, context: Context, digest: str, message: str
) -> None:
    with pytest.raises(WorkbookError, match=message):
        raw_disk(replace(disk(tmp_path), digest=digest), context)
    assert stored(context) == set()
    assert list((context.store.root / "tmp").iterdir()) == []


def test_an_image_that_was_made_again_otherwise_has_another_raw_disk(tmp_path: Path, context: Context) -> None:
    assert raw_disk(disk(tmp_path), context).read_bytes() == b"a disk" * 1000
    assert raw_disk(disk(tmp_path, content=b"otherwise"), context).read_bytes() == b"otherwise"


def test_each_image_has_its_own(tmp_path: Path, context: Context) -> None:
    one, other = disk(tmp_path), disk(tmp_path, "image-2", b"another disk")
    assert RAW_DISK.inputs(one, context)["image"] == "image-1", "it goes with its image"
    assert raw_disk(one, context) != raw_disk(other, context)
    assert raw_disk(other, context).read_bytes() == b"another disk"
