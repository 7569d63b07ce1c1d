"""What a hostile tree has at a path: links of every kind, FIFOs, devices, directories, and files that are too large."""

import os
import stat
from pathlib import Path

from atomic_lib.compose.tree_access.tree_files import FILE_BYTES, TreeFiles


def remove(path: Path) -> None:
    """Remove what the tree has at a path, so that something else can stand there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    TreeFiles(path.parent).remove(path.name)


def link_to_file(path: Path, host: Path) -> None:
    path.symlink_to(host / "secret")


def link_to_directory(path: Path, host: Path) -> None:
    path.symlink_to(host / "directory")


def relative_link(path: Path, host: Path) -> None:
    path.symlink_to(os.path.relpath(host / "directory", path.parent))


def relative_link_to_file(path: Path, host: Path) -> None:
    path.symlink_to(os.path.relpath(host / "secret", path.parent))


def chain(path: Path, host: Path) -> None:
    path.with_name("chain-1").symlink_to("chain-2")
    path.with_name("chain-2").symlink_to(host / "secret")
    path.symlink_to("chain-1")


def circle(path: Path, _: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path, _: Path) -> None:
    path.symlink_to("nothing/here")


def fifo(path: Path, _: Path) -> None:
    os.mkfifo(path)


def link_to_fifo(path: Path, _: Path) -> None:
    os.mkfifo(path.with_name("the-fifo"))
    path.symlink_to("the-fifo")


def device(path: Path, _: Path) -> None:
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero: without end


def link_to_device(path: Path, _: Path) -> None:
    path.symlink_to("/dev/zero")


def directory(path: Path, _: Path) -> None:
    (path / "below").mkdir(parents=True)
    (path / "below/file").touch()


def regular(path: Path, _: Path) -> None:
    path.write_text("a file\n")


def hard_link(path: Path, host: Path) -> None:
    path.hardlink_to(host / "secret")


def huge(path: Path, _: Path) -> None:
    path.touch()
    os.truncate(path, FILE_BYTES + 1)
