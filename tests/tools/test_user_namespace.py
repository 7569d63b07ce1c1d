"""The namespace, and what its root may do."""

import os
import sys
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.tools import user_namespace
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.user_namespace import Directories, is_inside

needs_namespace = pytest.mark.skipif(not is_inside(), reason="runs in the namespace: ./workbook test")


def test_paths_below_others_are_mounted_with_them(tmp_path: Path) -> None:
    one, inner, other = tmp_path / "one", tmp_path / "one/inner", tmp_path / "one2"
    assert user_namespace.outermost([one, inner, other, one]) == [one, other]


@needs_namespace
def test_root_is_not_the_hosts_root() -> None:
    assert os.getuid() == 0
    assert user_namespace.outer_root() != 0
    with pytest.raises(PermissionError):
        os.mknod("/tmp/workbook-device", 0o020600, os.makedev(1, 3))
    with pytest.raises(PermissionError):
        Path("/proc/sys/kernel/domainname").write_text("changed")
    with pytest.raises(PermissionError):
        os.chown("/etc", 0, 0)


@needs_namespace
def test_a_directory_in_memory_takes_owners_labels_and_capabilities(tmp_path: Path) -> None:
    label, capability = b"system_u:object_r:bin_t:s0\0", bytes.fromhex("0100000200200000000000000000000000000000")
    with in_memory(tmp_path / "memory") as memory:
        for name, target in (("file", ""), ("link", "file")):
            path = memory / name
            path.symlink_to(target) if target else path.touch()
            os.lchown(path, 5, 65534)
            os.setxattr(path, "security.selinux", label, follow_symlinks=False)
            assert os.getxattr(path, "security.selinux", follow_symlinks=False) == label
        os.setxattr(memory / "file", "security.capability", capability)
        assert os.getxattr(memory / "file", "security.capability") == capability
        assert ((memory / "file").stat().st_uid, (memory / "file").stat().st_gid) == (5, 65534)
    assert list(tmp_path.iterdir()) == []


@needs_namespace
def test_a_directory_in_memory_goes_also_after_an_error_and_while_it_is_used(tmp_path: Path) -> None:
    with pytest.raises(KeyError), in_memory(tmp_path / "memory") as memory, open(memory / "used", "w"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) not in Path("/proc/mounts").read_text()


@needs_namespace
def test_the_mounts_of_a_program_end_with_it(tmp_path: Path) -> None:
    words = ["sh", "-c", 'mount -t tmpfs none "$1" && touch "$1/file" && ls "$1"', "sh", str(tmp_path)]
    assert command.run([sys.executable, "-m", user_namespace.__name__, *words], cwd=CHECKOUT).stdout == "file\n"
    assert list(tmp_path.iterdir()) == []


def test_outside_of_the_namespace_nothing_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBOOK_NAMESPACE", raising=False)
    with pytest.raises(WorkbookError, match="needs a namespace of its own"), in_memory(tmp_path / "memory"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_mark_that_was_inherited_from_another_namespace_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_NAMESPACE", "1")
    assert not is_inside()


def test_an_ordinary_user_without_ids_is_told_before_anything_starts(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (host / "etc/subuid").write_text("")
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "execvp", lambda *_: pytest.fail("it was started"))
    with pytest.raises(WorkbookError, match="no 65536 subordinate ids") as caught:
        user_namespace.enter(["true"])
    assert "usermod" in caught.value.hint


@pytest.mark.parametrize("user", [0, 1000])
def test_a_host_that_refuses_all_namespaces_is_one_error(
    host: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    monkeypatch.setattr(user_namespace, "_call", refuse)
    monkeypatch.setattr(user_namespace, "_join", refuse)
    monkeypatch.setattr(user_namespace, "hand_over", lambda _: [])
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "execvp", lambda *_: pytest.fail("it was started"))
    with pytest.raises(WorkbookError, match="does not allow namespaces: Operation not permitted") as caught:
        user_namespace.enter(["true"])
    assert "in a container" in caught.value.hint


def test_what_only_root_may_enter_is_needed_by_name() -> None:
    needed = user_namespace.needed()
    assert isinstance(needed, Directories)
    assert CHECKOUT in needed.own
    assert Path(sys.prefix) in needed.others
    assert any(Path(sys.executable).resolve().is_relative_to(path) for path in needed.others)


def test_a_program_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(CommandError):
        command.run([sys.executable, "-m", user_namespace.__name__, "no-such-program"], cwd=CHECKOUT)


@needs_namespace
def test_with_other_ids_root_is_another_user_who_may_do_the_same(tmp_path: Path) -> None:
    words = ["sh", "-c", 'cat /proc/self/uid_map && touch "$1" && chown 5:6 "$1" && stat -c %u:%g "$1"', "sh"]
    line = [sys.executable, "-m", user_namespace.__name__, "--other-ids", *words, str(tmp_path / "file")]
    *maps, owners = command.run(line, cwd=CHECKOUT).stdout.splitlines()
    assert [row.split() for row in maps] == [["0", "32768", "32768"], ["32768", "0", "32768"]]
    assert owners == "5:6"
    assert ((tmp_path / "file").stat().st_uid, (tmp_path / "file").stat().st_gid) == (32773, 32774)
