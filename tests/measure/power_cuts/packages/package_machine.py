"""A small disk of a system that packages are made of, before and after an update, and a checker of its states.

Its RPM database is a text, which ``TextTools`` reads in rpm's place.
"""

import io
import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from atomic_lib.base import command
from atomic_lib.base.command import CommandError
from atomic_lib.formats.disk.ext4_layout import Layout
from atomic_lib.formats.disk.raw_disk import open_raw_disk
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState, Recorded, Source
from atomic_lib.formats.disk_states.ext4_journal import open_journal
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.measure.power_cuts.packages.package_check import PackageChecker, PackageVersions
from atomic_lib.measure.power_cuts.verdict import Moment, RecordedEnds
from atomic_lib.tools.sandbox import Tools
from tests.formats.disk.disk_image import ROOT_START, make_raw

DATABASE = "/usr/lib/sysimage/rpm/rpmdb.sqlite"
KEPT = "/var/lib/kept"
ALPHA, BETA, STAYS = "/usr/bin/alpha", "/usr/bin/beta", "/usr/bin/stays"
CONFIGURATION = "/etc/beta.conf"
CACHE = "/usr/lib/stays.cache"
"""A file of a package that stays, which a script of the update changes."""
MALFORMED = "malformed"
"""The last line of a database that rpm lists, but does not verify."""
_MAGIC = "text database"
_HEADERS = {"alpha-1": "a" * 64, "alpha-2": "b" * 64, "beta-1": "c" * 64, "beta-2": "d" * 64, "stays-1": "e" * 64}


class TextTools(Tools):
    """Answers as rpm does, of a database that is a text."""

    def run(self, words: Sequence[str | os.PathLike[str]], **options: Any) -> command.Completed:
        with tarfile.open(fileobj=io.BytesIO(options["input"])) as tar:
            (name,) = tar.getnames()
            member = tar.extractfile(name)
            assert member is not None
            lines = member.read().rstrip(b"\0").decode().splitlines()
        if lines[:1] != [_MAGIC]:
            error = CommandError("rpm failed")
            error.status, error.stdout, error.stderr = 1, "", "error: sqlite failure: file is not a database"
            raise error
        kind = "file\t" if "[file" in str(words[-1]) else "package "
        said = "".join(f"{line}\n" for line in lines if line.startswith(kind))
        if lines[-1] == MALFORMED:
            error = CommandError("rpmdb failed")
            error.status, error.stdout, error.stderr = 1, said, "error: malformed"
            raise error
        return command.Completed(said, "")


def database(contents: Mapping[str, str], *names: str) -> bytes:
    """A database with packages, whose files have these contents."""
    lines = [_MAGIC, "package gpg-pubkey gpg-pubkey-1 (none)"]
    lines += [f"package {name.partition('-')[0]} {name} {_HEADERS[name]}" for name in names]
    for name in names:
        for path, flags in _paths(name):
            digest = sha256(contents[path].encode()).hexdigest()
            lines.append(f"file\t{name}\t0\t0100644\t{digest}\t{flags}\t{path}")
        lines.append(f"file\t{name}\t2\t0100644\t{'0' * 64}\td\t/usr/share/doc/{name}")
        lines.append(f"file\t{name}\t0\t0100644\t{'0' * 64}\tg\t/var/log/{name}")
    return "\n".join(lines).encode().ljust(BLOCK_BYTES, b"\0")


def _paths(name: str) -> list[tuple[str, str]]:
    own = {"alpha": [(ALPHA, "")], "beta": [(BETA, ""), (CONFIGURATION, "c")], "stays": [(STAYS, ""), (CACHE, "")]}
    more = [("/usr/bin/beta-more", "")] if name == "beta-2" else []
    return [*own[name.partition("-")[0]], *more]


@dataclass(frozen=True)
class PackageMachine:
    """The disk before the update; ``update``: the blocks that it writes."""

    layout: Layout
    base: bytes
    update: Mapping[int, Source]
    contents: tuple[Mapping[str, str], Mapping[str, str]]
    checker: PackageChecker

    @property
    def before(self) -> DiskState:
        """The state of version 1."""
        return DiskState(Recorded(self.base, b""), {})

    @property
    def after(self) -> DiskState:
        """The state of version 2."""
        return self.before.with_blocks(self.update)

    def block_of(self, state: DiskState, path: str) -> int:
        """The block of the disk in which the content of a file begins."""
        inode = FileView(state, self.layout).lookup(path)
        assert inode is not None, path
        return inode.data[0][1] + ROOT_START // BLOCK_BYTES

    def with_content(self, state: DiskState, path: str, content: bytes) -> DiskState:
        """A state in which the first block of a file has another content."""
        return state.with_blocks({self.block_of(state, path): content.ljust(BLOCK_BYTES, b"\0")})

    def with_database(self, state: DiskState, *names: str, after: bool = False) -> DiskState:
        """A state whose database has these packages; ``after``: with the digests of version 2's files."""
        return self.with_content(state, DATABASE, database(self.contents[after], *names))


def make_package_machine(directory: Path, *, other: Mapping[str, str] | None = None) -> PackageMachine:
    """Make the disk and the checker; ``other``: contents of files of version 2 that no header has."""
    contents = (_contents("1"), {**_contents("2"), "/usr/bin/beta-more": "more 2\n"})
    names = (("alpha-1", "beta-1", "stays-1"), ("alpha-2", "beta-2", "stays-1"))
    disks = []
    for number in (0, 1):
        root, raw = directory / f"root-{number}", directory / f"disk-{number}.raw"
        written = {**contents[number], **((other or {}) if number else {})}
        for path, text in written.items():
            _write(root, path, text.encode())
        _write(root, DATABASE, database(contents[number], *names[number]))
        make_raw(raw, root)
        disks.append(raw.read_bytes())
    with open_raw_disk(directory / "disk-0.raw") as disk:
        layout = disk.files.layout
    update = _differences(*disks)
    moments = [Moment(FileView(DiskState(Recorded(disks[0], b""), blocks), layout), blocks) for blocks in ({}, update)]
    journal = open_journal(DiskState(Recorded(disks[0], b""), {}), layout)
    ends = RecordedEnds("own", layout, journal, *moments)
    checker = PackageVersions(("one", "two"), (KEPT,)).checker(ends, TextTools(Path("/nonexistent"), "none"))
    return PackageMachine(layout, disks[0], update, contents, checker)


def _contents(version: str) -> dict[str, str]:
    return {
        "/boot/grub/grub.cfg": "menuentry {\n  linux /boot/vmlinuz-6 ro\n  initrd /boot/initramfs-6.img\n}\n",
        "/boot/vmlinuz-6": "kernel",
        "/boot/initramfs-6.img": "initramfs" * 1000,
        "/sbin/init": "init",
        ALPHA: f"alpha {version}\n",
        BETA: f"beta {version}\n",
        CONFIGURATION: "beta's\n",
        STAYS: "stays\n",
        CACHE: f"cache {version}\n",
        "/etc/own": "the administrator's\n",
        "/etc/cache": f"cache {version}\n",
        KEPT: "kept\n",
    }


def _write(root: Path, path: str, content: bytes) -> None:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(0o644)


def _differences(before: bytes, after: bytes) -> dict[int, Source]:
    places = range(0, len(before), BLOCK_BYTES)
    return {
        place // BLOCK_BYTES: after[place : place + BLOCK_BYTES]
        for place in places
        if before[place : place + BLOCK_BYTES] != after[place : place + BLOCK_BYTES]
    }
