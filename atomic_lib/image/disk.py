"""The image stage: builds a disk that boots with BIOS and UEFI, without loop devices.

Layout: GPT; a BIOS boot partition with GRUB's core image; an EFI system partition with
GRUB's EFI program; an ext4 root file system that contains /boot. Everything that starts the
system finds this file system by its UUID: a second disk of the workbook is then no danger.
"""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import Range, file_digest
from atomic_lib.base.progress import step
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import file_sha256, key_of
from atomic_lib.compose.tree import LOG, recipe_inputs
from atomic_lib.compose.tree_access.walk import Entry, read_entries, walk_tree, write_entries
from atomic_lib.formats.disk.extents import allocated_ranges
from atomic_lib.formats.disk.gpt import SECTOR_BYTES
from atomic_lib.image.bootloader import BIOS_BOOT_SECTOR, make_loaders
from atomic_lib.image.checksum import disk_sha256
from atomic_lib.image.identity import fixed_uuid, root_uuid
from atomic_lib.image.sysroot import ImageRequest, kernel_arguments, make_sysroot, origin_of
from atomic_lib.image.uncompressed_disk import UncompressedDisk, put_raw_disk, raw_disk
from atomic_lib.params.variant import Variant
from atomic_lib.tools.context import Context
from atomic_lib.tools.memory import MOST_MEMORY, in_memory
from atomic_lib.tools.sandbox import Bind, Tools

_ALLOCATED = "allocated.json"
_BLOCK_BYTES = 4096
_BESIDE_ROOT_MIB = 1024
"""So that a tree that is a little too large is refused by mke2fs, for its size."""
_MIB_SECTORS = 2048
# FAT32 needs at least 65,525 clusters; firmware would read a smaller file system as FAT16.
_ESP_SECTOR, _ESP_MIB = 2 * _MIB_SECTORS, 36
_ROOT_SECTOR = _ESP_SECTOR + _ESP_MIB * _MIB_SECTORS
_END_MIB = 1
_TYPES = {
    "bios": "21686148-6449-6E6F-744E-656564454649",
    "esp": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "root": "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709",
}
"""Partition types: GRUB's manual (BIOS boot), UEFI specification, Discoverable Partitions Specification (x86-64)."""


@dataclass(frozen=True)
class Image:
    """A disk image, compressed as ``qcow2``; the same disk as a raw file is made again where it is needed.

    ``virtual_bytes`` and ``allocated_bytes``: size and allocated size of the raw disk, a sparse file, when it was made.
    """

    key: str
    directory: Path
    virtual_bytes: int
    allocated_bytes: int
    compressed_bytes: int
    seconds: float
    reused: bool
    sha256: str = ""
    """The sha256 of the raw disk, in hex."""
    compressed_sha256: str = ""
    digest: str = ""
    """Of the raw disk, as ``file_digest`` has it."""

    def raw_disk(self, context: Context) -> Path:
        """The disk as a sparse file, in the store until this process ends; made again if it is not there.

        Raises WorkbookError if that is not possible.
        """
        return raw_disk(self._raw_disk, context)

    def raw_path(self, context: Context) -> Path:
        """The path of ``raw_disk``, whether the file is there or not."""
        return self._raw_disk.path(context)

    @property
    def _raw_disk(self) -> UncompressedDisk:
        return UncompressedDisk(self.key, self.qcow2, self.digest)

    @property
    def qcow2(self) -> Path:
        """The disk, compressed."""
        return self.directory / "disk.qcow2"

    def entries(self) -> list[Entry]:
        """All paths in the root file system."""
        return read_entries(self.directory / "entries.jsonl")

    def allocated_ranges(self) -> list[Range]:
        """The allocated ranges of the raw disk when it was made. One that is made again may have other holes."""
        return [(start, end) for start, end in json.loads((self.directory / _ALLOCATED).read_text())]


def build_image(request: ImageRequest, context: Context) -> Image:
    """The variant's disk image; built first if it is not in the store.

    Raises WorkbookError if the tree does not fit into the root file system, and for kernel arguments with special
    characters.
    """
    stored = IMAGE.get(request, context)
    return replace(image_in(stored.path), seconds=stored.seconds, reused=stored.reused)


