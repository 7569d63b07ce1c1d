"""The door to the files of a tree: it stays inside, reads regular files only, and is the only one."""

import ast
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.tree_access import beneath, tree_files
from atomic_lib.compose.tree_access.beneath import shown
from atomic_lib.compose.tree_access.tree_files import TreeFiles

LIBRARY = Path(__file__).parents[3] / "atomic_lib"


@pytest.fixture(params=["openat2", "walk"], autouse=True)
def _resolver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs with the kernel's resolution of paths, and with our own."""
    if request.param == "walk":
        monkeypatch.setattr(beneath, "kernel_resolves", lambda: False)
    elif not beneath.kernel_resolves():
        pytest.skip("this kernel has no openat2")


@pytest.fixture
def files(tmp_path: Path) -> TreeFiles:
    """A tree beside a directory with a secret, both of which have /outside/secret, with links to it."""
    root = tmp_path / "root"
    for place in (tmp_path, root):
        (place / "outside").mkdir(parents=True)
    (tmp_path / "outside/secret").write_text("of the host")
    (root / "outside/secret").write_text("of the tree")
    (root / "etc").mkdir()
    (root / "etc/absolute").symlink_to("/outside/secret")
    (root / "etc/out").symlink_to("../../../../../outside/secret")
    (root / "etc/host").symlink_to(tmp_path / "outside/secret")
    (root / "etc/circle").symlink_to("circle")
    (root / "way").symlink_to("/outside")
    (root / "up").symlink_to("../../..")
    return TreeFiles(root)


@pytest.mark.parametrize("path", ["etc/absolute", "etc/out", "way/secret", "up/outside/secret", "up/up/way/secret"])
def test_links_are_resolved_inside_the_tree(files: TreeFiles, path: str) -> None:
    assert files.text(path) == "of the tree"


def test_a_link_to_a_path_of_the_host_leads_nowhere(files: TreeFiles) -> None:
    assert files.read("etc/host") is None
    assert files.status("etc/host") is not None
    assert not files.has_file("etc/host")


def test_a_circle_of_links_is_an_error_with_its_name(files: TreeFiles) -> None:
    with pytest.raises(WorkbookError, match=r"^/etc/circle: too many levels of symbolic links"):
        files.read("etc/circle")


