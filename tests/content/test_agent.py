"""min-cloud-agent and its input: a real process and the real metadata service."""

import shutil
from pathlib import Path

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.guest.vm.metadata_service import Instance, Sessions
from tests.content.agent_process import KEY, OTHER, SHELLS, agent, authorized, program, provision, refused
from tests.served import served

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="min-cloud-agent needs curl on this host")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("sessions", ["v1", "optional", "required"])
def test_keys_hostname_and_script(root: Path, shell: str, sessions: Sessions) -> None:
    script = f'#!/bin/sh\necho "$0" >{root}/ran\necho from the script\n'
    done = provision(root, Instance("i-1", "web-1.example.org", (KEY, OTHER), script), sessions, shell)
    assert authorized(root) == f"{KEY}\n{OTHER}\n"
    assert (root / "root/.ssh/authorized_keys").stat().st_mode & 0o7777 == 0o600
    assert (root / "root/.ssh").stat().st_mode & 0o7777 == 0o700
    assert (root / "etc/hostname").read_text() == "web-1.example.org\n"
    assert (root / "etc/hostname").stat().st_mode & 0o777 == 0o644
    assert "from the script" in done.stdout
    assert (root / "ran").read_text().strip() == str(root / "var/lib/min-cloud-agent/i-1/user-data")
    assert (root / "var/lib/min-cloud-agent/i-1/status").read_text() == "0\n"
    assert ("IMDSv1" in done.stdout) == (sessions == "v1")
    assert done.stderr == ""


def test_existing_keys_stay_and_none_is_added_twice(root: Path) -> None:
    (root / "root/.ssh").mkdir(mode=0o755)
    mine = f'# mine\n\ncommand="a \\n b" {OTHER}'  # no newline at the end, as people leave it
    (root / "root/.ssh/authorized_keys").write_text(mine)
    provision(root, Instance("i-1", "h", (KEY,)))
    assert authorized(root) == f"{mine}\n{KEY}\n"
    before = (root / "root/.ssh/authorized_keys").stat()
    provision(root, Instance("i-1", "h", (KEY,)))
    assert authorized(root) == f"{mine}\n{KEY}\n"
    assert (root / "root/.ssh/authorized_keys").stat().st_ino == before.st_ino
    assert (root / "root/.ssh").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (root / "root/.ssh").iterdir()] == ["authorized_keys"]


@pytest.mark.parametrize("shell", SHELLS)
def test_blanks_before_a_key_are_none_of_it(root: Path, shell: str) -> None:
    provision(root, Instance("i-1", "h", (f"  {KEY}", f"\t {OTHER}\n \t\n  # mine\n {KEY}")), shell=shell)
    assert authorized(root) == f"{KEY}\n{OTHER}\n"


def test_what_is_no_key_is_left_out(root: Path) -> None:
    error = refused(root, Instance("i-1", "h", ("<html>no</html>", f"{KEY}\nPermitRootLogin yes\n")))
    assert error.status == 1
    assert authorized(root) == f"{KEY}\n"
    assert "lines that are no public key are left out: 2" in error.stderr


def test_a_script_runs_once_per_instance(root: Path) -> None:
    script = f"#!/bin/sh\necho x >>{root}/count\n"
    for instance_id in ("i-1", "i-1", "i-2", "i-1"):
        provision(root, Instance(instance_id, "h", (KEY,), script))
    assert (root / "count").read_text() == "x\nx\n"
    assert sorted(path.name for path in (root / "var/lib/min-cloud-agent").iterdir()) == ["i-1", "i-2"]


def test_a_failing_script_keeps_the_login_and_its_status(root: Path) -> None:
    error = refused(root, Instance("i-1", "h", (KEY,), "#!/bin/sh\necho trouble\nexit 7\n"))
    assert error.status == 7
    assert "trouble" in error.stdout
    assert authorized(root) == f"{KEY}\n"
    assert (root / "var/lib/min-cloud-agent/i-1/status").read_text() == "7\n"


def test_a_script_that_was_cut_off_does_not_run_again(root: Path) -> None:
    kills_agent = f"#!/bin/sh\necho x >>{root}/count\nkill -9 $PPID\nsleep 0.1\n"
    instance = Instance("i-1", "h", (KEY,), kills_agent)
    with pytest.raises(CommandError):
        provision(root, instance)
    provision(root, instance)
    assert (root / "count").read_text() == "x\n"
    assert not (root / "var/lib/min-cloud-agent/i-1/status").exists()


def test_the_two_halves(root: Path) -> None:
    with served(Instance("i-1", "h", (KEY,), f"#!/bin/sh\ntouch {root}/ran\n")) as service:
        agent(root, service.url, "fetch")
        assert not (root / "ran").exists()
    agent(root, "http://127.0.0.1:1", "run")
    assert (root / "ran").exists()


@pytest.mark.parametrize(
    ("user_data", "words"),
    [("#cloud-config\nusers: []\n", "#cloud-config"), ("echo no\n", "does not begin with #!"), ("\n#!/bin/sh\n", "#!")],
)
def test_other_user_data_is_refused_with_one_line(root: Path, user_data: str, words: str) -> None:
    error = refused(root, Instance("i-1", "h", (KEY,), user_data))
    assert error.status == 1
    assert words in error.stderr
    assert len(error.stderr.splitlines()) == 1
    assert authorized(root) == f"{KEY}\n"


