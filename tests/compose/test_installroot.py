"""What the configuration of a tree writes; the whole installroot is in tests/integration."""

import os
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose import installroot
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.installroot import _configure, _run_script, settle_databases, want_unit
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.recipe.recipe import AccountRules, AddedFile, PostScript, Recipe
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.solve.lock import Lock
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.sandbox import Tools
from tests.contexts import NO_TOOLS

SHADOW = "root:{}:19000:0:99999:7:::\nroots:$6$x:19000::::::\ndaemon:*:19000:0:99999:7:::\n"
RECIPE = Recipe(files=(Path("own.yaml"),), packages=("bash",), selinux="disabled")


@pytest.fixture
def tree(tmp_path: Path) -> Installroot:
    """A tree with the locale that is there by default."""
    (tmp_path / "root/usr/lib/locale/C.utf8").mkdir(parents=True)
    return Installroot(NO_TOOLS, tmp_path / "root", 0)


def password(tree: Installroot) -> str:
    """What /etc/shadow holds for root once the tree is configured; the other accounts stay as they are."""
    _configure(tree, RECIPE)
    first, *others = (tree.read("etc/shadow") or "").splitlines()
    assert others == SHADOW.splitlines()[1:]
    return first.split(":")[1]


@pytest.mark.parametrize(
    ("before", "after"), [("$6$salt$hash", "!$6$salt$hash"), ("", "!"), ("*", "!*"), ("!", "!"), ("!!", "!")]
)
def test_root_is_locked_with_what_was_its_password_kept(tree: Installroot, before: str, after: str) -> None:
    tree.write("etc/shadow", SHADOW.format(before))
    assert password(tree) == after
    assert (tree.root / "etc/shadow").stat().st_mode & 0o777 == 0o640


def test_a_recipe_may_leave_root_as_it_is(tree: Installroot) -> None:
    tree.write("etc/shadow", SHADOW.format("*"))
    _configure(tree, replace(RECIPE, root_locked=False))
    assert tree.read("etc/shadow") == SHADOW.format("*")


def test_a_locale_that_is_not_there_is_named_with_its_line_and_those_that_are(
    tree: Installroot, tmp_path: Path
) -> None:
    tree.write("etc/shadow", SHADOW.format("*"))
    (tmp_path / "own.ks").write_text("keyboard us\nlang en_US.UTF-8\n%packages\nbash\n%end\n")
    with pytest.raises(WorkbookError) as caught:
        _configure(tree, replace(RECIPE, files=(tmp_path / "own.ks",), locale="en_US.UTF-8"))
    missing = "'en_US.UTF-8' is not in the tree: there is no /usr/lib/locale/en_US.utf8"
    assert caught.value.message == f"{tmp_path}/own.ks:2: {missing}"
    assert caught.value.hint == "add the package that has it to the recipe, or name another one: the tree has C.utf8"
    with pytest.raises(WorkbookError) as caught:
        _configure(tree, replace(RECIPE, files=(tmp_path / "own.ks",), keyboard="us"))
    assert caught.value.message.startswith(f"{tmp_path}/own.ks:1: 'us' is not in the tree")
    assert caught.value.hint == "add the package that has it to the recipe, or name another one"


def test_selinux_is_as_the_recipe_says(tree: Installroot) -> None:
    tree.write("etc/shadow", SHADOW.format("*"))
    tree.write("etc/selinux/config", "# SELINUX= can be\nSELINUX=permissive\nSELINUXTYPE=default\n")
    _configure(tree, replace(RECIPE, selinux="enforcing"))
    assert tree.read("etc/selinux/config") == "# SELINUX= can be\nSELINUX=enforcing\nSELINUXTYPE=default\n"


class FailingTools(Tools):
    """Every command fails."""

    def run(self, words: Sequence[Any], **_: Any) -> Completed:
        raise CommandError(f"{words[-1]}: exit status 3", log="oops")


def failing_script(directory: Path, *, stop_on_error: bool) -> None:
    (directory / "root").mkdir()
    tree = Installroot(FailingTools(Path("/nonexistent"), "none"), directory / "root", 0)
    _run_script(tree, PostScript("exit 3\n", "/bin/sh", stop_on_error, "own.ks:7"), directory / "log")


def test_a_script_that_fails_stops_the_compose(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"^own\.ks:7: the script failed") as caught:
        failing_script(tmp_path, stop_on_error=True)
    assert caught.value.log == "oops"


def test_a_script_that_may_fail_is_named_when_it_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failing_script(tmp_path, stop_on_error=False)
    assert "own.ks:7: the script failed" in "".join(capsys.readouterr())


@dataclass(frozen=True)
class DatabaseTools(Tools):
    """A sqlite3 that works on the files of the tree at ``tree``."""

    tree: Path

    def run(self, words: Sequence[Any], **_: Any) -> Completed:
        program, path, statements = words
        assert program == "sqlite3"
        with closing(sqlite3.connect(self.tree / Path(path).relative_to(INSTALLROOT))) as database:
            database.executescript(statements)
        return Completed("", "")


