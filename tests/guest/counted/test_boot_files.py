"""Kernel, initramfs and command line of an image's boot entry, read out of the image."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.counted.boot_files import BootFiles, entry_path, extract_boot_files, read_boot_entry
from tests.formats.disk.disk_image import make_raw

ENTRY = """title Debian GNU/Linux 13 (trixie) (ostree:0)
version 1
options root=UUID=27fd2e8e-a159 rw ostree=/ostree/boot.1/fedora-atomic/cb/0
linux /boot/ostree/fedora-atomic-cb/vmlinuz-6.12.107+deb13-cloud-amd64
initrd   /boot/ostree/fedora-atomic-cb/initramfs-6.12.107+deb13-cloud-amd64.img
"""


def test_the_boot_entry_is_that_of_the_image() -> None:
    paths = ["/boot/loader", "/boot/loader.1/entries", "/boot/loader.1/entries/ostree-1.conf", "/etc/entries/a.conf"]
    assert entry_path(paths, "image") == "/boot/loader.1/entries/ostree-1.conf"
    assert entry_path(["/boot/loader/entries/6.1.conf", "/boot/loader/entries/6.2.conf"], "image").endswith("6.2.conf")
    with pytest.raises(WorkbookError, match="some image: no boot entry"):
        entry_path(["/boot/loader"], "some image")


def test_a_boot_entry_names_kernel_initramfs_and_options() -> None:
    entry = read_boot_entry(ENTRY, "entry")
    assert entry.kernel == "/boot/ostree/fedora-atomic-cb/vmlinuz-6.12.107+deb13-cloud-amd64"
    assert entry.initramfs.endswith("-cloud-amd64.img")
    assert entry.options == "root=UUID=27fd2e8e-a159 rw ostree=/ostree/boot.1/fedora-atomic/cb/0"


@pytest.mark.parametrize(("old", "key"), [("linux /", "linux"), ("initrd   /", "initrd")])
def test_an_entry_without_a_usable_path_is_an_error(old: str, key: str) -> None:
    with pytest.raises(WorkbookError, match=f"x.conf: {key}: no usable path"):
        read_boot_entry(ENTRY.replace(old, "nothing ", 1), "x.conf")


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A root file system as ostree's boot entry expects it."""
    boot = tmp_path / "content/boot"
    (boot / "loader.1/entries").mkdir(parents=True)
    (boot / "loader").symlink_to("loader.1")
    (boot / "loader.1/entries/ostree-1.conf").write_text(ENTRY)
    files = boot / "ostree/fedora-atomic-cb"
    files.mkdir(parents=True)
    (files / "vmlinuz-6.12.107+deb13-cloud-amd64").write_bytes(b"kernel" * 30_000)
    (files / "initramfs-6.12.107+deb13-cloud-amd64.img").write_bytes(b"initramfs" * 50_000)
    return tmp_path / "content"


def make_disk(content: Path, directory: Path) -> Path:
    make_raw(directory / "disk.raw", content)
    return directory / "disk.raw"


def test_what_the_boot_entry_names_is_copied_out_of_the_image(content: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    found = extract_boot_files(make_disk(content, tmp_path), tmp_path / "out")
    options = "root=UUID=27fd2e8e-a159 rw ostree=/ostree/boot.1/fedora-atomic/cb/0"
    assert found == BootFiles(tmp_path / "out/kernel", tmp_path / "out/initramfs", options)
    assert found.kernel.read_bytes() == b"kernel" * 30_000
    assert found.initramfs.read_bytes() == b"initramfs" * 50_000


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("vmlinuz-6.12.107+deb13-cloud-amd64", None, "disk.raw: no file /boot/ostree/fedora-atomic-cb/vmlinuz-"),
        ("vmlinuz-6.12.107+deb13-cloud-amd64", b"", "disk.raw: .*vmlinuz-.* is named by the boot entry, but is empty"),
        ("initramfs-6.12.107+deb13-cloud-amd64.img", None, "disk.raw: no file .*/initramfs-"),
    ],
)
def test_an_entry_that_names_no_file_is_an_error(
    content: Path, tmp_path: Path, name: str, data: bytes | None, message: str
) -> None:
    path = content / "boot/ostree/fedora-atomic-cb" / name
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(WorkbookError, match=message):
        extract_boot_files(make_disk(content, tmp_path), tmp_path)
