"""A layer: the same bytes for the same tree, nothing of the host in it, and nothing that an engine would not keep."""

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.image.oci.layer import write_layer

EPOCH, PACKAGED = 1_700_000_000, 1_234_567_890
ODD_NAME = b"caf\xe9\n"
CAPABILITY = bytes.fromhex("0100000280200000ff000000000000000000000000"[:40])


def make_tree(root: Path, names: list[str]) -> TreeFiles:
    """A tree with all that a layer holds; ``names`` are in the order in which its files are made."""
    for directory in ("etc", "usr/bin"):
        (root / directory).mkdir(parents=True)
    for name in names:
        (root / name).write_text(f"this is {name}\n")
    (root / "usr/bin/one").chmod(0o4755)
    os.link(root / "usr/bin/one", root / "usr/bin/same")
    (root / "etc/link").symlink_to("/usr/bin/one")
    Path(os.fsdecode(os.fsencode(root) + b"/etc/" + ODD_NAME)).write_text("odd")
    os.utime(root / "etc/packaged", (PACKAGED, PACKAGED))
    return TreeFiles(root)


def members(layer: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(layer, encoding="utf-8", errors="surrogateescape") as archive:
        return {member.name: member for member in archive}


NAMES = ["etc/packaged", "etc/other", "usr/bin/one"]


def test_the_same_tree_is_the_same_layer_whenever_and_in_whatever_order_it_was_made(tmp_path: Path) -> None:
    times = {"etc/packaged": PACKAGED}
    one, other = make_tree(tmp_path / "one", NAMES), make_tree(tmp_path / "other", NAMES[::-1])
    os.utime(tmp_path / "other/etc/other", (5, 5))
    digests = write_layer(one, tmp_path / "one.tar", packaged_times=times, epoch=EPOCH)
    assert write_layer(other, tmp_path / "other.tar", packaged_times=times, epoch=EPOCH) == digests
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "other.tar").read_bytes()
    assert digests["etc/other"] == hashlib.sha256(b"this is etc/other\n").hexdigest()
    assert digests["usr/bin/same"] == digests["usr/bin/one"]


def test_entries_have_owners_as_numbers_modes_links_and_names_of_bytes(tmp_path: Path) -> None:
    write_layer(make_tree(tmp_path / "root", NAMES), tmp_path / "layer", packaged_times={}, epoch=EPOCH)
    found = members(tmp_path / "layer")
    odd = os.fsdecode(b"etc/" + ODD_NAME)
    in_etc = sorted(["etc", "etc/link", "etc/other", "etc/packaged", odd])
    assert list(found) == [*in_etc, "usr", "usr/bin", "usr/bin/one", "usr/bin/same"]
    assert {(one.uname, one.gname) for one in found.values()} == {("", "")}
    assert {(one.uid, one.gid) for one in found.values()} == {(os.getuid(), os.getgid())}
    assert found["usr/bin/one"].mode == 0o4755
    assert (found["usr/bin/same"].islnk(), found["usr/bin/same"].linkname) == (True, "usr/bin/one")
    assert (found["etc/link"].issym(), found["etc/link"].linkname) == (True, "/usr/bin/one")


def test_a_file_keeps_the_time_of_its_package_and_no_other(tmp_path: Path) -> None:
    files = make_tree(tmp_path / "root", NAMES)
    write_layer(files, tmp_path / "layer", packaged_times={"etc/packaged": PACKAGED, "etc/other": 7}, epoch=EPOCH)
    times = {name: member.mtime for name, member in members(tmp_path / "layer").items()}
    assert times.pop("etc/packaged") == PACKAGED
    assert set(times.values()) == {EPOCH}