def image_in(directory: Path) -> Image:
    """The image in a directory of the store."""
    facts = json.loads((directory / "image.json").read_text())
    return Image(key=directory.name, directory=directory, seconds=0.0, reused=True, **facts)


def _inputs(request: ImageRequest, _: Context) -> dict[str, object]:
    variant, recipe, content = request.variant, request.recipe, request.content
    origin = origin_of(variant, recipe)
    deployed = {"origin": [origin.stateroot, origin.remote, origin.ref], "settings": recipe_inputs(recipe)}
    return {
        **(deployed if recipe.ostree_source else {}),
        **({"automatic_return": variant.automatic_return} if variant.automatic_return else {}),
        "tree": request.tree.key,
        "root_mib": request.root_mib,
        "kernel_arguments": kernel_arguments(variant, recipe, content),
        "boot_loader_timeout_seconds": recipe.boot_loader_timeout_seconds,
        "policy": content.selinux_policy,
        "variant": variant.disk_name or variant.variant,
        "version": variant.version,
        "source_date_epoch": variant.source_date_epoch,
    }


def _make(request: ImageRequest, context: Context, directory: Path) -> None:
    with machine_lock(context.cache, IMAGE.title(request)):
        _build(request, context, directory)
    _hand_over(key_of(IMAGE.key_inputs(request, context)), context, directory)


def _hand_over(key: str, context: Context, directory: Path) -> None:
    """Move the raw disk to its own place in the store, where it is measured and booted, but not kept."""
    raw = directory / "disk.raw"
    put_raw_disk(UncompressedDisk(key, directory / "disk.qcow2", image_in(directory).digest, made=raw), context)
    raw.unlink(missing_ok=True)


def _build(request: ImageRequest, context: Context, directory: Path) -> None:
    variant, tools = request.variant, context.tools
    # scripts of a recipe that deploys a commit run in there, and may fill it
    size = f"{request.root_mib + _BESIDE_ROOT_MIB}m" if request.recipe.ostree_source else MOST_MEMORY
    with in_memory(directory / "content", size) as memory, ThreadPoolExecutor(1) as beside:
        loaders = beside.submit(_write_loaders, variant, tools, directory, request.root_mib)
        with step(f"{variant.variant}: deploy"):
            sysroot = make_sysroot(request, tools, memory, directory / LOG)
            loaders.result()
        with step(f"{variant.variant}: write the disk"):
            entries = beside.submit(lambda: write_entries(walk_tree(sysroot), directory / "entries.jsonl"))
            _write_root(variant, tools, sysroot, directory, request.root_mib)
            entries.result()
    with step(f"{variant.variant}: compress"), ThreadPoolExecutor(1) as beside:
        of_raw = beside.submit(_raw_facts, directory)
        compress(tools, directory)
        qcow2 = directory / "disk.qcow2"
        facts = {"compressed_bytes": qcow2.stat().st_size, "compressed_sha256": file_sha256(qcow2), **of_raw.result()}
    (directory / "image.json").write_text(json.dumps(facts))


def _raw_facts(directory: Path) -> dict[str, int | str]:
    """What is kept of the raw disk: its sizes and digests, and beside them which parts of it are allocated."""
    raw = directory / "disk.raw"
    digests = {"sha256": disk_sha256(raw), "digest": file_digest(raw)}
    (directory / _ALLOCATED).write_text(json.dumps(allocated_ranges(raw)))
    status = raw.stat()
    return {"virtual_bytes": status.st_size, "allocated_bytes": status.st_blocks * SECTOR_BYTES, **digests}


def compress(tools: Tools, directory: Path) -> None:
    """Write the disk ``disk.raw`` of a directory as a compressed ``disk.qcow2`` beside it."""
    tools.run(
        ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", "-o", "compression_type=zstd", "-m", "4",
         "/mnt/out/disk.raw", "/mnt/out/disk.qcow2"],
        binds=[Bind(directory, "/mnt/out", writable=True)],
    )  # fmt: skip


IMAGE = Stage(
    "image",
    _make,
    _inputs,
    title=lambda request: f"{request.variant.variant}: build the image",
    space_bytes=3_500_000_000,
)