def settled_history(root: Path, seconds: int, user: int, outputs: Sequence[str]) -> bytes:
    """dnf's history of one transaction, as a compose leaves it."""
    directory = root / "var/lib/dnf"
    directory.mkdir(parents=True)
    with closing(sqlite3.connect(directory / "history.sqlite")) as database:
        database.execute("CREATE TABLE trans (dt_begin, dt_end, user_id, cmdline)")
        database.execute("CREATE TABLE console_output (line)")
        database.execute("INSERT INTO trans VALUES (?, ?, ?, 'install bash')", (seconds, seconds + 9, user))
        database.executemany("INSERT INTO console_output VALUES (?)", [(text,) for text in outputs])
        database.commit()
    (directory / "history.sqlite-shm").touch()
    settle_databases(Installroot(DatabaseTools(Path("/nonexistent"), "none", root), root, 1_700_000_000))
    assert [path.name for path in directory.iterdir()] == ["history.sqlite"]
    with closing(sqlite3.connect(directory / "history.sqlite")) as database:
        assert database.execute("SELECT * FROM trans").fetchall() == [
            (1_700_000_000, 1_700_000_000, -1, "install bash")
        ]
    return (directory / "history.sqlite").read_bytes()


def test_the_history_of_dnf_is_the_same_whenever_and_by_whom_it_was_made(tmp_path: Path) -> None:
    one = settled_history(tmp_path / "one", 1_750_000_000, 0, ["bash", "libc"])
    assert one == settled_history(tmp_path / "other", 1_760_000_000, 1000, ["libc", "bash"])


@dataclass(frozen=True)
class ScriptTools(Tools):
    """Notes what is run in the tree at ``tree``, and the files that are there when a script runs."""

    tree: Path
    seen: list[str]

    def run(self, words: Sequence[Any], **_: Any) -> Completed:
        line = " ".join(map(str, words)).removeprefix(f"chroot {INSTALLROOT} ")
        if line.endswith("/tmp/script"):
            there = [name for name in ("issue.net", "motd") if (self.tree / "etc" / name).exists()]
            there += ["usr/etc"] if (self.tree / "usr/etc/passwd").exists() else []
            line = f"script {(self.tree / 'tmp/script').read_text()}: {' '.join(there)}"
        self.seen.append(line)
        return Completed("", "")


def composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe) -> tuple[Path, list[str]]:
    """A tree that is composed without packages, and what was run in it."""
    root, seen = tmp_path / "root", list[str]()

    def fake_install(tree: Installroot, *_: object, **__: object) -> None:
        for name in ("etc/issue.net", "etc/machine-id", "etc/passwd", "etc/shadow", "usr/lib/locale/C.utf8/x"):
            tree.write(name, "old\n")

    def fake_initramfs(*_: object, **__: object) -> None:
        seen.append("initramfs")

    monkeypatch.setattr(installroot, "install", fake_install)
    monkeypatch.setattr(installroot, "install_initramfs", fake_initramfs)
    monkeypatch.setattr(installroot, "read_headers", lambda *_: {})
    root.mkdir()
    tree = Installroot(ScriptTools(Path("/nonexistent"), "none", root, seen), root, 0)
    nothing: Any = None
    rpm_set = RpmSet("k", Lock("own", ()), tmp_path, (), 0.0, True)
    installroot.make_installroot(tree, recipe, nothing, rpm_set, nothing, name="own", version="1", log=tmp_path / "log")
    return root, seen


def test_files_are_removed_and_added_before_the_scripts_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(
        RECIPE,
        run_sysusers=True,
        removed_paths=("etc/issue.net",),
        added_files=(AddedFile("etc/motd", stat.S_IFREG | 0o644, b"hello\n"),),
        post_scripts=tuple(PostScript(text, "/bin/sh", True, "a.yaml:1") for text in ("one", "two")),
    )
    root, seen = composed(tmp_path, monkeypatch, recipe)
    assert seen == [
        "systemd-sysusers", "systemctl set-default -- multi-user.target", "script one: motd usr/etc",
        "script two: motd usr/etc",
        "initramfs",
    ]  # fmt: skip
    assert not (root / "etc/issue.net").exists()
    assert not os.path.lexists(root / "usr/etc")


def test_a_script_of_a_kickstart_finds_no_usr_etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = (PostScript("one", "/bin/sh", True, "a.ks:1"),)
    _, seen = composed(tmp_path, monkeypatch, replace(RECIPE, files=(Path("a.ks"),), post_scripts=scripts))
    assert "script one: issue.net" in seen


def test_a_recipe_may_do_without_an_initramfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, seen = composed(tmp_path, monkeypatch, replace(RECIPE, initramfs=False))
    assert "initramfs" not in seen


