"""Objects that an update will need, estimated from the files of its packages."""

import stat
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.compose.update import object_estimate
from atomic_lib.compose.update.object_estimate import (
    PackageFiles,
    estimate_loose,
    listed_sizes,
    made_for_kernel,
    objects_bytes,
)
from atomic_lib.formats.cpio import ArchivedMember, archive, link_to, text_file
from atomic_lib.tools.sandbox import Tools

SIZES = {"/": 100, "/usr/": 200, "/usr/bin/": 300, "/usr/etc/": 70, "/usr/etc/ld.so.cache": 2_000, "/usr/lib/": 50,
         "/usr/lib/sysimage/": 40, "/usr/lib/sysimage/rpm/": 41, "/usr/lib/sysimage/rpm/rpmdb.sqlite": 1_200_000,
         "/usr/bin/rsync": 99}  # fmt: skip
DATABASE = 1_200_000 + 41 + 40
"""The database, with the directories that only it is in."""


def member(path: str, data: bytes = b"", mode: int = stat.S_IFREG | 0o755) -> ArchivedMember:
    return ArchivedMember(path, mode, 0, 0, 0, 1, data)


def deflated(data: bytes) -> int:
    return len(zlib.compress(data, 6)) - 6


def test_a_new_file_is_an_object_and_changes_its_directories_and_the_database() -> None:
    text = b"program " * 1_000
    new = 80 + deflated(text) + 36 + len("lsof")
    assert objects_bytes([member("./usr/bin/lsof", text)], SIZES) == new + DATABASE + 300 + 200 + 100 + 50


def test_a_file_that_is_there_already_is_replaced() -> None:
    assert objects_bytes([member("./usr/bin/rsync", b"x")], SIZES) == 80 + 3 + DATABASE + 300 + 200 + 100 + 50


def test_a_library_changes_the_cache_of_the_linker_and_a_link_is_its_target() -> None:
    link = member("./usr/lib/x86_64/libpopt.so.0", b"libpopt.so.0.0.2", stat.S_IFLNK | 0o777)
    new = 80 + len("libpopt.so.0.0.2") + 36 + len("libpopt.so.0") + 36 + len("x86_64")
    assert objects_bytes([link], SIZES) == new + DATABASE + 2_000 + 70 + 50 + 200 + 100


def test_configuration_is_below_usr_in_a_commit() -> None:
    new = 80 + 3 + 36 + len("lsof.conf")
    assert objects_bytes([member("./etc/lsof.conf", b"x")], SIZES) == new + DATABASE + 70 + 50 + 200 + 100


KERNEL = {"/usr/lib/modules/6.1/": 9, "/usr/lib/modules/6.1/vmlinuz": 900, "/usr/lib/modules/6.1/kernel/fs.ko": 90,
          "/usr/lib/modules/6.1/initramfs.img": 2_000, "/usr/lib/modules/6.1/modules.dep": 30}  # fmt: skip
PACKAGED = {"/usr/lib/modules/6.1/vmlinuz", "/usr/lib/modules/6.1/kernel/fs.ko"}


def test_a_new_kernel_brings_what_is_in_no_package() -> None:
    new = [member("./usr/lib/modules/6.2/vmlinuz", b"x"), member("./usr/lib/modules/6.2/kernel/fs.ko", b"x")]
    made = {"/usr/lib/modules/6.2/initramfs.img": 2_000, "/usr/lib/modules/6.2/modules.dep": 30}
    assert made_for_kernel(new, KERNEL, PACKAGED) == made
    added = ("vmlinuz", "fs.ko", "kernel", "6.2", "initramfs.img", "modules.dep", "modules")
    entries = sum(36 + len(name) for name in added)
    files = 2 * (80 + 3) + 2_000 + 30
    assert objects_bytes(new, SIZES | KERNEL, made) == files + entries + DATABASE + 50 + 200 + 100


def test_a_kernel_of_the_same_release_has_another_initramfs_in_its_place() -> None:
    new = [member("./usr/lib/modules/6.1/vmlinuz", b"x")]
    assert made_for_kernel(new, KERNEL, PACKAGED)["/usr/lib/modules/6.1/initramfs.img"] == 2_000


@pytest.mark.parametrize(
    ("new", "sizes"),
    [
        (("./usr/bin/lsof",), KERNEL),
        (("./usr/lib/modules/6.2/vmlinuz",), SIZES),
        (("./usr/lib/modules/6.2/vmlinuz", "./usr/lib/modules/6.3/vmlinuz"), KERNEL),
    ],
)
def test_nothing_is_made_without_one_kernel_in_the_place_of_another(
    new: tuple[str, ...], sizes: dict[str, int]
) -> None:
    assert made_for_kernel([member(path) for path in new], sizes, PACKAGED) == {}


def test_no_new_file_changes_nothing() -> None:
    assert objects_bytes([member("./usr/bin", mode=stat.S_IFDIR | 0o755)], SIZES) == 0


@pytest.mark.parametrize(
    ("flags", "language", "installed"),
    [(0, "", True), (2, "", False), (130, "", True), (1, "", True), (0, "de", False), (0, "en", True)],
)
def test_documentation_and_languages_are_left_out_as_rpm_does(flags: int, language: str, installed: bool) -> None:
    assert PackageFiles((), (), documentation=False, languages=("en",)).installed(flags, language) is installed
    assert PackageFiles((), ()).installed(flags, language)


@dataclass(frozen=True)
class ListingTools(Tools):
    """Tools whose ostree and rpm list what they are given."""

    def run(self, words: Sequence[str | PathLike[str]], **_: Any) -> Completed:
        """Answer as the program does."""
        if words[0] == "ostree":
            lines = [
                f"d00755 0 0      0 {'a' * 64} {'b' * 64} /",
                f"-00644 0 0    123 {'c' * 64} /usr/own\u2028file",
                f"l00777 0 0      0 {'d' * 64} /usr/link -> own file",
            ]
            return Completed("\n".join(lines) + "\n", "")
        return Completed(
            "2  /usr/share/doc/own/README\n0  /usr/bin/lsof\n0  /usr/bin/kept\n0  /usr/bin/li\u2028nk\n", ""
        )


TOOLS = ListingTools(Path("/nonexistent"), "none")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, size_bytes in (("a", 11), ("c", 22), ("d", 33)):
        suffix = "dirtree" if name == "a" else "filez"
        path = tmp_path / f"objects/{name * 2}/{name * 62}.{suffix}"
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(size_bytes))
    return tmp_path


def test_the_objects_of_a_commit_are_listed_with_their_sizes(repository: Path) -> None:
    assert listed_sizes(TOOLS, repository, "commit") == {"/": 11, "/usr/own\u2028file": 22, "/usr/link": 33}


def test_what_a_replaced_package_has_already_is_no_new_object(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def payload(_: Tools, rpm: Path, __: Path) -> bytes:
        members = {"./usr/bin/kept": text_file("kept"), "./usr/share/doc/own/README": text_file("text")}
        if rpm.name == "new":
            members |= {"./usr/bin/lsof": text_file("x"), "./usr/bin/li\u2028nk": link_to("lsof")}
        return archive(members)

    monkeypatch.setattr(object_estimate, "unpacked_payload", payload)
    monkeypatch.setattr(object_estimate, "objects_bytes", lambda members, *_: len(members))
    files = PackageFiles((Path("new"),), (Path("old"),), documentation=False)
    assert estimate_loose(TOOLS, repository, "commit", files, repository) == 2
