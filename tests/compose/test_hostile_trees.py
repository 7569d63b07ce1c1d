"""Trees built to harm: each is handled or refused by name, in seconds, and nothing beside the tree changes.

Where "the host" is read or written, this is the directory beside the tree, whose files must stay
as they are: their content, mode, owner and time, and no new ones.
"""

import json
import os
import re
import signal
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose import installroot, tree
from atomic_lib.compose.chroot import RPMDB, Installroot
from atomic_lib.compose.dracut import names_in_scripts
from atomic_lib.compose.file_contexts import keep_contexts
from atomic_lib.compose.initramfs import initramfs_inputs, kernel_version
from atomic_lib.compose.ostree import make_ostree_tree
from atomic_lib.compose.remote import KEY_FILE, REMOTE_FILE, add_remote
from atomic_lib.compose.tree_access.tree_files import FILE_BYTES
from atomic_lib.compose.tree_access.walk import read_entries, walk_tree, write_entries
from atomic_lib.formats.tmpfiles import lines_of, split_line
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.lock import Lock
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.user_namespace import is_inside, outer_root
from tests.compose.harmful_files import (
    chain,
    circle,
    dangling,
    device,
    directory,
    fifo,
    hard_link,
    huge,
    link_to_device,
    link_to_directory,
    link_to_fifo,
    link_to_file,
    regular,
    relative_link,
    relative_link_to_file,
    remove,
)
from tests.contexts import NO_TOOLS, on_disk

