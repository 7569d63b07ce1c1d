"""Commits made to harm: each is refused by name or harmless, and what lies beside them stays as it was."""

import hashlib
import shutil
import stat
import struct
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.pipeline.build import Build
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.contexts import mounts_below
from tests.integration.commits import REF, make_commit
from tests.integration.test_ostreesetup import build_of, refusal

pytestmark = pytest.mark.integration

SECRET = "of the host"


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A directory of the host, with what a link of a commit may want to reach."""
    host = tmp_path / "host"
    for name in ("rpmdb.sqlite", "file_contexts", "1/vmlinuz", "passwd"):
        (host / name).parent.mkdir(parents=True, exist_ok=True)
        (host / name).write_text(SECRET)
    return host


def state_of(directory: Path) -> dict[str, object]:
    return {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns) for path in directory.rglob("*")}


def replaced(name: str, target: Path) -> Callable[[Path], None]:
    """Puts a link to a path of the host in place of a path of the tree."""

    def change(root: Path) -> None:
        path = root / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    return change


def pulled(tools: Tools, directory: Path, change: Callable[[Path], None], *, packages: bool = True) -> Build:
    directory.mkdir(exist_ok=True)
    made = make_commit(tools, directory / "made", change=change, packages=packages)
    return build_of(tools, directory / "own", made.repo.as_uri())


def test_a_link_out_of_the_commit_is_not_followed_when_it_is_read(tools: Tools, host: Path, tmp_path: Path) -> None:
    def change(root: Path) -> None:
        (root / "usr/etc/selinux").mkdir()
        (root / "usr/etc/selinux/config").write_text("SELINUXTYPE=own\n")
        replaced("usr/etc/selinux/own/contexts/files", host)(root)

    before = state_of(host)
    assert not pulled(tools, tmp_path / "contexts", change).tree.contexts.exists()
    database = refusal(pulled(tools, tmp_path / "database", replaced("usr/lib/sysimage/rpm", host)))
    assert database.message.endswith(
        "has no RPM database in /usr/lib/sysimage/rpm or /usr/share/rpm, so its packages are not known"
    )
    assert state_of(host) == before


@pytest.mark.parametrize("name", ["var", "run", "boot", "sysroot"])
def test_a_mount_point_that_is_a_link_is_refused_before_anything_is_mounted(
    tools: Tools, host: Path, tmp_path: Path, name: str
) -> None:
    before = state_of(host)
    build = pulled(tools, tmp_path, replaced(name, host))
    with pytest.raises(WorkbookError, match=rf"commit {build.tree.commit}: /{name} is no directory"):
        _ = build.image
    assert (state_of(host), mounts_below(tmp_path)) == (before, [])


@pytest.mark.parametrize("name", ["dev", "proc"])
def test_what_the_kernel_mounts_over_must_be_a_directory(tools: Tools, host: Path, tmp_path: Path, name: str) -> None:
    found = refusal(pulled(tools, tmp_path, replaced(name, host)))
    assert found.message.endswith(f"/{name} is no directory")


@pytest.mark.parametrize("name", ["usr/etc/passwd", "usr/etc/ostree", "usr/etc/hostname", "usr/etc/shadow"])
def test_a_setting_is_not_written_through_a_link_of_the_commit(
    tools: Tools, host: Path, tmp_path: Path, name: str
) -> None:
    before = state_of(host)
    build = pulled(tools, tmp_path, replaced(name, host / "passwd"))
    with suppress(WorkbookError):
        _ = build.image
    assert state_of(host) == before
    assert (host / "passwd").read_text() == SECRET


def test_a_commit_without_packages_is_refused(tools: Tools, tmp_path: Path) -> None:
    assert "has no RPM database" in refusal(pulled(tools, tmp_path, lambda _: None, packages=False)).message


def test_a_database_that_is_none_is_refused(tools: Tools, tmp_path: Path) -> None:
    def change(root: Path) -> None:
        (root / "usr/lib/sysimage/rpm/rpmdb.sqlite").write_bytes(b"no database" * 1000)

    found = refusal(pulled(tools, tmp_path, change))
    assert found.message.endswith("its RPM database cannot be read")
    assert "rpmdb" in found.log or "sqlite" in found.log


@dataclass(frozen=True)
class Forged:
    """An archive repository of a commit that no ostree would make; objects are written as GVariant has them.

    Source of the formats: libostree's ostree-core.h and ostree-core.c, and GVariant's specification.
    """

    repo: Path

    def add(self, data: bytes, kind: str, checksum: str = "") -> bytes:
        """Write an object; returns its checksum."""
        name = checksum or hashlib.sha256(data).hexdigest()
        path = self.repo / "objects" / name[:2] / f"{name[2:]}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return bytes.fromhex(name)

    def add_file(self, mode: int, content: bytes = b"", target: bytes = b"") -> bytes:
        """Write a file: uid, gid, mode, device, target and attributes; in an archive with the size before them."""
        fields = struct.pack(">IIII", 0, 0, mode, 0) + target + b"\0"
        header, sized = fields + bytes([len(fields)]), struct.pack(">Q", len(content)) + fields
        sized += bytes([len(sized)])
        checksum = hashlib.sha256(struct.pack(">II", len(header), 0) + header + content).hexdigest()
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(content) + packer.flush()
        return self.add(struct.pack(">II", len(sized), 0) + sized + body, "filez", checksum)

    def add_commit(self, name: bytes, file: bytes) -> None:
        """Write a commit of a root directory with one file, and have the ref name it."""
        entry = name + b"\0" + file + bytes([len(name) + 1])
        files = entry + bytes([len(entry)])
        self.add_root(self.add(files + bytes([len(files)]), "dirtree"))

    def add_directories(self, names: Sequence[bytes], tree: bytes) -> bytes:
        """Write a directory that has the directory ``tree`` under each name; returns its checksum."""
        entries = [name + b"\0" + tree + self.meta + bytes([len(name) + 33, len(name) + 1]) for name in names]
        ends = [sum(map(len, entries[: at + 1])) for at in range(len(entries))]
        return self.add(b"".join(entries) + bytes(ends) + bytes([0]), "dirtree")

    @property
    def meta(self) -> bytes:
        """The owner and mode of a directory."""
        return self.add(struct.pack(">III", 0, 0, stat.S_IFDIR | 0o755), "dirmeta")

    def add_root(self, tree: bytes) -> None:
        """Write a commit of a root directory, and have the ref name it."""
        meta = self.meta
        head = b"x\0" + b"\0" + bytes(5) + struct.pack(">Q", 1)
        commit = self.add(head + tree + meta + bytes([len(head + tree), 3, 2, 0, 0, 0]), "commit")
        ref = self.repo / "refs/heads" / REF
        ref.parent.mkdir(parents=True)
        ref.write_text(f"{commit.hex()}\n")


@pytest.fixture
def forged(tools: Tools, tmp_path: Path) -> Forged:
    repo = tmp_path / "forged"
    repo.mkdir()
    tools.run(["ostree", "init", "--repo=/mnt/r", "--mode=archive"], binds=[Bind(repo, "/mnt/r", writable=True)])
    return Forged(repo)


def test_a_forged_commit_is_in_the_form_that_ostree_reads(tools: Tools, forged: Forged, tmp_path: Path) -> None:
    forged.add_commit(b"plain", forged.add_file(stat.S_IFREG | 0o644, b"text"))
    binds = [Bind(forged.repo, "/mnt/r", writable=True)]
    assert "no errors found" in tools.run(["ostree", "fsck", "--repo=/mnt/r"], binds=binds).stdout
    assert "has no RPM database" in refusal(build_of(tools, tmp_path / "own", forged.repo.as_uri())).message


def test_few_objects_that_stand_for_many_files_end_at_the_limit(tools: Tools, forged: Forged, tmp_path: Path) -> None:
    tree = forged.add_directories([b"a", b"b", b"c"], forged.add(b"\0", "dirtree"))
    for _ in range(7):
        tree = forged.add_directories([b"a", b"b", b"c"], tree)
    forged.add_root(tree)
    found = refusal(build_of(tools, tmp_path / "own", forged.repo.as_uri(), commit_files=1000))
    assert found.message.endswith(" has more than 1000 files (commit_files)")
    assert "raise the parameter in brackets" in found.hint
    assert mounts_below(tmp_path) == []


def test_a_small_object_that_is_large_when_it_is_unpacked_ends_at_the_limit(
    tools: Tools, forged: Forged, tmp_path: Path
) -> None:
    forged.add_commit(b"zeros", forged.add_file(stat.S_IFREG | 0o644, bytes(100 * 2**20)))
    found = refusal(build_of(tools, tmp_path / "own", forged.repo.as_uri(), commit_size_mib=64))
    assert found.message.endswith(f": {REF} has more than 64 MiB (commit_size_mib)")


@pytest.mark.parametrize("mode", [stat.S_IFCHR | 0o666, stat.S_IFBLK | 0o666, stat.S_IFIFO | 0o666, stat.S_IFSOCK, 0])
def test_a_file_that_is_no_file_is_refused(tools: Tools, forged: Forged, tmp_path: Path, mode: int) -> None:
    forged.add_commit(b"device", forged.add_file(mode))
    found = refusal(build_of(tools, tmp_path / "own", forged.repo.as_uri()))
    assert found.message.endswith("what the remote has is damaged")


@pytest.mark.parametrize("name", [b"..", b".", b"../escaped", b"/escaped", b"a/b"])
def test_a_name_that_leads_out_of_its_directory_is_refused(
    tools: Tools, forged: Forged, tmp_path: Path, name: bytes
) -> None:
    forged.add_commit(name, forged.add_file(stat.S_IFREG | 0o644, b"escaped"))
    found = refusal(build_of(tools, tmp_path / "own", forged.repo.as_uri()))
    assert found.message.endswith("what the remote has is damaged")
    assert list(tmp_path.rglob("escaped")) == []


@pytest.mark.parametrize("kind", ["filez", "dirtree"])
def test_an_object_that_is_not_what_its_checksum_says_is_refused(
    tools: Tools, forged: Forged, tmp_path: Path, kind: str
) -> None:
    forged.add_commit(b"plain", forged.add_file(stat.S_IFREG | 0o644, b"text"))
    (path,) = forged.repo.rglob(f"*.{kind}")
    other = Forged(tmp_path / "other")
    other.add_commit(b"pl4in", other.add_file(stat.S_IFREG | 0o644, b"t3xt"))
    shutil.copy(next(other.repo.rglob(f"*.{kind}")), path)
    found = refusal(build_of(tools, tmp_path / "own", forged.repo.as_uri()))
    assert found.message.endswith("what the remote has is damaged")