@pytest.mark.parametrize(("kind", "text"), [("uninitialized", "uninitialized\n"), ("empty", ""), ("absent", None)])
def test_the_machine_id_is_as_the_recipe_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, text: str | None
) -> None:
    root, _ = composed(tmp_path, monkeypatch, replace(RECIPE, machine_id=kind))
    path = root / "etc/machine-id"
    assert (path.read_text() if path.exists() else None) == text


def test_an_account_with_another_id_ends_the_compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "root").mkdir()
    recipe = replace(
        RECIPE,
        account_rules=AccountRules(users=(("svc", 912, 912),)),
        added_files=(AddedFile("etc/passwd", stat.S_IFREG | 0o644, b"svc:x:5:5::/:/bin/sh\n"),),
    )
    (tmp_path / "root").rmdir()
    with pytest.raises(WorkbookError, match=r"^own\.yaml: user svc has the id 5:5, not 912:912"):
        composed(tmp_path, monkeypatch, recipe)


def test_a_unit_that_nothing_starts_is_started_by_multi_user_target(tree: Installroot) -> None:
    units = tree.root / "etc/systemd/system"
    (units / "sockets.target.wants").mkdir(parents=True)
    (units / "sockets.target.wants/own.socket").symlink_to("/usr/lib/systemd/system/own.socket")
    for unit in ("own.socket", "static.service", "static.service"):
        want_unit(tree.files, unit)
    assert [path.name for path in (units / "multi-user.target.wants").iterdir()] == ["static.service"]
    link = os.readlink(units / "multi-user.target.wants/static.service")
    assert link == "/usr/lib/systemd/system/static.service"


def test_what_packages_have_in_run_and_tmp_stays_and_what_the_compose_left_there_goes(tmp_path: Path) -> None:
    for name in ("run/vendor/own/deep", "run/vendor/left", "run/left", "tmp/own", "tmp/left", "var/tmp/left"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").touch()
    (tmp_path / "var/run").symlink_to("/run")
    tree = Installroot(NO_TOOLS, tmp_path, 0)
    installroot._clean(tree, ["/var/run/vendor/own/deep/file", "/tmp/own", "/usr/bin/own", "/run"])
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir())
    assert left == ["run/vendor/own/deep/file"]
    assert (tmp_path / "tmp/own").is_dir()


def test_only_line_feeds_end_the_lines_of_account_files(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    odd = "own:!:1\u2028root:x:1\x0b\x85:2:3:::\n"
    (tmp_path / "etc/shadow").write_text(f"root:x:1::::::\n{odd}")
    assert installroot._with_root_locked((tmp_path / "etc/shadow").read_text()) == f"root:!x:1::::::\n{odd}"


def test_what_the_tree_lacks_is_left_out_and_told_where_the_recipe_may_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(
        (Path("own.ks"),), (), selinux="disabled", locale="en_US.UTF-8", timezone="Odd/Place",
        enabled_units=("absent.service", "getty@tty1.service", "other.service"), wanted_units=("absent.service",),
        added_files=(), optional_settings=True,
    )  # fmt: skip
    root, seen = composed(tmp_path, monkeypatch, recipe)
    files = TreeFiles(root)
    assert not any("systemctl enable" in line for line in seen), "none of them is there"
    assert (root / "etc/locale.conf").read_text() == "LANG=C.UTF-8\n", "the default, which is there"
    assert os.readlink(root / "etc/localtime") == "../usr/share/zoneinfo/Etc/UTC"
    assert not (root / "etc/systemd/system/multi-user.target.wants/absent.service").is_symlink()
    for name in ("getty@.service", "other.service"):
        (root / "usr/lib/systemd/system").mkdir(parents=True, exist_ok=True)
        (root / "usr/lib/systemd/system" / name).touch()
    assert installroot.left_out(files, recipe) == [
        "en_US.UTF-8 is not set: the tree has no /usr/lib/locale/en_US.utf8",
        "Odd/Place is not set: the tree has no /usr/share/zoneinfo/Odd/Place",
        "absent.service is not enabled: the tree does not have it",
    ]
    assert installroot.left_out(files, replace(recipe, optional_settings=False)) == []


def test_another_name_of_a_unit_enables_the_unit(tree: Installroot) -> None:
    tree.write("usr/lib/systemd/system/sshd.service", "[Unit]\n")
    tree.files.add_link("usr/lib/systemd/system/ssh.service", "sshd.service")
    tree.files.add_link("usr/lib/systemd/system/odd.service", "odd.target")
    names = ("ssh.service", "sshd.service", "odd.service", "absent.service")
    assert [installroot._linked_unit(tree.files, name) for name in names] == [
        "sshd.service", "sshd.service", "odd.service", "absent.service"
    ]  # fmt: skip