def test_capabilities_are_records_and_labels_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"security.capability": CAPABILITY, "user.note": b"\xff="}
    monkeypatch.setattr(TreeFiles, "attributes", lambda _, path: (
        {**kept, "security.selinux": b"system_u:object_r:bin_t:s0\0"} if path == "usr/bin/one" else {}
    ))  # fmt: skip
    write_layer(make_tree(tmp_path / "root", NAMES), tmp_path / "layer", packaged_times={}, epoch=EPOCH)
    records = members(tmp_path / "layer")["usr/bin/one"].pax_headers
    attributes = {
        name.removeprefix("SCHILY.xattr."): value.encode("utf-8", "surrogateescape")
        for name, value in records.items()
        if name.startswith("SCHILY")
    }
    assert attributes == kept
    assert b"object_r" not in (tmp_path / "layer").read_bytes()


def test_attributes_of_a_file_are_read_and_those_of_what_its_link_leads_to_are_not(tmp_path: Path) -> None:
    files = make_tree(tmp_path / "root", NAMES)
    os.setxattr(tmp_path / "root/etc/other", "user.note", b"\0\xff")
    (tmp_path / "root/etc/to-other").symlink_to("other")
    assert files.attributes("etc/other") == {"user.note": b"\0\xff"}
    assert files.attributes("etc/to-other") == {}
    assert files.attributes("etc/none") == {}


@pytest.mark.parametrize("name", ["etc/.wh.passwd", "etc/.wh..wh..opq", ".wh.etc"])
def test_a_name_that_removes_a_file_is_refused(tmp_path: Path, name: str) -> None:
    files = make_tree(tmp_path / "root", [*NAMES, name])
    with pytest.raises(WorkbookError, match=rf"^/{name}: a name that begins with \.wh\. removes a file"):
        write_layer(files, tmp_path / "layer", packaged_times={}, epoch=EPOCH)


def test_what_is_neither_file_nor_directory_nor_link_is_refused(tmp_path: Path) -> None:
    files = make_tree(tmp_path / "root", NAMES)
    os.mkfifo(tmp_path / "root/etc/pipe")
    with pytest.raises(WorkbookError, match=r"^/etc/pipe: is a device, a socket or a FIFO"):
        write_layer(files, tmp_path / "layer", packaged_times={}, epoch=EPOCH)


def test_an_attribute_that_engines_drop_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TreeFiles, "attributes", lambda _, path: {"system.posix_acl_access": b"x"})
    with pytest.raises(WorkbookError, match=r"^/etc: has the extended attribute 'system\.posix_acl_access'"):
        write_layer(make_tree(tmp_path / "root", NAMES), tmp_path / "layer", packaged_times={}, epoch=EPOCH)


def test_only_some_paths_come_with_the_directories_above_them(tmp_path: Path) -> None:
    files = make_tree(tmp_path / "root", NAMES)
    (tmp_path / "root/usr").chmod(0o711)
    digests = write_layer(files, tmp_path / "layer", packaged_times={}, epoch=EPOCH, only=["usr/bin/one", "etc"])
    found = members(tmp_path / "layer")
    assert list(found) == ["etc", "usr", "usr/bin", "usr/bin/one"]
    assert found["usr"].mode == 0o711
    assert list(digests) == ["usr/bin/one"]


def test_a_path_that_is_not_in_the_tree_is_refused(tmp_path: Path) -> None:
    files = make_tree(tmp_path / "root", NAMES)
    with pytest.raises(WorkbookError, match=r"^/usr/bin/none: there is no such path in the tree"):
        write_layer(files, tmp_path / "layer", packaged_times={}, epoch=EPOCH, only=["usr/bin/none"])


def test_copies_that_were_one_file_are_hard_links_again(tmp_path: Path) -> None:
    files = make_tree(tmp_path / "root", NAMES)
    numbers = {"etc": 0, "etc/other": 7, "etc/packaged": 7, "usr": 0, "usr/bin": 0, "usr/bin/one": 8, "usr/bin/same": 9}
    only = ["etc/other", "etc/packaged", "usr/bin/one", "usr/bin/same"]
    write_layer(files, tmp_path / "layer", packaged_times={}, epoch=EPOCH, only=only, same_files=numbers)
    links = {name: member.linkname for name, member in members(tmp_path / "layer").items() if member.islnk()}
    assert links == {"etc/packaged": "etc/other"}
