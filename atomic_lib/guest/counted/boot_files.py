"""The kernel, initramfs and command line of an image's boot entry, read from the image.

Format of a boot entry: https://uapi-group.org/specifications/specs/boot_loader_specification/
"""

import re
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.raw_disk import RawDisk, open_raw_disk

_ENTRY = re.compile(r"^/boot/loader[^/]*/entries/[^/]+\.conf$")


@dataclass(frozen=True)
class BootEntry:
    """A boot entry: paths in the image's root file system, and the kernel command line."""

    kernel: str
    initramfs: str
    options: str


@dataclass(frozen=True)
class BootFiles:
    """Copies of the files that the boot entry names, and its kernel command line."""

    kernel: Path
    initramfs: Path
    options: str


def extract_boot_files(raw: Path, directory: Path) -> BootFiles:
    """Copy kernel and initramfs of the boot entry of a raw disk to ``directory``; the disk is only read.

    Raises WorkbookError where it has no boot entry, or the entry names a file that is missing or empty.
    """
    with open_raw_disk(raw) as disk:
        path = entry_path(list(disk.inodes), str(raw))
        entry = read_boot_entry(disk.content(path).decode(errors="replace"), f"{raw}: {path}")
        kernel = _copied(disk, entry.kernel, directory / "kernel")
        initramfs = _copied(disk, entry.initramfs, directory / "initramfs")
    return BootFiles(kernel, initramfs, entry.options)


def _copied(disk: RawDisk, path: str, copy: Path) -> Path:
    content = disk.content(path)
    if not content:
        raise WorkbookError(f"{disk.path}: {path} is named by the boot entry, but is empty")
    copy.write_bytes(content)
    return copy


def entry_path(paths: list[str], image: str) -> str:
    """The boot entry among an image's paths; of several the last by name, which a boot loader starts.

    Raises WorkbookError where there is none.
    """
    found = sorted(path for path in paths if _ENTRY.match(path))
    if not found:
        raise WorkbookError(f"{image}: no boot entry in /boot/loader/entries", hint="build the image again")
    return found[-1]


def read_boot_entry(text: str, source: str) -> BootEntry:
    """Read a boot entry; raises WorkbookError naming a key that is missing or no absolute path."""
    pairs = (line.strip().partition(" ") for line in text.splitlines())
    values = {key: value.strip() for key, _, value in pairs}
    for key in ("linux", "initrd"):
        if not values.get(key, "").startswith("/"):
            raise WorkbookError(f"{source}: {key}: no usable path: {values.get(key, '')!r}")
    return BootEntry(values["linux"], values["initrd"], values.get("options", ""))
