"""The disk of an image as a raw file. An image keeps its disk compressed; who reads the raw one has it made again.

It is made once for all processes, and stays in the store while one of them uses it. Some stay for a while after, until
the run ends.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import file_digest
from atomic_lib.base.progress import step
from atomic_lib.base.sharing.held_results import hold, remove_unused
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import Store, key_of
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind

_FILE = "disk.raw"
_KEPT = (os.cpu_count() or 1) + 1
"""So many stay though nothing uses them: as many as variants are built side by side."""


@dataclass(frozen=True)
class UncompressedDisk:
    """A raw disk: the key of its ``image``, the same disk as compressed ``qcow2``, and its ``file_digest``.

    ``made``: the disk itself, while its image is made. It is moved to the store, so that it need not be made again.
    """

    image: str
    qcow2: Path
    digest: str
    made: Path | None = None

    def path(self, context: Context) -> Path:
        """Where it is, if it is in the store."""
        return context.store.path_of(RAW_DISK.name, self.key(context)) / _FILE

    def key(self, context: Context) -> str:
        """Its key in the store."""
        return key_of(RAW_DISK.key_inputs(self, context))


def raw_disk(disk: UncompressedDisk, context: Context) -> Path:
    """The raw disk, a sparse file; made first if it is not in the store. It stays there until this process ends.

    Raises WorkbookError if it cannot be made again, or is not the disk that the image was made with.
    """
    path = disk.path(context)
    if hold(context.store, RAW_DISK.name, disk.key(context)) or not path.is_file():
        put_raw_disk(disk, context)
    return path


def put_raw_disk(disk: UncompressedDisk, context: Context) -> None:
    """Have the raw disk in the store, but not hold it: it stays while it is among the newest ones.

    Raises WorkbookError as ``raw_disk`` does.
    """
    if not RAW_DISK.get(disk, context).reused:
        remove_unused(context.store, RAW_DISK.name, keep=_KEPT)


def remove_raw_disks(store: Store) -> None:
    """Remove the raw disks that no process uses."""
    remove_unused(store, RAW_DISK.name)


def _make(disk: UncompressedDisk, context: Context, directory: Path) -> dict[str, str]:
    if disk.made:
        os.rename(disk.made, directory / _FILE)
        return {_FILE: disk.digest}
    if not disk.digest:
        raise WorkbookError(
            f"{disk.qcow2}: of an earlier revision of the workbook, which kept no digest of the raw disk",
            hint="build the image again",
        )
    with step("make the raw disk again"):
        context.tools.run(
            ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", "/mnt/disk.qcow2", f"/mnt/out/{_FILE}"],
            binds=[Bind(disk.qcow2.absolute(), "/mnt/disk.qcow2"), Bind(directory, "/mnt/out", writable=True)],
        )
        if file_digest(directory / _FILE) != disk.digest:
            raise WorkbookError(
                f"{disk.qcow2}: the raw disk that is made of it is not the one that the image was made with",
                hint="run ./workbook clean builds, then build the image again",
            )
    return {_FILE: disk.digest}


RAW_DISK = Stage(
    "raw-disk",
    _make,
    lambda disk, _: {"image": disk.image, "digest": disk.digest},
    title=lambda _: "make the raw disk again",
    space_bytes=1_000_000_000,
    silent=True,
)