@pytest.mark.parametrize(
    "hostname",
    ["a;reboot", "$(reboot)", "-a b", "-a", "a-", ".a", "a..b", "a.-b", "10.0.0.1", "a\nb", "ä", "a" * 64, "a_b",
     "../x", ".".join(["a" * 60] * 5), "a." * 30_000 + "a"],
)  # fmt: skip
def test_a_hostile_host_name_is_refused(root: Path, hostname: str) -> None:
    error = refused(root, Instance("i-1", hostname, (KEY,)))
    assert "RFC 1123" in error.stderr
    assert not (root / "etc/hostname").exists()
    assert authorized(root) == f"{KEY}\n"


@pytest.mark.parametrize("offered", ["web-1.one.example web-1.two.example", "web-1.one.example."])
def test_of_several_names_the_first_is_taken_and_a_last_dot_is_none_of_it(root: Path, offered: str) -> None:
    provision(root, Instance("i-1", offered))
    assert (root / "etc/hostname").read_text() == "web-1.one.example\n"


def test_a_host_name_too_long_for_the_kernel_is_cut_at_its_first_dot(root: Path) -> None:
    provision(root, Instance("i-1", "ip-10-0-0-1." + "a" * 60))
    assert (root / "etc/hostname").read_text() == "ip-10-0-0-1\n"


@pytest.mark.parametrize(
    ("instance_id", "name"),
    [
        ("../../etc", "%2E.%2F..%2Fetc"), (".", "%2E"), ("..", "%2E."), ("a/b", "a%2Fb"), ("-rf", "%2Drf"),
        ("a%2Fb", "a%252Fb"), ("$(x)'\"", "%24%28x%29%27%22"), ("iid-local01", "iid-local01"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shell", SHELLS)
def test_any_word_is_an_instance_of_its_own(root: Path, instance_id: str, name: str, shell: str) -> None:
    instance = Instance(instance_id, "h", (KEY,), f"#!/bin/sh\necho ran >>{root}/ran\n")
    for _ in range(2):
        provision(root, instance, shell=shell)
    assert (root / "ran").read_text() == "ran\n"
    assert [path.name for path in (root / "var/lib/min-cloud-agent").iterdir()] == [name]
    assert sorted(path.name for path in root.iterdir()) == ["etc", "ran", "root", "run", "var"]


@pytest.mark.parametrize("instance_id", ["i 1", "i\n1", "i" * 201, "/" * 100, "/" * 30_000])
def test_an_unusable_instance_id_runs_nothing(root: Path, instance_id: str) -> None:
    error = refused(root, Instance(instance_id, "h", (KEY,), f"#!/bin/sh\ntouch {root}/ran\n"))
    assert "instance-id" in error.stderr
    assert not (root / "ran").exists()
    assert not (root / "var").exists()
    assert authorized(root) == f"{KEY}\n"


def test_who_does_not_know_the_instance_leaves_a_provisioned_machine_alone(root: Path) -> None:
    provision(root, Instance("i-1", "h", (KEY,)))
    (root / "root/.ssh/authorized_keys").write_text(f"{OTHER}\n")
    (root / "etc/hostname").write_text("renamed\n")
    error = refused(root, Instance("i 1", "h", (KEY,)))
    assert "not known which instance this is" in error.stderr
    assert authorized(root) == f"{OTHER}\n"
    assert (root / "etc/hostname").read_text() == "renamed\n"


def test_keys_behind_a_link_stay(root: Path) -> None:
    (root / "root/.ssh").mkdir(mode=0o700)
    (root / "keys").write_text(f"{OTHER}\n")
    (root / "root/.ssh/authorized_keys").symlink_to("../../keys")
    done = provision(root, Instance("i-1", "h", (KEY,)))
    assert "a symbolic link is replaced" in done.stderr
    assert authorized(root) == f"{OTHER}\n{KEY}\n"
    assert not (root / "root/.ssh/authorized_keys").is_symlink()
    assert (root / "keys").read_text() == f"{OTHER}\n"


def test_what_could_not_be_done_is_done_at_the_next_boot(root: Path) -> None:
    (root / "etc/hostname").mkdir()
    instance = Instance("i-1", "web-1", (KEY,), f"#!/bin/sh\necho ran >>{root}/ran\n")
    assert "etc/hostname: cannot be written" in refused(root, instance).stderr
    assert authorized(root) == f"{KEY}\n"
    (root / "etc/hostname").rmdir()
    provision(root, instance)
    assert (root / "etc/hostname").read_text() == "web-1\n"
    assert (root / "ran").read_text() == "ran\n"


@pytest.mark.parametrize("missing", ["the host name", "the script"])
def test_a_key_that_was_removed_does_not_come_back_where_something_else_is_missing(root: Path, missing: str) -> None:
    if missing == "the host name":
        (root / "etc/hostname").mkdir()
    else:
        program(root, "curl", 'case "$*" in *user-data*) exit 22 ;; esac', shutil.which("curl"))
    for _ in range(2):
        with served(Instance("i-1", "web-1", (KEY,), "#!/bin/sh\n")) as service, pytest.raises(CommandError):
            agent(root, service.url, seconds=2)
        assert (root / "var/lib/min-cloud-agent/i-1/keys").exists()
        (root / "root/.ssh/authorized_keys").write_text("")
    assert authorized(root) == ""


def test_no_more_than_32_keys_are_taken_in_whatever_time(root: Path) -> None:
    many = "".join(f"ssh-ed25519 AAAA{number}\n" for number in range(20000))
    error = refused(root, Instance("i-1", "h", (KEY, many)))
    assert "more than 32 keys or 1000 lines" in error.stderr
    assert authorized(root).splitlines()[0] == KEY
    assert len(authorized(root).splitlines()) == 32


def test_wrong_usage(root: Path) -> None:
    with pytest.raises(CommandError) as caught:
        agent(root, "http://127.0.0.1:1", "start")
    assert caught.value.status == 2
