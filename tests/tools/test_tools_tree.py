"""The tools tree: which mirror it comes from, and what a command in it can see and do."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.tools import mirror, tools_tree
from atomic_lib.tools.mirror import choose_mirror, debian_mirror
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import find_tools, open_tools, tools_damage

TOOLS = Tools(Path("/cache/tools/root"), "key")
DEBIAN = """\
http://security.example/debian-security/ bookworm-security main Debian
http://mirror.example/debian/ bookworm-updates main Debian
http://mirror.example/debian/ bookworm contrib Debian
http://mirror.example/debian/ bookworm main Debian
http://mirror.example/debian/ bookworm-backports main Debian Backports
"""


def pairs(line: list[str], option: str) -> list[tuple[str, str]]:
    """The two words behind each ``option``."""
    return [(line[at + 1], line[at + 2]) for at, word in enumerate(line) if word == option]


def test_apt_is_asked_for_the_mirror_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[object]()

    def run(words: list[str]) -> SimpleNamespace:
        asked.append(words)
        return SimpleNamespace(stdout=DEBIAN)

    monkeypatch.delenv("WORKBOOK_MIRROR", raising=False)
    monkeypatch.setattr(command, "run", run)
    mirror._apt_targets.cache_clear()
    try:
        assert {debian_mirror(), debian_mirror()} == {"http://mirror.example/debian"}
        assert len(asked) == 1
    finally:
        mirror._apt_targets.cache_clear()


def test_mirror_of_a_debian_host() -> None:
    assert choose_mirror(DEBIAN) == "http://mirror.example/debian"


@pytest.mark.parametrize(
    "targets",
    [
        "",
        "http://archive.example/ubuntu/ noble main Ubuntu\n",
        "http://security.example/debian-security/ bookworm-security main Debian\n",
        "cdrom://[Debian]/ bookworm main Debian\n",
        "http://short.example/\n",
    ],
    ids=["none", "ubuntu", "security only", "cdrom", "nothing said"],
)
def test_no_mirror_says_how_to_name_one(targets: str) -> None:
    with pytest.raises(WorkbookError, match="no Debian mirror") as caught:
        choose_mirror(targets)
    assert caught.value.hint == "name one: ./workbook --mirror URL run"


def test_mirror_list_of_a_cloud_image(tmp_path: Path) -> None:
    names = tmp_path / "debian.list"
    names.write_text("# comment\nhttps://first.example/debian/ priority:1\nhttps://second.example/debian\n")
    assert choose_mirror(f"mirror+file:{names}/ trixie main Debian") == "https://first.example/debian"


def test_mirror_that_the_user_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_MIRROR", "https://mine.example/debian/")
    assert debian_mirror() == "https://mine.example/debian"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"WORKBOOK_CACHE": "/one", "XDG_CACHE_HOME": "/two"}, "/one"),
        ({"XDG_CACHE_HOME": "/two"}, "/two/atomic-workbook"),
        ({"HOME": "/home/user"}, "/home/user/.cache/atomic-workbook"),
    ],
)
def test_cache_directory(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name in ("WORKBOOK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_directory() == Path(expected)


def test_a_command_sees_the_tree_and_its_binds_only() -> None:
    binds = [Bind(Path("/host/in"), "/mnt/in"), Bind(Path("/host/out"), "/mnt/out", writable=True)]
    line = TOOLS.argv(["rpm", "-qa"], binds=binds)
    hidden = [pair for pair in pairs(line, "--ro-bind") if pair[0] == "/dev/null"]
    assert all(target.startswith("/proc/") for _, target in hidden)
    shown = [pair for pair in pairs(line, "--ro-bind") if pair not in hidden]
    assert shown == [("/cache/tools/root", "/"), ("/host/in", "/mnt/in")]
    assert pairs(line, "--bind") == [("/host/out", "/mnt/out")]
    assert pairs(line, "--dev-bind") == []
    assert line[line.index("--") :] == ["--", "rpm", "-qa"]


def test_every_command_has_namespaces_of_its_own() -> None:
    line = TOOLS.argv(["true"])
    wanted = {"--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"}
    assert wanted <= set(line)
    assert "--unshare-net" not in TOOLS.argv(["true"], network=True)


def test_rights_are_dropped_but_for_those_named() -> None:
    def added(line: list[str]) -> set[str]:
        assert ("--cap-drop", "ALL") in list(pairwise(line))
        return {line[at + 1] for at, word in enumerate(line) if word == "--cap-add"}

    assert added(TOOLS.argv(["true"])) == set()
    root = added(TOOLS.argv(["true"], rights="root"))
    assert {"CAP_CHOWN", "CAP_SETFCAP", "CAP_SYS_CHROOT"} <= root
    assert not root & {"CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_TIME", "CAP_NET_ADMIN", "CAP_SYS_PTRACE"}
    assert added(TOOLS.argv(["true"], rights="label")) - root == {"CAP_SYS_ADMIN", "CAP_LINUX_IMMUTABLE"}


def test_a_chroot_gets_its_own_proc_and_dev() -> None:
    line = TOOLS.argv(["true"], filesystems=["/mnt/root"])
    assert [target for target, _ in pairs(line, "--proc")] == ["/proc", "/mnt/root/proc"]
    assert ("/proc/sys", "/mnt/root/proc/sys") in pairs(line, "--ro-bind")
    assert [target for target, _ in pairs(line, "--dev")] == ["/dev", "/mnt/root/dev"]


def test_find_tools_makes_nothing(tmp_path: Path) -> None:
    assert find_tools(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """A tools tree that is made of one file."""

    def make(directory: Path) -> None:
        (directory / "root/usr").mkdir(parents=True)
        (directory / "root/usr/dnf").write_text("program")
        (directory / "versions").write_text("dnf 4\n")

    monkeypatch.setattr(tools_tree, "_make_tools", make)
    return open_tools(tmp_path)


def test_a_damaged_tools_tree_is_named_and_built_again(
    built: Tools, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (find_tools(tmp_path), tools_damage(tmp_path)) == (built, [])
    for damage in (lambda: (built.root / "usr/dnf").unlink(), lambda: (built.root / "usr/dnf").write_text("Program")):
        damage()
        assert find_tools(tmp_path) is None
        assert tools_damage(tmp_path)[0].startswith("root/usr/dnf: ")
        capsys.readouterr()
        assert open_tools(tmp_path) == built
        assert "! tools tree from Debian packages: the stored result is damaged" in capsys.readouterr().err
        assert (built.root / "usr/dnf").read_text() == "program"


def test_what_a_user_may_not_read_of_the_tools_is_no_damage(
    built: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(_: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(built.root))

    monkeypatch.setattr(tools_tree, "find_damage", deny)
    assert find_tools(tmp_path) == built