SECRET = "of the host"
AUTOVAR = "usr/lib/tmpfiles.d/rpm-ostree-1-autovar.conf"
CONTEXTS = "etc/selinux/own/contexts/files"
DRACUT = "usr/lib/dracut/modules.d/99own/module-setup.sh"
MODULES = "usr/lib/modules/6.12"
RECIPE = Recipe(files=(Path("own.yaml"),), packages=("bash",), selinux="permissive", timezone=None)
SECONDS_MOST = 300

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or outer_root() != 0, reason="only the host's root can make device nodes: .ci/run"
)


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    """A case that hangs, as on a FIFO, fails."""
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail(f"hangs for {SECONDS_MOST} s", pytrace=False))
    signal.alarm(SECONDS_MOST)
    yield
    signal.alarm(0)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the trees are: in memory, where that can be mounted, as a disk takes longer for so many small files."""
    place = tmp_path_factory.mktemp("hostile") / "trees"
    with in_memory(place) if is_inside() else on_disk(place):
        yield place


@pytest.fixture
def tmp_path(trees: Path) -> Iterator[Path]:
    """A directory for one test."""
    with TemporaryDirectory(dir=trees) as directory:
        yield Path(directory)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """Files of the host, at names that links of a tree may lead to."""
    host = tmp_path / "host"
    for name in ("secret", "directory/secret", "directory/active/secret", "directory/vmlinuz", "secret.conf"):
        put(host, name, SECRET)
    return host


@pytest.fixture
def composed(tmp_path: Path) -> Installroot:
    """A small tree that all steps take."""
    root = tmp_path / "root"
    for name in ("boot", "home", "opt", "proc", "root", "run", "srv", "tmp", "usr/bin", "usr/local", "usr/share",
                 "usr/lib/locale/C.utf8", "var/lib/selinux/own/active", "var/log", "var/tmp"):  # fmt: skip
        (root / name).mkdir(parents=True)
    put(root, "etc/shadow", "root:x:0:0:99999:7:::\n")
    put(root, "etc/selinux/config", "SELINUX=permissive\n")
    put(root, "etc/selinux/semanage.conf", "store-root = /var/lib/selinux\n")
    put(root, f"{CONTEXTS}/file_contexts", "/.* system_u:object_r:own_t:s0\n")
    put(root, f"{RPMDB}/rpmdb.sqlite", "db")
    put(root, "usr/bin/dracut", "inst /etc/os-release\n")
    put(root, DRACUT, "inst own-program\n")
    put(root, "usr/lib/tmpfiles.d/own.conf", "d /var/lib/own 0700 root root -\n")
    put(root, f"{MODULES}/vmlinuz", "kernel")
    put(root, f"{MODULES}/initramfs.img", "initramfs")
    return Installroot(_Tools(root, ""), root, 0)


class _Tools(type(NO_TOOLS)):  # type: ignore[misc]
    """Tools whose commands do nothing: what they do is done in a sandbox."""

    def run(self, *_: object, **__: object) -> None:
        return None


def put(root: Path, name: str, text: str = "") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def state_of(directory: Path) -> dict[str, object]:
    """All that may not change in a directory."""
    state: dict[str, object] = {}
    for path in [directory, *sorted(directory.rglob("*"))]:
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        state[str(path)] = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, content)
    return state


# --- what is done with a tree -----------------------------------------------------------------------------------------


def configure(made: Installroot) -> None:
    installroot._configure(made, RECIPE)


def clean(made: Installroot) -> None:
    installroot._clean(made, ())


def run_script(made: Installroot) -> None:
    made.write("tmp/script", "echo")


def scan_dracut(made: Installroot) -> None:
    names_in_scripts(made.files, ["--add=own"], {"own-program"})


def key_of_initramfs(made: Installroot) -> None:
    found = initramfs_inputs(made, replace(RECIPE), Lock("c", ()), {})
    assert SECRET not in json.dumps(found)


def install_kernel(made: Installroot) -> None:
    tree._install_kernel(made, kernel_version(made.files))


def configure_remote(made: Installroot) -> None:
    add_remote(made, "https://updates.example", "key")


def convert(made: Installroot) -> None:
    make_ostree_tree(made)


def keep(made: Installroot) -> None:
    keep_contexts(made.files, CONTEXTS, made.root.parent / "kept")


def walk(made: Installroot) -> None:
    write_entries(walk_tree(made.root), made.root.parent / "entries.jsonl")
    assert {entry.path for entry in read_entries(made.root.parent / "entries.jsonl")} >= {"/etc", "/usr"}


STEPS: list[Callable[[Installroot], None]] = [
    configure, run_script, clean, scan_dracut, key_of_initramfs, install_kernel, configure_remote, keep, walk, convert,
]  # fmt: skip


def attempt(step: Callable[[Installroot], None], made: Installroot) -> WorkbookError | None:
    """The error of a step that refuses the tree. It names a path in the tree, on one line, and nothing of the host."""
    found = None
    try:
        step(made)
    except WorkbookError as error:
        found = error
    if found:
        assert re.search(r"^/|^the tree has| /\w|\(/\w", found.message)
        assert found.hint
        assert found.message.isprintable()
        assert str(made.root.parent) not in found.message
    return found


PATHS = [
    "etc", "etc/shadow", "etc/selinux", "etc/selinux/config", "etc/selinux/semanage.conf", CONTEXTS,
    f"{CONTEXTS}/file_contexts", f"{CONTEXTS}/file_contexts.subs", f"{CONTEXTS}/file_contexts.bin", "etc/locale.conf",
    "etc/localtime", "etc/machine-id", "etc/passwd", "etc/passwd-", "etc/fstab", "etc/dracut.conf", "etc/dracut.conf.d",
    KEY_FILE, REMOTE_FILE, "etc/ostree", "tmp", "tmp/script", "run", "proc", "boot", "boot/vmlinuz-6.12", "opt", "home",
    "root", "srv", "mnt", "media", "ostree", "sysroot", "usr", "usr/etc", "usr/local", "usr/share/rpm", "usr/bin",
    "usr/bin/dracut", "usr/bin/dnf-3", "usr/lib/dracut", "usr/lib/dracut/modules.d", DRACUT,
    "usr/lib/dracut/dracut-install", "usr/lib/tmpfiles.d", "usr/lib/tmpfiles.d/a.conf", AUTOVAR, "usr/lib/modules",
    MODULES, f"{MODULES}/vmlinuz", f"{MODULES}/initramfs.img", "usr/lib/ostree-boot", "usr/lib/opt", RPMDB,
    f"{RPMDB}/rpmdb.sqlite", "var", "var/tmp", "var/lib/selinux", "var/lib/selinux/own", "var/lib/selinux/own/active",
    "var/lib/dnf/history.sqlite", "var/log/journal",
]  # fmt: skip
"""Every path that the host touches, and the directories that lead there."""
READ_OR_WRITTEN = ["etc/shadow", "etc/selinux/semanage.conf", f"{CONTEXTS}/file_contexts", DRACUT, AUTOVAR,
                   f"{MODULES}/vmlinuz", "var/lib/selinux/own/active"]  # fmt: skip
KINDS = [relative_link_to_file, chain, circle, dangling, link_to_fifo, pytest.param(device, marks=needs_root),
         link_to_device, regular, hard_link, huge]  # fmt: skip
CASES = [
    *((path, kind) for path in PATHS for kind in (link_to_file, link_to_directory, fifo, directory)),
    *((path, relative_link) for path in PATHS[::3]),
]


@pytest.mark.parametrize(("path", "kind"), CASES)
def test_nothing_beside_the_tree_is_read_or_written(
    composed: Installroot, host: Path, path: str, kind: Callable[[Path, Path], None]
) -> None:
    try_all_steps(composed, host, path, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", READ_OR_WRITTEN)
def test_no_kind_of_file_harms_or_blocks(
    composed: Installroot, host: Path, path: str, kind: Callable[[Path, Path], None]
) -> None:
    try_all_steps(composed, host, path, kind)


def try_all_steps(composed: Installroot, host: Path, path: str, kind: Callable[[Path, Path], None]) -> None:
    """Put something at a path of the tree, and go through all steps: no file of the host is read or changed."""
    remove(composed.root / path)
    kind(composed.root / path, host)
    before = state_of(host)
    for step in STEPS:
        attempt(step, composed)
    assert state_of(host) == before
    if kind is not hard_link:  # which is a file of the tree as well
        secret = [file for file in small_files(composed.root.parent) if SECRET in file.read_text(errors="replace")]
        assert secret == small_files(host)


def small_files(directory: Path) -> list[Path]:
    """The regular files below a directory, except for huge ones."""
    found = [path for path in sorted(directory.rglob("*")) if stat.S_ISREG(path.lstat().st_mode)]
    return [path for path in found if path.stat().st_size < 100_000]


# --- what is done and what is refused, each for its step --------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "path", "kind", "said"),
    [
        (configure, "etc/shadow", fifo, "/etc/shadow: is a FIFO, but a file is needed here"),
        (configure, "etc/shadow", directory, "/etc/shadow: is a directory, but a file is needed here"),
        (configure, "etc/shadow", huge, f"/etc/shadow: has {FILE_BYTES + 1} bytes, more than the limit of"),
        (configure, "etc/selinux/config", circle, "/etc/selinux/config: too many levels of symbolic links"),
        (run_script, "tmp", regular, "/tmp: no directory, but one is needed here"),
        (run_script, "tmp", relative_link, "/tmp: is a symbolic link that leads nowhere in the tree"),
        (clean, "run", link_to_directory, "/run: is a symbolic link, but a directory is needed here"),
        (scan_dracut, "usr/lib/dracut/modules.d", regular, "/usr/lib/dracut/modules.d: is a file, but a directory"),
        (scan_dracut, DRACUT, huge, f"/{DRACUT}: has {FILE_BYTES + 1} bytes, more than the limit of"),
        (install_kernel, f"{MODULES}/vmlinuz", fifo, f"/{MODULES}/vmlinuz: is a FIFO, but a file is needed here"),
        (install_kernel, f"{MODULES}/vmlinuz", link_to_file, f"/{MODULES}/vmlinuz: there is no such file in the tree"),
        (install_kernel, "boot/vmlinuz-6.12", directory, "/boot/vmlinuz-6.12: is a directory, but a file is needed"),
        (install_kernel, MODULES, link_to_directory, "the tree has 0 kernels (none), it needs one"),
        (configure_remote, "etc/ostree", link_to_directory, "/etc/ostree: is a symbolic link that leads nowhere"),
        (convert, "etc", link_to_directory, "/etc: is no directory, but a commit's /usr/etc is made of it"),
        (convert, "usr/etc", directory, "/usr/etc/below: a package or script put it in /usr/etc"),
        (convert, "usr/etc", link_to_directory, "/usr/etc: is a symbolic link, but a directory is needed here"),
        (convert, "boot", link_to_directory, "/boot: is a symbolic link, but a directory is needed here"),
        (convert, "var", relative_link, "/var: is a symbolic link, but a directory is needed here"),
        (convert, "srv", regular, "/srv: is a file, but a directory is needed here"),
        (convert, "home", directory, "/home/below/file: a commit has no place for it"),
        (convert, AUTOVAR, directory, f"/{AUTOVAR}: is a directory, but a file is needed here"),
        (convert, "var/lib/selinux", link_to_directory, None),
        (convert, AUTOVAR, link_to_file, None),
        (convert, "usr/lib/tmpfiles.d/a.conf", fifo, None),
        (convert, "usr/lib/tmpfiles.d/a.conf", dangling, None),
        (convert, "etc/selinux/semanage.conf", link_to_file, None),
        (keep, f"{CONTEXTS}/file_contexts", link_to_file, f"the tree has no /{CONTEXTS}/file_contexts"),
        (keep, f"{CONTEXTS}/file_contexts.subs", fifo, f"/{CONTEXTS}/file_contexts.subs: is a FIFO, but a file"),
        (configure, "etc/localtime", directory, None),
        (configure, "etc/locale.conf", fifo, None),
        (clean, "etc/machine-id", link_to_file, None),
        (scan_dracut, DRACUT, fifo, None),
        (walk, "etc/machine-id", fifo, None),
    ],
)  # fmt: skip
def test_a_step_does_its_work_or_names_the_path(
    composed: Installroot,
    host: Path,
    step: Callable[[Installroot], None],
    path: str,
    kind: Callable[[Path, Path], None],
    said: str | None,
) -> None:
    remove(composed.root / path)
    kind(composed.root / path, host)
    error = attempt(step, composed)
    assert error is None if said is None else error is not None and error.message.startswith(said)


ODD_NAMES = [b"line\nbreak", b"\x1b[31m", b"it's \"odd\"", b"latin\xe9", b"-rf", b"50%", b"back\\slash", b"tab\there",
             "\u2028\x85".encode(), b" ", b"$(touch x)", b"a" * 255]  # fmt: skip


@pytest.mark.parametrize("place", ["var/lib", "opt", "srv", "boot", "etc/dracut.conf.d", "usr/lib/dracut", "home"])
@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_odd_names_are_kept_or_shown_on_one_line(composed: Installroot, place: str, name: bytes) -> None:
    parent = composed.root / place
    parent.mkdir(parents=True, exist_ok=True)
    os.mkdir(os.fsencode(parent) + b"/" + name)
    for step in (scan_dracut, key_of_initramfs, walk, clean, convert):
        assert attempt(step, composed) is None
    split = [split_line(line) for line in lines_of((composed.root / AUTOVAR).read_text())[:-1]]
    assert {len(words) for words in split} <= {6, 7}
    at_boot = {"var/lib": "/var/lib", "opt": "/var/opt", "srv": "/var/srv", "home": "/var/home"}.get(place)
    assert at_boot is None or f"{at_boot}/{os.fsdecode(name)}" in [words[1] for words in split]


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_a_file_of_an_odd_name_is_named_on_one_line(composed: Installroot, name: bytes) -> None:
    (composed.root / "srv" / os.fsdecode(name)).touch()
    error = attempt(convert, composed)
    assert error is not None
    assert error.message.startswith("/srv/")


def test_a_hundred_thousand_entries_take_seconds(composed: Installroot) -> None:
    many = composed.root / "var/lib/many"
    many.mkdir()
    for number in range(100_000):
        if number % 50_000 == 0:  # a file has at most 65,000 links
            first = put(many, f"{number:06}")
        else:
            os.link(first, many / f"{number:06}")
    assert attempt(walk, composed) is None
    assert len(make_ostree_tree(composed)) == 100_000
    assert list((composed.root / "var").iterdir()) == []


def test_directories_too_deep_for_a_path_are_refused_by_name(composed: Installroot) -> None:
    opened = os.open(composed.root / "var/lib", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deep", dir_fd=opened)
        below = os.open("deep", os.O_RDONLY, dir_fd=opened)
        os.close(opened)
        opened = below
    os.close(opened)
    try:
        refuse_depth(composed)
    finally:
        command.run(["rm", "-rf", composed.root])  # which Python cannot remove


def refuse_depth(composed: Installroot) -> None:
    """Each step refuses a path that is too long for the system."""
    for step in (walk, key_of_initramfs, convert):
        error = attempt(step, composed)
        assert error is not None
        assert error.message.startswith("/var/lib/deep/")
        assert error.message.endswith(": file name too long")
