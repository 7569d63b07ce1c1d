"""The kernel of a tree, and what the key of its initramfs is made of."""

import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.initramfs import (
    add_own_files,
    initramfs_inputs,
    install_initramfs,
    kernel_version,
    place_kernels,
)
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.formats.rpm_headers import Header, PackagedFile
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.sandbox import Tools
from tests.contexts import own_context

EPOCH = 1735689600
FILES = {
    "dracut": {
        "usr/bin/dracut": "inst_multiple mount blkid nobody: libmount.so.1\n",
        "usr/lib/dracut/modules.d/99base/module-setup.sh": "inst /etc/os-release\n",
    },
    "mount": {"usr/bin/mount": "program"},
    "libmount": {"usr/lib/libmount.so.1": "library"},
    "libc": {"usr/lib/libc.so.6": "library"},
    "docker": {"usr/bin/dockerd": "program", "etc/docker.conf": "x"},
}
REQUIRES = {"mount": {"libmount"}, "libmount": {"libc"}, "docker": {"libc"}}


def add_kernel(root: Path, kver: str, name: str = "vmlinuz") -> None:
    modules = root / "usr/lib/modules" / kver
    modules.mkdir(parents=True)
    (modules / name).touch()


def test_the_kernel_is_the_one_with_modules(tmp_path: Path) -> None:
    add_kernel(tmp_path, "6.12.1-1")
    add_kernel(tmp_path, "6.11.0-9", "modules.dep")
    assert kernel_version(TreeFiles(tmp_path)) == "6.12.1-1"


def test_a_kernel_that_is_in_boot_only_is_copied_to_its_modules(tmp_path: Path) -> None:
    for kver in ("6.12", "6.11"):
        (tmp_path / "usr/lib/modules" / kver).mkdir(parents=True)
    (tmp_path / "usr/lib/modules/6.11/vmlinuz").write_text("own")
    (tmp_path / "boot").mkdir()
    for kver in ("6.12", "6.11", "6.10", "0-rescue"):
        (tmp_path / f"boot/vmlinuz-{kver}").write_text(kver)
    place_kernels(TreeFiles(tmp_path))
    found = {path.parent.name: path.read_text() for path in (tmp_path / "usr/lib/modules").rglob("vmlinuz")}
    assert found == {"6.12": "6.12", "6.11": "own"}


@pytest.mark.parametrize(("kernels", "said"), [((), "0 kernels (none)"), (("1", "2"), "2 kernels (1, 2)")])
def test_none_or_several_are_an_error(tmp_path: Path, kernels: tuple[str, ...], said: str) -> None:
    for kver in kernels:
        add_kernel(tmp_path, kver)
    with pytest.raises(WorkbookError) as caught:
        kernel_version(TreeFiles(tmp_path))
    assert said in caught.value.message
    assert "exactly one kernel package" in caught.value.hint


def test_the_root_is_mounted_and_checked_only_after_our_service(tmp_path: Path) -> None:
    add_own_files(TreeFiles(tmp_path), "tmp/own")
    units = tmp_path / "tmp/own/usr/lib/systemd/system"
    unit = (units / "require-one-root.service").read_text()
    program = re.search(r"ExecStart=/bin/sh (/\S+)\n", unit)
    assert program
    assert (tmp_path / "tmp/own" / program[1].lstrip("/")).is_file()
    for blocked in ("sysroot.mount", "systemd-fsck-root.service"):
        assert (units / f"{blocked}.requires/require-one-root.service").read_text() == unit
        assert re.search(rf"^Before=.*\b{re.escape(blocked)}", unit, re.MULTILINE)
    assert "RemainAfterExit" not in unit


def test_dracut_includes_our_files_which_are_no_part_of_the_tree(tmp_path: Path) -> None:
    root = tmp_path / "root"
    add_kernel(root, "6.12")
    seen: list[list[str]] = []

    class Dracut(Tools):
        def run(self, words: Sequence[Any], **_: Any) -> Completed:
            line = [str(word) for word in words]
            seen.append(line)
            included = line[line.index("--include") + 1]
            assert (root / included.lstrip("/") / "usr/libexec/require-one-root").is_file()
            (root / line[-1].lstrip("/")).write_text("initramfs")
            return Completed("", "")

    tree = Installroot(Dracut(root, ""), root, EPOCH)
    recipe, context = Recipe(files=(), packages=()), own_context(tmp_path)
    rpm_set = RpmSet("k", Lock("c", ()), tmp_path, (), 0.0, True)
    install_initramfs(tree, recipe, rpm_set, context, headers={}, name="own", log=tmp_path / "log")
    assert (root / "usr/lib/modules/6.12/initramfs.img").read_text() == "initramfs"
    assert [line[2:4] for line in seen] == [["dracut", "--force"]]
    assert list((root / "tmp").iterdir()) == []


