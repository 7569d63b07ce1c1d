"""A small disk with two deployments, as ostree leaves it, and a checker of its states."""

from dataclasses import dataclass
from pathlib import Path

from atomic_lib.formats.disk.ext4_layout import Layout
from atomic_lib.formats.disk.raw_disk import open_raw_disk
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState, Recorded
from atomic_lib.formats.disk_states.ext4_journal import open_journal
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.measure.power_cuts.state_check import StateChecker
from atomic_lib.measure.power_cuts.whole_tree import whole_tree
from atomic_lib.measure.power_cuts.whole_version import WholeVersion
from tests.formats.disk.disk_image import ROOT_START, make_raw

COMMITS = ("a" * 64, "b" * 64)
BOOT = "/boot/ostree/own"
MENU = "/boot/loader.1/syslinux.cfg"
KEPT = "/ostree/deploy/own/var/kept"


def deployment(version: int) -> str:
    """The directory of a version's deployment."""
    return f"/ostree/deploy/own/deploy/{COMMITS[version - 1]}.0"


def object_of(version: int) -> str:
    """The path of an object of a version."""
    return f"/ostree/repo/objects/0{version}/own.file"


@dataclass(frozen=True)
class Machine:
    """A disk whose menu starts version 2, and offers version 1."""

    raw: Path
    layout: Layout
    base: bytes
    checker: StateChecker

    @property
    def whole(self) -> DiskState:
        """The state in which all is whole."""
        return DiskState(Recorded(self.base, b""), {})

    def block_of(self, path: str) -> int:
        """The block of the disk in which the content of a file begins."""
        inode = FileView(self.whole, self.layout).lookup(path)
        assert inode is not None, path
        return inode.data[0][1] + ROOT_START // BLOCK_BYTES

    def lost(self, path: str) -> DiskState:
        """The state in which the first block of a file has not been written."""
        return self.whole.with_blocks({self.block_of(path): bytes(BLOCK_BYTES)})

    def table_of(self, path: str) -> int:
        """The block of the disk in which the inode of a file stands."""
        inode = FileView(self.whole, self.layout).lookup(path, follow=False)
        assert inode is not None, path
        return self.layout.inode_block(inode.number) + ROOT_START // BLOCK_BYTES


def make_machine(directory: Path) -> Machine:
    """Make the disk and the checker."""
    root, raw = directory / "root", directory / "disk.raw"
    _write_root(root)
    make_raw(raw, root)
    base = raw.read_bytes()
    with open_raw_disk(raw) as disk:
        layout = disk.files.layout
    state = DiskState(Recorded(base, b""), {})
    view = FileView(state, layout)
    versions = tuple(_version(view, number) for number in (1, 2))
    configuration = view.text("/boot/grub/grub.cfg")
    assert configuration is not None
    checker = StateChecker(
        layout, open_journal(state, layout), (versions[0], versions[1]), whole_tree(view, {}, [KEPT]), configuration
    )
    return Machine(raw, layout, base, checker)


def _version(view: FileView, number: int) -> WholeVersion:
    found = [view.lookup(f"{BOOT}-{number}/{name}") for name in ("vmlinuz", "initramfs")]
    kernel, initramfs = (view.digest(inode) for inode in found if inode)
    directory = deployment(number)
    return WholeVersion(
        f"version {number}",
        COMMITS[number - 1],
        whole_tree(view, {}, [f"{directory}/usr"]),
        whole_tree(view, {}, [f"{directory}/etc"]),
        whole_tree(view, {}, [object_of(number)]),
        (kernel, initramfs),
        1,
    )


def _write_root(root: Path) -> None:
    def write(path: str, text: str) -> None:
        (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / path.lstrip("/")).write_text(text)

    def link(path: str, target: str) -> None:
        (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / path.lstrip("/")).symlink_to(target)

    write("/boot/grub/grub.cfg", "syslinux_source\n")
    menu = "TIMEOUT 1\nDEFAULT 2\n"
    for number, commit in enumerate(COMMITS, 1):
        write(f"{BOOT}-{number}/vmlinuz", f"kernel {number}")
        write(f"{BOOT}-{number}/initramfs", f"initramfs {number}" * 1000)
        argument = f"ostree=/ostree/boot.1/own/{number}/0"
        menu += f"LABEL {number}\n\tKERNEL {BOOT}-{number}/vmlinuz\n\tINITRD {BOOT}-{number}/initramfs\n"
        menu += f"\tAPPEND rw {argument}\n"
        write(f"/boot/loader.1/entries/{number}.conf", f"title {number}\nlinux {BOOT}-{number}/vmlinuz\n"
              f"initrd {BOOT}-{number}/initramfs\noptions rw {argument}\n")  # fmt: skip
        link(f"/ostree/boot.1.1/own/{number}/0", f"../../../deploy/own/deploy/{commit}.0")
        write(f"{deployment(number)}/usr/bin/program", f"program {number}")
        write(f"{deployment(number)}/etc/own", f"own {number}")
        write(object_of(number), f"object {number}")
        write(f"/ostree/repo/refs/heads/own/{number}", f"{commit}\n")
    write(MENU, menu)
    link("/boot/loader", "loader.1")
    link("/ostree/boot.1", "boot.1.1")
    write(KEPT, "kept\n")
