"""A file system read from an unmounted disk image, and the deployment in it as the booted system sees it."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.attributes import attribute_text
from atomic_lib.formats.disk.file_system import FileSystem, deployment_of, read_file_system, root_of
from tests.formats.disk.disk_image import make_raw
from tests.measure.planted import NET_ADMIN, NET_RAW, NOT_EFFECTIVE, ODD, make_base

CHECKSUM = "c" * 64


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> FileSystem:
    directory = tmp_path_factory.mktemp("filesystem")
    make_base(directory / "disk.raw", directory)
    return read_file_system(directory / "disk.raw")


def test_every_path_is_there_with_its_type(read: FileSystem) -> None:
    types = {path: entry.type for path, entry in read.entries.items()}
    assert types.pop("/lost+found") == "directory"
    assert [path for path, kind in types.items() if kind == "directory"] == [
        "/", "/bin", "/deep", "/deep/er", "/deep/er/est", "/dev", "/empty", "/etc", "/home", "/lib",
    ]  # fmt: skip
    assert {path: kind for path, kind in types.items() if kind not in ("directory", "file")} == {
        "/dev/disk": "block device", "/dev/null": "character device", "/lib/long": "link", "/lib/short": "link",
        "/pipe": "fifo",
    }  # fmt: skip
    assert types[ODD] == types["/line_break"] == "file"


def test_an_entry_says_what_was_put_there(read: FileSystem) -> None:
    entries = read.entries
    tool = entries["/bin/tool"]
    content = b"#!tool\n" * 1000
    assert (tool.mode, tool.uid, tool.gid, tool.size_bytes) == (0o644, 0, 0, len(content))
    assert tool.sha256 == hashlib.sha256(content).hexdigest()
    assert tool.attributes == {"security.selinux": "system_u:object_r:bin_t:s0", "user.note": "first"}
    assert (entries["/home/mine"].uid, entries["/bin/suid"].mode) == (1000, 0o4755)
    assert (entries["/dev/null"].device, entries["/dev/disk"].device) == ("1:3", "8:0")
    assert (entries["/lib/short"].target, entries["/lib/long"].target) == ("big", "x/" * 100)
    assert entries["/lib/big"].attributes == {"user.large": "v" * 900}
    assert entries["/bin/net"].attributes == {"security.capability": "cap_net_raw=ep"}
    hole = bytes(100_000) + b"end"
    assert entries["/hole"].sha256 == hashlib.sha256(hole).hexdigest()


def test_content_accounts_and_hard_links_can_be_asked_for(read: FileSystem) -> None:
    assert read.content("/hole") == bytes(100_000) + b"end"
    assert read.text("/etc/group") == "root:x:0:\nbob:x:1000:\n"
    assert read.content("/lib/short") == read.content("/not there") == b""
    assert (read.users, read.groups) == ({0: "root", 1000: "bob"}, {0: "root", 1000: "bob"})
    assert read.names == {read.entries["/lib/one"].inode: ("/lib/one", "/lib/two")}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The form of an ostree disk, with two files of a deployment that are one object."""
    top: Path = tmp_path_factory.mktemp("deployed") / "content"
    deployment = top / f"ostree/deploy/os/deploy/{CHECKSUM}.0"
    for name in ("usr/bin", "etc", "var", "boot", "sysroot"):
        (deployment / name).mkdir(parents=True)
    for name in ("ostree/repo/objects", "ostree/deploy/os/var/lib", "boot/ostree"):
        (top / name).mkdir(parents=True)
    (top / "ostree/repo/objects/a.file").write_text("bash\n")
    for name in ("bash", "sh"):
        (deployment / "usr/bin" / name).hardlink_to(top / "ostree/repo/objects/a.file")
    (deployment / "etc/passwd").write_text("root:x:0:0::/:\n")
    (deployment / "home").symlink_to("var/home")
    (top / f"ostree/deploy/os/deploy/{CHECKSUM}.0.origin").write_text("origin\n")
    (top / "boot/ostree/vmlinuz").write_text("kernel\n")
    (top / "ostree/deploy/os/var/lib/state").write_text("state\n")
    return top


def test_a_deployment_is_seen_as_the_booted_system_sees_it(deployed: Path, tmp_path: Path) -> None:
    make_raw(tmp_path / "disk.raw", deployed)
    disk = read_file_system(tmp_path / "disk.raw")
    root = root_of(disk)
    assert list(root.entries) == [
        "/", "/boot", "/boot/ostree", "/boot/ostree/vmlinuz", "/etc", "/etc/passwd", "/home", "/sysroot", "/usr",
        "/usr/bin", "/usr/bin/bash", "/usr/bin/sh", "/var", "/var/lib", "/var/lib/state",
    ]  # fmt: skip
    assert root.outside == len(disk.entries) - len(root.entries)
    assert list(root.names.values()) == [("/usr/bin/bash", "/usr/bin/sh")]
    assert root.users == {0: "root"}
    assert root.text("/var/lib/state") == "state\n"


def test_an_ordinary_root_is_its_own_view(read: FileSystem) -> None:
    assert root_of(read) is read
    with pytest.raises(WorkbookError, match=r"disk.raw: 0 ostree deployments, but there must be one"):
        deployment_of(read)


def test_one_of_several_deployments_is_not_chosen(deployed: Path, tmp_path: Path) -> None:
    shutil.copytree(deployed, tmp_path / "content", symlinks=True)
    (tmp_path / f"content/ostree/deploy/os/deploy/{'d' * 64}.0").mkdir()
    make_raw(tmp_path / "disk.raw", tmp_path / "content")
    with pytest.raises(WorkbookError, match="2 ostree deployments"):
        root_of(read_file_system(tmp_path / "disk.raw"))


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "disk.raw"
    with pytest.raises(WorkbookError, match=r"disk.raw: cannot be read: No such file"):
        read_file_system(path)
    path.touch()
    with pytest.raises(WorkbookError, match=r"disk.raw: empty"):
        read_file_system(path)
    path.write_bytes(os.urandom(4096))
    with pytest.raises(WorkbookError, match=r"disk.raw: no GPT"):
        read_file_system(path)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("security.selinux", b"system_u:object_r:etc_t:s0\0", "system_u:object_r:etc_t:s0"),
        ("security.selinux", b"\xff\0", "0xff00"),
        ("security.selinux", b"\0", "0x00"),
        ("security.capability", NET_RAW, "cap_net_raw=ep"),
        ("security.capability", NET_ADMIN, "cap_net_admin=ep"),
        ("security.capability", NOT_EFFECTIVE, "cap_net_raw=p"),
        ("security.capability", b"\1\0\0\2" + b"\0\x20\0\0\0\x10\0\0" + bytes(8), "cap_net_admin=ei cap_net_raw=ep"),
        ("security.capability", b"\1\0\0\3\1" + bytes(19), "cap_chown=ep in the namespace of user 0"),
        ("security.capability", b"\1\0\0\2", "0x01000002"),
        ("user.x", b"text", "text"),
        ("user.x", b"0x74657874", "0x30783734363537383734"),
        ("user.x", b"", "0x"),
    ],
)
def test_an_attribute_can_be_read(name: str, value: bytes, text: str) -> None:
    assert attribute_text(name, value) == text