def test_a_tree_without_dracut_is_named(tmp_path: Path) -> None:
    root = tmp_path / "root"
    add_kernel(root, "6.12")

    class NoProgram(Tools):
        def run(self, words: Sequence[Any], **_: Any) -> Completed:
            error = CommandError("exit status 127")
            error.status = 127
            raise error

    tree, rpm_set = Installroot(NoProgram(root, ""), root, EPOCH), RpmSet("k", Lock("c", ()), tmp_path, (), 0.0, True)
    recipe, log = Recipe(files=(), packages=()), tmp_path / "log"
    with pytest.raises(WorkbookError, match="the tree has no dracut") as caught:
        install_initramfs(tree, recipe, rpm_set, own_context(tmp_path), headers={}, name="own", log=log)
    assert "name dracut-config-generic" in caught.value.hint
    put(root, "usr/bin/dracut", "a program that calls another one, which is not there")
    with pytest.raises(CommandError, match="exit status 127"):
        install_initramfs(tree, recipe, rpm_set, own_context(tmp_path), headers={}, name="own", log=log)


def put(root: Path, name: str, text: str, seconds: int = EPOCH) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    os.utime(path, (seconds, seconds))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with the files of all packages as packaged, and accounts."""
    for files in FILES.values():
        for name, text in files.items():
            put(tmp_path, name, text)
    put(tmp_path, "etc/passwd", "root:x:0:0\nnobody:x:65534:\n")
    return tmp_path


def inputs(root: Path, *left_out: str) -> dict[str, Mapping[str, object]]:
    headers = {}
    for name in FILES.keys() - set(left_out):
        files = {f"/{path}": PackagedFile(stat.S_IFREG | 0o755, len(text), EPOCH) for path, text in FILES[name].items()}
        headers[name] = Header(name, "", frozenset(REQUIRES.get(name, ())), frozenset({name}), files)
    lock = Lock("c", tuple(LockedPackage(name, 0, "1", "1", "noarch", name * 3, 1, "r") for name in sorted(headers)))
    recipe = Recipe(files=(), packages=())
    return initramfs_inputs(Installroot(Tools(root, ""), root, EPOCH), recipe, lock, headers)


def test_packages_that_dracut_looks_into_count_with_what_they_require(root: Path) -> None:
    found = inputs(root)
    assert found["packages"] == {f"{name}-0:1-1.noarch": name * 3 for name in ("dracut", "mount", "libmount", "libc")}
    assert found["changed"] == {}
    assert found["accounts"]["etc/passwd"] == ["nobody:x:65534:"]


def test_a_package_that_it_does_not_look_into_changes_nothing(root: Path) -> None:
    before = inputs(root)
    (root / "usr/bin/dockerd").unlink()
    put(root, "etc/docker.conf", "changed", EPOCH + 9)
    put(root, "usr/share/other", "x")
    put(root, "etc/ld.so.cache", "names all libraries")
    put(root, "etc/passwd", "root:x:0:0\ndocker:x:994:\nnobody:x:65534:\n")
    assert inputs(root) == before == inputs(root, "docker")


@pytest.mark.parametrize(
    "change",
    [
        lambda root: put(root, "usr/bin/mount", "changed program"),
        lambda root: put(root, "usr/bin/mount", "PROGRAM", EPOCH + 1),
        lambda root: (root / "usr/bin/mount").chmod(0o4755),
        lambda root: (root / "usr/bin/mount").unlink(),
        lambda root: put(root, "usr/bin/blkid", "of no package"),
        lambda root: put(root, "usr/lib/libc.so.6", "another library"),
        lambda root: put(root, "usr/lib64/libown.so.1", "of no package"),
        lambda root: put(root, "etc/os-release", "NAME=x"),
        lambda root: put(root, "usr/lib/modules/6.12/modules.dep", "generated"),
        lambda root: (root / "etc/modprobe.d").mkdir() or (root / "etc/modprobe.d/a.conf").symlink_to("b"),
        lambda root: put(root, "etc/passwd", "nobody:x:99:\n"),
    ],
    ids=[
        "content",
        "same size",
        "mode",
        "gone",
        "own program",
        "required library",
        "own library",
        "configuration",
        "generated",
        "link",
        "account",
    ],
)
def test_what_is_not_as_packaged_counts(root: Path, change: Callable[[Path], Any]) -> None:
    before = inputs(root)
    change(root)
    assert inputs(root) != before


def test_the_time_of_what_no_package_has_counts_only_as_far_as_it_is_kept(root: Path) -> None:
    put(root, "etc/os-release", "NAME=x", EPOCH + 5)
    before = inputs(root)
    put(root, "etc/os-release", "NAME=x", EPOCH + 99)
    assert inputs(root) == before
    put(root, "etc/os-release", "NAME=x", EPOCH - 99)
    assert inputs(root) != before


def test_a_program_that_its_package_names_through_a_link_is_the_packages(root: Path) -> None:
    before = inputs(root)
    (root / "usr/sbin").symlink_to("bin")
    put(root, "usr/bin/blkid", "program")
    FILES["util"] = {"usr/sbin/blkid": "program"}
    try:
        found = inputs(root)
    finally:
        del FILES["util"]
    assert found["packages"] == {**before["packages"], "util-0:1-1.noarch": "utilutilutil"}
    assert found["changed"] == before["changed"]