def partition_script(variant: Variant, root_mib: int) -> str:
    """The partition table as a script for sfdisk."""
    rows = (
        ("bios", BIOS_BOOT_SECTOR, _MIB_SECTORS),
        ("esp", _ESP_SECTOR, _ESP_MIB * _MIB_SECTORS),
        ("root", _ROOT_SECTOR, root_mib * _MIB_SECTORS),
    )
    head = f"label: gpt\nlabel-id: {fixed_uuid(variant, 'disk')}\nfirst-lba: 34\n"
    return head + "".join(
        f"start={start}, size={size}, type={_TYPES[name]}, uuid={fixed_uuid(variant, name)}, name={name}\n"
        for name, start, size in rows
    )


def mke2fs_command(variant: Variant, content: str, disk: str, root_mib: int) -> list[str]:
    """The command that fills the root partition of ``disk`` with ``content``: UUID and hash seed are fixed."""
    options = f"offset={_ROOT_SECTOR * SECTOR_BYTES},hash_seed={fixed_uuid(variant, 'hash')},root_owner=0:0"
    return ["mke2fs", "-q", "-t", "ext4", "-L", "root", "-U", root_uuid(variant), "-E", options,
            "-d", content, disk, f"{root_mib * 1024}k"]  # fmt: skip


def _write_loaders(variant: Variant, tools: Tools, directory: Path, root_mib: int) -> None:
    """Make the disk, with all but the content of its root partition."""
    raw, loader = directory / "disk.raw", directory / "loader"
    loader.mkdir()
    with open(raw, "wb") as disk:
        disk.truncate((_ROOT_SECTOR + (root_mib + _END_MIB) * _MIB_SECTORS) * SECTOR_BYTES)
    binds = [Bind(directory, "/mnt/out", writable=True)]
    tools.run(["sfdisk", "--quiet", "/mnt/out/disk.raw"], binds=binds, input=partition_script(variant, root_mib))
    code, core, efi = make_loaders(tools, loader, root_uuid(variant), counts=variant.automatic_return > 0)
    _make_esp(variant, tools, loader, efi.name)
    with open(raw, "r+b") as disk:
        disk.write(code)
        disk.seek(BIOS_BOOT_SECTOR * SECTOR_BYTES)
        disk.write(core)
        _write_sparse(disk, (loader / "esp.img").read_bytes(), _ESP_SECTOR * SECTOR_BYTES)
    shutil.rmtree(loader)


def _write_root(variant: Variant, tools: Tools, sysroot: Path, directory: Path, root_mib: int) -> None:
    binds = [Bind(directory, "/mnt/out", writable=True), Bind(sysroot, "/mnt/sysroot")]
    env = {"SOURCE_DATE_EPOCH": str(variant.source_date_epoch)}
    try:
        words = mke2fs_command(variant, "/mnt/sysroot", "/mnt/out/disk.raw", root_mib)
        tools.run(words, binds=binds, rights="root", env=env)
    except CommandError as error:
        raise WorkbookError(
            f"{variant.variant}: the tree does not fit into a root file system of {root_mib} MiB, or mke2fs failed",
            log=error.log or error.message,
            hint="raise root_size_mib (ostree) or `part / --size` (kickstart)",
        ) from None


def _write_sparse(disk: BinaryIO, data: bytes, start: int) -> None:
    """Write ``data`` at ``start``, with holes for blocks of zeros."""
    for offset in range(0, len(data), _BLOCK_BYTES):
        block = data[offset : offset + _BLOCK_BYTES]
        if block.strip(b"\0"):
            disk.seek(start + offset)
            disk.write(block)


def _make_esp(variant: Variant, tools: Tools, loader: Path, program: str) -> None:
    binds = [Bind(loader, "/mnt/loader", writable=True)]
    env = {"SOURCE_DATE_EPOCH": str(variant.source_date_epoch), "MTOOLS_SKIP_CHECK": "1"}
    volume = fixed_uuid(variant, "esp").replace("-", "")[:8]
    for words in (
        ["mkfs.vfat", "-F", "32", "-s", "1", "-n", "EFI", "-i", volume, "--invariant", "-C", "/mnt/loader/esp.img",
         str(_ESP_MIB * 1024)],
        ["mmd", "-i", "/mnt/loader/esp.img", "::/EFI", "::/EFI/BOOT"],
        ["mcopy", "-i", "/mnt/loader/esp.img", f"/mnt/loader/{program}", "::/EFI/BOOT/BOOTX64.EFI"],
    ):  # fmt: skip
        tools.run(words, binds=binds, env=env)