@pytest.mark.parametrize("path", ["../outside/secret", "etc/../../x", "/etc/passwd", "etc/\0", "\ud800", "etc/", ".."])
def test_a_path_that_is_none_of_the_tree_is_refused(files: TreeFiles, path: str) -> None:
    acts: list[Callable[[], object]] = [
        lambda: files.write(path, "x"), lambda: files.remove(path), lambda: files.add_link(path, "x"),
        lambda: files.move("etc/out", path), lambda: files.make_directory(path), lambda: files.matching(f"{path}/*"),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(WorkbookError, match="is no path inside the tree"):
            act()


def test_a_write_replaces_a_link_and_keeps_owner_and_mode_of_a_file(files: TreeFiles) -> None:
    files.write("etc/absolute", "new")
    files.write("outside/secret", "new", mode=0o640)
    if os.geteuid() == 0:
        os.chown(files.root / "outside/secret", 7, 8)
    files.write("outside/secret", "newer")
    status = (files.root / "outside/secret").stat()
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert os.geteuid() != 0 or (status.st_uid, status.st_gid) == (7, 8)
    assert not (files.root / "etc/absolute").is_symlink()
    assert stat.S_IMODE((files.root / "etc/absolute").stat().st_mode) == 0o644
    assert sorted(os.listdir(files.root / "etc")) == ["absolute", "circle", "host", "out"], "no temporary file stays"


def test_a_hard_link_keeps_its_content(files: TreeFiles, tmp_path: Path) -> None:
    (files.root / "etc/hard").hardlink_to(tmp_path / "outside/secret")
    files.write("etc/hard", "new")
    assert (tmp_path / "outside/secret").read_text() == "of the host"


def test_text_keeps_bytes_that_are_not_utf_8(files: TreeFiles) -> None:
    (files.root / "etc/latin").write_bytes(b"d\xe9j\xe0")
    files.write("etc/copy", files.text("etc/latin") or "")
    assert (files.root / "etc/copy").read_bytes() == b"d\xe9j\xe0"


def test_only_regular_files_are_read_and_none_above_the_limit(files: TreeFiles) -> None:
    os.mkfifo(files.root / "fifo")
    (files.root / "big").touch()
    os.truncate(files.root / "big", tree_files.TEXT_BYTES + 1)
    for path, said in {"fifo": "is a FIFO", "etc": "is a directory", "big": "more than the limit of"}.items():
        with pytest.raises(WorkbookError, match=f"^/{path}: .*{said}"):
            files.read(path)
    assert files.read("nothing/at/all") is None
    assert files.read("outside/secret/below") is None


def test_copies_keep_mode_and_times(files: TreeFiles, tmp_path: Path) -> None:
    os.chmod(files.root / "outside/secret", 0o600)
    os.utime(files.root / "outside/secret", ns=(1, 1_700_000_000_123_456_789))
    files.copy("outside/secret", "boot/copy")
    files.take_out("boot/copy", tmp_path / "taken")
    files.take_in(tmp_path / "taken", "new/copy")
    for copy in (files.root / "boot/copy", tmp_path / "taken", files.root / "new/copy"):
        assert copy.read_text() == "of the tree"
        assert (copy.stat().st_mode & 0o7777, copy.stat().st_mtime_ns) == (0o600, 1_700_000_000_123_456_789)


def test_patterns_fit_names_and_lead_through_no_link(files: TreeFiles) -> None:
    (files.root / "etc/.conf").mkdir()
    (files.root / "etc/.conf/secret").touch()
    assert files.matching("*/secret") == ["outside/secret"]
    assert files.matching("etc/*/secret") == ["etc/.conf/secret"]
    assert files.matching("etc/*t") == ["etc/host", "etc/out"]
    assert files.matching("none/*") == []


def test_a_tree_is_removed_without_what_its_links_lead_to(files: TreeFiles, tmp_path: Path) -> None:
    for path in ("etc", "way", "up", "nothing"):
        files.remove(path)
    assert sorted(os.listdir(files.root)) == ["outside"]
    assert (tmp_path / "outside/secret").read_text() == "of the host"


def test_a_move_overwrites_nothing(files: TreeFiles) -> None:
    with pytest.raises(WorkbookError, match=r"^/outside/secret: is there already, so /etc/out cannot be moved here"):
        files.move("etc/out", "outside/secret")
    files.move("way", "etc/way")
    assert os.readlink(files.root / "etc/way") == "/outside"


def test_a_file_for_a_tool_has_its_own_path_on_the_host(files: TreeFiles) -> None:
    assert files.on_host("up/way/secret") == files.root / "outside/secret"


def test_a_path_is_shown_as_one_printable_line() -> None:
    assert shown("a\nb\x1b[31m\udce9é") == r"/a\nb\x1b[31m\xe9é"
    assert len(shown("a" * 5000)) < 250


def test_a_name_that_is_replaced_meanwhile_does_not_lead_out(files: TreeFiles) -> None:
    """``..`` of a link goes back through directories that are held open, not through names."""
    (files.root / "deep/er").mkdir(parents=True)
    (files.root / "deep/er/back").symlink_to("../../../../outside/secret")
    assert files.text("deep/er/back") == "of the tree"


# What opens, changes or lists files by a path. TreeFiles has none of these names.
_FILE_METHODS = {
    "chmod", "copy2", "copyfile", "copytree", "exists", "glob", "hardlink_to", "is_dir", "is_file", "is_mount",
    "is_symlink", "iterdir", "lstat", "mkdir", "open", "read_bytes", "read_text", "readlink", "remove_tree", "rename",
    "rglob", "rmdir", "rmtree", "stat", "symlink_to", "touch", "unlink", "write_bytes", "write_text",
}  # fmt: skip
_ROOM = sorted(path for path in (LIBRARY / "compose").rglob("*.py") if (path.parent / "__init__.py").exists())
_DOOR = {"tree_files.py", "beneath.py"}
_CHECKED = [*(path for path in _ROOM if path.name not in _DOOR), LIBRARY / "guest/faults/trial.py"]
# Files of the store or of the checkout, none of a tree.
_FILES_OF_THE_HOST = {
    "chroot.py": {"root.mkdir", "root.chmod"},
    "chunk_store.py": {"(served / index_path(version)).read_bytes", "(served / path).stat"},
    "commit_limits.py": {"os.statvfs", "os.sysconf", "os.walk"},
    "download_prediction.py": {
        "(repository / one.path()).read_bytes", "delta.iterdir", "file.is_file", "file.stat",
    },
    "file_contexts.py": {"path.lstat", "substitutions.write_text", "target.mkdir", "target.touch"},
    "initramfs.py": {"(_OWN_FILES / name).read_bytes"},
    "install.py": None,  # its files: the configuration of dnf and logs
    "kickstart_settings.py": {"file.write_bytes"},
    "known_objects.py": {  # of repositories in the store
        "(repository / 'objects').glob", "(repository / one.path()).read_bytes", "objects.mkdir", "os.close",
        "os.getxattr", "os.link", "os.open", "os.read", "path.unlink", "target.exists", "target.parent.mkdir",
    },
    "object_estimate.py": {"(repository / one.path()).stat"},
    "ostree_commit.py": {"(repo / 'objects').rmdir", "known.rename", "repo.mkdir"},
    "ownership.py": {"os.fsencode(path).decode"},  # text only
    "ostree_remote.py": {"(directory / 'objects').is_dir", "log.read_text"},
    "pulled_tree.py": {
        "(directory / name).mkdir", "(directory / 'tree.json').write_text", "path.is_file", "request.keys.read_bytes",
    },
    "remote.py": {"path.is_file", "path.read_bytes"},
    "rpm_prediction.py": {"(repository / _INDEX).read_text", "(repository / path).stat"},
    "rpm_repository.py": {
        "(path / _KEYS).iterdir", "(served / rpm.name).exists", "file.read_text", "keys.mkdir", "one.directory.glob",
        "one.keys.iterdir", "os.link", "served.mkdir",
    },
    "tree.py": {
        "(stored.path / 'tree.json').read_text", "(self.directory / 'owners.json').read_text",
        "(directory / 'owners.json').write_text", "(directory / 'tree.json').write_text",
    },
    "trial.py": {
        "(stored.path / CELLS_FILE).read_text", "(directory / CELLS_FILE).write_text", "checkout.mkdir", "remove_tree",
    },
    "update_repository.py": {"directory.mkdir"},
    "walk.py": {"open"},
}  # fmt: skip


def _file_calls(path: Path) -> set[str]:
    """The calls of a module that open, change or list files by a path."""
    functions = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    texts = {ast.unparse(function) for function in functions}
    of_modules = {text for text in texts if text.startswith(("os.", "shutil.", "glob.", "io."))}
    of_paths = {text for text in texts if text.rpartition(".")[2] in _FILE_METHODS}
    return (of_modules | of_paths) - {"os.fsencode", "os.fsdecode"}


@pytest.mark.parametrize("path", _CHECKED, ids=lambda path: path.name)
def test_no_module_opens_files_of_a_tree_but_through_the_door(path: Path) -> None:
    allowed = _FILES_OF_THE_HOST.get(path.name, set())
    assert allowed is None or _file_calls(path) == allowed


@pytest.mark.parametrize("path", _CHECKED, ids=lambda path: path.name)
def test_no_module_makes_a_path_out_of_the_root_of_a_tree(path: Path) -> None:
    joins: list[ast.expr] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            joins.append(node.left)
        elif isinstance(node, ast.FormattedValue):
            joins.append(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("joinpath"):
            joins.append(node.func)
    found = [ast.unparse(node) for node in joins if "root" in ast.unparse(node).removesuffix(".joinpath").split(".")]
    assert found == []


def test_the_door_has_no_method_of_a_forbidden_name() -> None:
    assert _FILE_METHODS & set(dir(TreeFiles)) == set()
