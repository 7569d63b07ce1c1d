"""The kernel, initramfs and command line that an image's boot loader would start, read out of the image.

Boot entries: https://uapi-group.org/specifications/specs/boot_loader_specification/
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.image.disk import SECTOR_BYTES, Image
from atomic_lib.tools.sandbox import Bind, Tools

_ENTRY = re.compile(r"^/boot/loader[^/]*/entries/[^/]+\.conf$")
# What debugfs takes as one word.
_PLAIN_PATH = re.compile(r"^/[\w./+~:@-]+$")


@dataclass(frozen=True)
class BootEntry:
    """A boot entry: paths in the image's root file system, and the kernel's command line."""

    kernel: str
    initramfs: str
    options: str


@dataclass(frozen=True)
class BootFiles:
    """What the boot entry names, copied out of the image."""

    kernel: Path
    initramfs: Path
    options: str


def extract_boot_files(tools: Tools, image: Image, directory: Path) -> BootFiles:
    """Copy kernel and initramfs of the image's boot entry to ``directory``; the image is only read.

    Raises WorkbookError where the image has no boot entry or the entry names what is not there.
    """
    reader = _Reader(tools, image, root_offset_bytes(tools, image), directory)
    path = entry_path([entry.path for entry in image.entries()], str(image.raw))
    entry = read_boot_entry(reader.text(path), f"{image.raw}: {path}")
    return BootFiles(reader.copy(entry.kernel, "kernel"), reader.copy(entry.initramfs, "initramfs"), entry.options)


def entry_path(paths: list[str], image: str) -> str:
    """The boot entry among an image's paths; of several the last by name, as a boot loader lists them.

    Raises WorkbookError where there is none.
    """
    found = sorted(path for path in paths if _ENTRY.match(path))
    if not found:
        raise WorkbookError(f"{image}: no boot entry in /boot/loader/entries", hint="build the image again")
    return found[-1]


def read_boot_entry(text: str, source: str) -> BootEntry:
    """Read a boot entry. Raises WorkbookError naming the key that is missing or odd."""
    pairs = (line.strip().partition(" ") for line in text.splitlines())
    values = {key: value.strip() for key, _, value in pairs}
    for key in ("linux", "initrd"):
        if not _PLAIN_PATH.match(values.get(key, "")):
            raise WorkbookError(f"{source}: {key}: no usable path: {values.get(key, '')!r}")
    return BootEntry(values["linux"], values["initrd"], values.get("options", ""))


def root_offset_bytes(tools: Tools, image: Image) -> int:
    """Where the partition named ``root`` begins on the image's disk."""
    table = tools.run(["sfdisk", "--json", "/mnt/image"], binds=[Bind(image.raw, "/mnt/image")]).stdout
    for partition in json.loads(table)["partitiontable"]["partitions"]:
        if partition.get("name") == "root":
            return int(partition["start"]) * SECTOR_BYTES
    raise WorkbookError(f"{image.raw}: no partition is named root", hint="build the image again")


@dataclass(frozen=True)
class _Reader:
    tools: Tools
    image: Image
    offset_bytes: int
    directory: Path

    def text(self, path: str) -> str:
        return self._debugfs(f"cat {path}")

    def copy(self, path: str, name: str) -> Path:
        self._debugfs(f"dump {path} /mnt/out/{name}")
        copied = self.directory / name
        # debugfs reports a missing file, and succeeds
        if not copied.is_file() or copied.stat().st_size == 0:
            raise WorkbookError(f"{self.image.raw}: {path} is named by the boot entry, but is not there or empty")
        return copied

    def _debugfs(self, request: str) -> str:
        binds = [Bind(self.image.raw, "/mnt/image"), Bind(self.directory.absolute(), "/mnt/out", writable=True)]
        return self.tools.run(["debugfs", "-R", request, f"/mnt/image?offset={self.offset_bytes}"], binds=binds).stdout
