"""The additions that replace maintainer scripts: files, links, accounts, the path of the kernel."""

import os
from pathlib import Path

import pytest

from atomic_lib.content.standin.overlay import (
    account_names,
    apply_overlay,
    make_account_files,
    move_kernel,
    read_overlay,
)

KINDS = {"copies", "directories", "links", "files", "append"}


def test_an_overlay_is_added_to_what_the_package_has(tmp_path: Path) -> None:
    (tmp_path / "usr/share").mkdir(parents=True)
    (tmp_path / "usr/share/source").write_text("template\n")
    (tmp_path / "usr/share/list").write_text("one\n")
    (tmp_path / "var/run").mkdir(parents=True)
    overlay = {
        "copies": {"/etc/new/copy": "/usr/share/source"},
        "directories": {"/var/spool": "0700", "/usr/share": "0755"},
        "links": {"/var/run": "/run", "/usr/bin/pager": "less"},
        "files": {"/etc/hosts": "127.0.0.1 localhost\n"},
        "append": {"/usr/share/list": "two\n"},
    }
    apply_overlay(tmp_path, overlay)
    assert (tmp_path / "etc/new/copy").read_text() == "template\n"
    assert (tmp_path / "var/spool").stat().st_mode & 0o7777 == 0o700
    assert os.readlink(tmp_path / "var/run") == "/run"
    assert os.readlink(tmp_path / "usr/bin/pager") == "less"
    assert (tmp_path / "etc/hosts").read_text() == "127.0.0.1 localhost\n"
    assert (tmp_path / "usr/share/list").read_text() == "one\ntwo\n"


def test_an_overlay_for_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        apply_overlay(tmp_path, {"append": {"/etc/gone": "text"}})


def test_the_real_overlay_has_only_what_can_be_applied() -> None:
    for name, overlay in read_overlay().items():
        assert set(overlay) <= KINDS, name
        for kind, entries in overlay.items():
            assert all(path.startswith("/") for path in entries), (name, kind)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to the group shadow, which needs root")
def test_accounts_come_from_the_masters_and_have_no_password(tmp_path: Path) -> None:
    masters = tmp_path / "usr/share/base-passwd"
    masters.mkdir(parents=True)
    (masters / "passwd.master").write_text("root::0:0:root:/root:/bin/bash\nbin:*:2:2:bin:/bin:/usr/sbin/nologin\n")
    (masters / "group.master").write_text("root:*:0:\nshadow:*:42:\n")
    make_account_files(tmp_path)
    etc = tmp_path / "etc"
    assert (etc / "passwd").read_text().splitlines()[0] == "root:x:0:0:root:/root:/bin/bash"
    assert (etc / "group").read_text() == "root:x:0:\nshadow:x:42:\n"
    assert (etc / "shadow").read_text() == "root:*:::::::\nbin:*:::::::\n"
    assert (etc / "gshadow").read_text() == "root:*::\nshadow:*::\n"
    assert account_names(masters) == ({0: "root", 2: "bin"}, {0: "root", 42: "shadow"})
    status = (etc / "shadow").stat()
    assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o640, 0, 42)


def test_the_kernel_goes_to_its_modules(tmp_path: Path) -> None:
    kver = "6.12.1+deb13-cloud-amd64"
    (tmp_path / "boot/grub").mkdir(parents=True)
    modules = tmp_path / "usr/lib/modules" / kver
    modules.mkdir(parents=True)
    for name in ("vmlinuz", "config", "System.map"):
        (tmp_path / f"boot/{name}-{kver}").write_text(name)
    (tmp_path / "boot/vmlinuz-0-other").write_text("has no modules")
    move_kernel(tmp_path)
    assert sorted(path.name for path in modules.iterdir()) == ["System.map", "config", "vmlinuz"]
    assert (modules / "vmlinuz").read_text() == "vmlinuz"
    assert sorted(path.name for path in (tmp_path / "boot").iterdir()) == ["grub", "vmlinuz-0-other"]
