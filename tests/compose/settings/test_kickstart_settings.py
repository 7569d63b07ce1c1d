"""What only kickstarts ask of a tree: the commands that run in it, and scripts that run outside of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.installroot import _run_script, _set_units
from atomic_lib.compose.settings.kickstart_settings import apply_kickstart_settings
from atomic_lib.compose.tree import recipe_inputs
from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.recipe import PostScript, Recipe
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.tools.sandbox import Tools

RECIPE = Recipe(files=(Path("own.ks"),), packages=("bash",))
PASSWD = "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nodd:x:9:9:::\n"


@dataclass(frozen=True)
class KeptTools(Tools):
    """Keeps what it should run; commands with a word in ``failing`` fail."""

    calls: list[tuple[list[str], dict[str, Any]]] = field(default_factory=list)
    scripts: list[bytes] = field(default_factory=list)
    failing: str = "\0"

    def run(self, words: Sequence[Any], **options: Any) -> Completed:
        self.calls.append(([*words], options))
        self.scripts.extend(bind.source.read_bytes() for bind in options["binds"] if bind.target == "/tmp/ks-script")
        if self.failing in words:
            raise CommandError("exit status 1", log="oops")
        return Completed("", "")

    def lines(self) -> list[str]:
        """The commands that ran in the tree."""
        return [" ".join(words[2:]) for words, _ in self.calls if words[:2] == ["chroot", INSTALLROOT]]


def made(directory: Path, recipe: Recipe, failing: str = "\0") -> KeptTools:
    tools = KeptTools(Path("/nonexistent"), "none", failing=failing)
    tree = Installroot(tools, directory / "root", 7)
    tree.root.mkdir(exist_ok=True)
    tree.write("etc/passwd", PASSWD)
    apply_kickstart_settings(tree, recipe)
    return tools


def recipe_of(directory: Path, lines: str) -> Recipe:
    (directory / "a.ks").write_text(f"{lines}\n%packages --nocore\nbash\n%end\n")
    return read_kickstart(directory / "a.ks", "F41")


def test_groups_come_first_then_each_user_with_its_groups_and_nobody_gets_a_password(tmp_path: Path) -> None:
    recipe = recipe_of(
        tmp_path,
        'user --name=eve --groups=wheel,lab --uid=1234 --shell=/bin/bash --homedir=/srv/e/eve --gecos="Eve L"\n'
        "user --name=bob --lock --gid=70 --password=secret\n"
        "user --name=cy --gid=80 --groups=wheel,own(80)\ngroup --name=lab --gid=60",
    )
    assert made(tmp_path, recipe).lines() == [
        "groupadd --gid 60 lab",
        "groupadd wheel",
        "groupadd lab",
        "useradd --create-home --no-log-init --uid=1234 --shell=/bin/bash --home-dir=/srv/e/eve --comment=Eve L "
        "--groups=wheel,lab --user-group eve",
        "groupadd --gid 70 bob",
        "useradd --create-home --no-log-init --gid=70 bob",
        "groupadd wheel",
        "groupadd --gid 80 own",
        "useradd --create-home --no-log-init --groups=wheel,own --gid=80 cy",
    ]
    assert "secret" not in str(recipe)
    assert (tmp_path / "root/srv/e").is_dir()


def test_groups_and_users_that_are_there_stay_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/group").write_text("wheel:x:10:\nusers:x:100:\n")
    recipe = recipe_of(
        tmp_path, "group --name=wheel --gid=5\ngroup --name=new --gid=100\nuser --name=ada\n"
        "user --name=bob --gid=100 --groups=wheel",
    )  # fmt: skip
    assert made(tmp_path, recipe).lines() == ["useradd --create-home --no-log-init --groups=wheel --gid=100 bob"]
    said = capsys.readouterr().err
    assert "wheel is not created: there is a group of that name" in said
    assert "new is not created: group users has the number 100" in said
    assert "ada is not created: there is a user of that name" in said


def test_a_home_directory_that_is_there_changes_its_owner(tmp_path: Path) -> None:
    home = tmp_path / "root/home/bob"
    home.mkdir(parents=True)
    status = home.stat()
    assert made(tmp_path, recipe_of(tmp_path, "user --name=bob")).lines() == [
        "useradd --no-create-home --no-log-init --user-group bob",
        f"chown --recursive --no-dereference --from={status.st_uid}:{status.st_gid} bob: /home/bob",
    ]


def test_sources_of_the_time_replace_those_of_chrony(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = recipe_of(
        tmp_path, "timezone --utc Etc/UTC\ntimesource --ntp-server=a.example --nts\ntimesource --ntp-pool=b.example"
    )
    made(tmp_path, recipe)
    assert "chrony is not in the tree" in capsys.readouterr().err
    file = tmp_path / "root/etc/chrony.conf"
    file.write_text("# mine\npool 2.fedora.pool.ntp.org iburst\n server x.example\ndriftfile /var/lib/chrony/drift\n")
    for _ in range(2):  # the second time as where an earlier installation wrote it
        made(tmp_path, recipe)
    assert file.read_text().splitlines() == [
        "# These servers were defined in the installation:", "server a.example iburst nts", "pool b.example iburst", "",
        "", "# mine", "driftfile /var/lib/chrony/drift",
    ]  # fmt: skip


def test_an_account_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"a\.ks: useradd could not create eve"):
        made(tmp_path, recipe_of(tmp_path, "user --name=eve"), failing="useradd")


def test_a_key_goes_to_the_home_directory_of_its_user(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, 'sshkey --username=ada "ssh-ed25519 AAAA ada"\nsshkey --username=ada "ssh-rsa BBBB"')
    assert made(tmp_path, recipe).lines()[:2] == [
        "chmod 0700 /home/ada/.ssh",
        "chown --recursive ada: /home/ada/.ssh",
    ]
    file = tmp_path / "root/home/ada/.ssh/authorized_keys"
    assert file.read_text() == "ssh-ed25519 AAAA ada\nssh-rsa BBBB\n"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("user", ["bob", "odd"])
def test_a_key_of_a_user_without_a_home_directory_is_refused(tmp_path: Path, user: str) -> None:
    recipe = recipe_of(tmp_path, f'sshkey --username={user} "ssh-rsa BBBB"')
    with pytest.raises(WorkbookError, match=f"the tree has no user '{user}' with a home directory"):
        made(tmp_path, recipe)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("firewall --disabled", "--disabled --service=ssh"),
        ("firewall --enabled --service=mdns,http --port=80:tcp --trust=eth1", "--enabled --service=ssh --service=mdns "
         "--service=http --trust=eth1 --port=80:tcp"),
        ("firewall --enabled --remove-service=ssh", "--enabled --remove-service=ssh"),
        ("firewall --port=22:tcp", "--enabled --port=22:tcp"),
        ("", "--enabled --service=ssh"),
        ("firewall --use-system-defaults --service=http", ""),
    ],
)  # fmt: skip
def test_the_firewall_is_set_by_its_own_program_if_the_tree_has_it(tmp_path: Path, line: str, words: str) -> None:
    recipe = recipe_of(tmp_path, line)
    assert made(tmp_path, recipe).lines() == []
    program = tmp_path / "root/usr/bin/firewall-offline-cmd"
    program.parent.mkdir(parents=True)
    program.touch()
    assert made(tmp_path, recipe).lines() == ([f"/usr/bin/firewall-offline-cmd {words}"] if words else [])


def test_a_firewall_that_the_tree_does_not_have_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, recipe_of(tmp_path, "firewall --enabled"))
    assert "firewalld is not in the tree" in "".join(capsys.readouterr())


def test_a_unit_to_disable_may_be_absent_but_one_to_enable_may_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = KeptTools(Path("/nonexistent"), "none", failing="chronyd.service")
    recipe = replace(RECIPE, disabled_units=("chronyd.service", "network.service"), enabled_units=("sshd.service",))
    _set_units(Installroot(tools, tmp_path, 7), recipe)
    assert tools.lines() == [
        "systemctl disable -- chronyd.service",
        "systemctl disable -- network.service",
        "systemctl set-default -- multi-user.target",
        "systemctl enable -- sshd.service",
    ]
    assert "chronyd.service is not in the tree" in "".join(capsys.readouterr())
    with pytest.raises(WorkbookError, match=r"cannot enable chronyd\.service"):
        _set_units(Installroot(tools, tmp_path, 7), replace(RECIPE, enabled_units=("chronyd.service",)))


def test_a_script_outside_of_the_tree_sees_the_tree_and_nothing_else_of_the_host(tmp_path: Path) -> None:
    tools = KeptTools(Path("/nonexistent"), "none")
    (tmp_path / "root").mkdir()
    script = PostScript("a\r\n\x0c\u2028b\udcff\n", "/usr/bin/python3 -I", True, "own.ks:7", in_tree=False)
    _run_script(Installroot(tools, tmp_path / "root", 7), script, tmp_path / "log")
    ((words, options),) = tools.calls
    assert words == ["/usr/bin/python3", "-I", "/tmp/ks-script"]
    assert options["env"] == {"SOURCE_DATE_EPOCH": "7", "ANA_INSTALL_PATH": "/mnt/sysroot"}
    assert [(bind.source == tmp_path / "root", bind.target, bind.writable) for bind in options["binds"]] == [
        (True, "/mnt/sysroot", True),
        (True, "/mnt/sysimage", True),
        (False, "/tmp/ks-script", False),
    ]
    assert (options["rights"], options.get("network", False)) == ("root", False)
    assert options["filesystems"] == ["/mnt/sysroot", "/mnt/sysimage"]  # so the limits of scripts hold
    assert tools.scripts == ["a\r\n\x0c\u2028b".encode() + b"\xff\n"]
    assert list((tmp_path / "root").iterdir()) == []


@pytest.mark.parametrize("stop_on_error", [True, False])
def test_a_script_outside_of_the_tree_may_fail_if_it_says_so(tmp_path: Path, *, stop_on_error: bool) -> None:
    tools = KeptTools(Path("/nonexistent"), "none", failing="/tmp/ks-script")
    tree = Installroot(tools, tmp_path, 7)
    script = PostScript("exit 1\n", "/bin/sh", stop_on_error, "own.ks:7", in_tree=False)
    if not stop_on_error:
        _run_script(tree, script, tmp_path / "log")
        return
    with pytest.raises(WorkbookError, match=r"^own\.ks:7: the script failed"):
        _run_script(tree, script, tmp_path / "log")


@pytest.mark.parametrize(
    "changed",
    [
        {"account_commands": (("groupadd", "a"),)},
        {"ssh_keys": (("root", "ssh-rsa A"),)},
        {"firewall": ("--enabled",)},
        {"post_scripts": (PostScript("a", "/bin/sh", True, "own.ks:7", in_tree=False),)},
    ],
)
def test_what_changes_a_tree_changes_its_key(changed: dict[str, Any]) -> None:
    before = replace(RECIPE, post_scripts=(PostScript("a", "/bin/sh", True, "own.ks:7"),))
    assert recipe_inputs(replace(before, **changed)) != recipe_inputs(before)
