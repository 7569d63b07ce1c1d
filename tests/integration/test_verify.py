"""A real variant built twice under hostile differences; and a difference planted in a real image, explained."""

import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.paths import cache_directory
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.installroot import settle_databases
from atomic_lib.formats.disk.file_system import FileSystem, read_file_system, root_of
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import Build, open_build
from atomic_lib.pipeline.verify.conditions import with_clock
from atomic_lib.pipeline.verify.differences import image_differences
from atomic_lib.pipeline.verify.initramfs_members import members_of
from atomic_lib.pipeline.verify.verify import verify_variant
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import open_tools

pytestmark = pytest.mark.integration

NAME = "atomic-min"
EPOCH = 1735689600
RPMDB = "/usr/lib/sysimage/rpm/rpmdb.sqlite"


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture(scope="module")
def build() -> Build:
    """The build of atomic-min, from the store where it is there."""
    return open_build(NAME)


@pytest.fixture(scope="module")
def raw(build: Build) -> Path:
    """Its raw disk."""
    return build.image.raw_disk(build.context)


def place_of(tree: FileSystem, path: str, at: int) -> int:
    """Where on the disk a byte of a file is."""
    for start, size in tree.entries[path].pieces:
        if at < size:
            assert start is not None
            return start + at
        at -= size
    raise AssertionError(f"{path} ends before that")


def test_a_variant_is_the_same_in_every_bit_when_all_around_it_differs(tmp_path: Path, build: Build) -> None:
    cache, image = cache_directory(), build.image
    found, text = verify_variant(
        load_variant(NAME), cache=cache, other_cache=cache, other_store=tmp_path / "other", results=tmp_path / "results"
    )
    assert (found.same, text) == (True, "")
    assert list(found.checksums) == ["RPM repository", "lock", "content", "commit", "disk.raw", "disk.qcow2"]
    # and it is what the store has, made at another time
    assert found.checksums["disk.raw"] == (image.sha256, image.sha256)
    assert found.checksums["disk.qcow2"] == (image.compressed_sha256, image.compressed_sha256)
    assert found.keys["image"] == (image.key, image.key)
    same = {"cache", "root is user", "file system", "processors"}
    assert [name for name, (one, other) in found.conditions.items() if one == other and name not in same] == []
    assert found.conditions["processors"][1] == "1"
    assert list((tmp_path / "results").iterdir()) == []


def test_the_clock_is_ahead_in_the_tools_tree_and_in_a_tree_under_construction(tools: Tools, tmp_path: Path) -> None:
    ahead = with_clock(tools, 1000, tmp_path)
    root = Bind(tools.root, "/mnt/root")
    words = ["date", "+%s"]
    now = int(tools.run(words).stdout)
    seen = (
        int(ahead.run(words).stdout),
        int(ahead.run(["chroot", "/mnt/root", *words], binds=[root], rights="root", filesystems=["/mnt/root"]).stdout),
    )
    assert [round((time - now) / 86400) for time in seen] == [1000, 1000]
    assert "faketime" not in ahead.run(["/dev/ldd", "/usr/bin/date"]).stdout


def test_the_databases_of_a_tree_do_not_tell_when_it_was_made(tools: Tools, tmp_path: Path) -> None:
    contents = []
    for day in (1, 2):
        tree = Installroot(tools, tmp_path / str(day), EPOCH)
        state = tree.root / "var/lib/dnf"
        state.mkdir(parents=True)
        (state / "history.sqlite-old").touch()
        with closing(sqlite3.connect(state / "history.sqlite")) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE trans (id INTEGER PRIMARY KEY, dt_begin, dt_end, user_id, cmdline)")
            database.execute("CREATE TABLE console_output (line)")
            database.execute("INSERT INTO trans VALUES (1, ?, ?, ?, 'install bash')", (day, day + 1, day * 1000))
            database.execute("INSERT INTO console_output VALUES (?)", (f"line {day}",))
            database.commit()
        settle_databases(tree)
        assert [path.name for path in state.iterdir()] == ["history.sqlite"]
        contents.append((state / "history.sqlite").read_bytes())
    assert contents[0] == contents[1]
    with closing(sqlite3.connect(tmp_path / "1/var/lib/dnf/history.sqlite")) as database:
        assert database.execute("SELECT * FROM trans").fetchall() == [(1, EPOCH, EPOCH, -1, "install bash")]


def test_differences_planted_in_a_real_image_are_explained(tools: Tools, raw: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.raw"
    command.run(["cp", "--sparse=always", raw, changed])
    tree = root_of(read_file_system(raw))
    installed = tree.content(RPMDB).index(
        struct.pack(">I", EPOCH)
    )  # of the first package: when, or in which transaction
    with open(changed, "r+b") as disk:
        for path, at, data in ((RPMDB, installed, struct.pack(">I", EPOCH + 1)), ("/etc/issue", 0, b"?")):
            os.pwrite(disk.fileno(), data, place_of(tree, path, at))
    told = image_differences(raw, changed, tools)
    assert told[0].startswith("/etc/issue: content: ")
    assert any(line.startswith(f"{RPMDB}: content: ") for line in told)
    assert sum(f": {EPOCH} ≠ {EPOCH + 1}" in line and "tag INSTALLTI" in line for line in told) == 1


def test_a_real_initramfs_is_read_member_by_member(tools: Tools, raw: Path) -> None:
    tree = root_of(read_file_system(raw))
    (path,) = (
        path for path in tree.entries if path.startswith("/usr/lib/modules/") and path.endswith("/initramfs.img")
    )
    members = members_of(tree.content(path), tools)
    assert {"init", "usr/lib/systemd/systemd"} <= {name.removeprefix("./") for name in members}
    assert len(members) > 500
