"""In which order a machine is asked, what is wrong meanwhile, and that the fault is gone afterwards."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.compose.update.download_prediction import ServedFile
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest.refusals.case_runner import CaseRunner
from atomic_lib.guest.refusals.faulty_repositories import FaultyRepositories, SignedUpdate
from atomic_lib.guest.refusals.update_cases import CASES
from atomic_lib.guest.refusals.update_client import UpdateClient
from atomic_lib.guest.update.repository_server import Site
from tests.guest.refusals.test_update_client import STATE
from tests.guest.update.updates import AFTER, BEFORE

OBJECTS = frozenset(f"objects/{number:02}.filez" for number in range(8))


@dataclass
class _Machine:
    """A machine that fails as long as something is wrong, and what the server did at each attempt."""

    site: Site
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    lost: bool = False

    def run(self, command: str) -> str:
        """Answer a program as a machine does."""
        if command.startswith("# What a failed update"):
            return STATE
        self.commands.append(command)
        if not command.startswith("# What the administrator"):
            return ""
        if self.lost:
            raise CommandError("connection lost")
        (typed,) = (line for line in command.splitlines() if "ostree" in line and "find" not in line)
        self.seen.append((typed.strip("( ").partition(" )")[0], self.site.repository.name, self.site.fault))
        wrong = self.site.fault != "none"
        asked = sorted(OBJECTS)[: 4 if wrong else 8]
        self.site.log.files += [ServedFile(path, 10) for path in ("summary", *asked)]
        return "error: While fetching\nexit status 1\n" if wrong else "exit status 0\n"


@pytest.fixture
def machine(tmp_path: Path) -> _Machine:
    return _Machine(Site(tmp_path / "good"))


def runner(machine: _Machine) -> CaseRunner:
    good, unused = machine.site.repository, Any
    key: Any = unused
    before, after = (Version(good, "own/ref", commit) for commit in (BEFORE, AFTER))
    paths: Any = {case.repository: good.with_name(case.repository) for case in CASES.values()}
    update = SignedUpdate(before, after, good, key, 0)
    client = UpdateClient(machine.run, "own", "/etc/key", as_writer="as-writer")
    made = CaseRunner(client, machine.site, update, FaultyRepositories(paths, "EXPIRED", "RENEWED"))
    made.__dict__["objects"] = OBJECTS
    return made


def test_a_refused_update_is_served_once_and_forgotten(machine: _Machine) -> None:
    machine.site.fault = "garbage"
    result = runner(machine).run("unsigned", "upgrade")
    assert machine.seen == [("ostree admin upgrade --os=own", "unsigned", "none")]
    assert machine.site.repository.name == "good"
    assert result.repeat is None
    forget = machine.commands[-1].splitlines()
    assert forget[0].endswith("ostree admin undeploy 0")
    assert forget[1:] == [
        f"ostree refs --force --create=fedora-atomic:own/ref {BEFORE}",
        "ostree prune --refs-only",
        "as-writer sh -c 'rm -rf /ostree/repo/tmp/staging-*'",
    ]


def test_an_update_that_failed_is_tried_again_without_the_fault(machine: _Machine) -> None:
    results = runner(machine).run_all(["dies"])
    assert [result.way for result in results] == ["upgrade", "download", "pull"]
    download, pull = "ostree admin upgrade --os=own --pull-only", "ostree pull --timestamp-check fedora-atomic own/ref"
    assert machine.seen == [
        ("ostree admin upgrade --os=own", "good", "dies"), (download, "good", "none"),
        (download, "good", "dies"), (download, "good", "none"),
        (pull, "good", "dies"), (pull, "good", "none"),
    ]  # fmt: skip
    first, repeat = results[0].first, results[0].repeat
    assert repeat is not None
    assert (first.status, first.objects, first.download.requests) == (1, 4, 5)
    assert (repeat.status, repeat.objects, results[0].objects) == (0, 8, 8)
    assert machine.site.log.take().requests == 0


def test_a_server_fails_in_the_middle_of_the_objects(machine: _Machine) -> None:
    runner(machine).run("garbage", "upgrade")
    assert machine.site.spared == len(OBJECTS) // 2


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("expired-key", "mv /etc/key /etc/key.kept\nprintf %s EXPIRED >/etc/key", "mv /etc/key.kept /etc/key"),
        ("renewed-key", "mv /etc/key /etc/key.kept\nprintf %s RENEWED >/etc/key", "mv /etc/key.kept /etc/key"),
        ("unsigned", "true", "true"),
    ],
)
def test_what_is_wrong_with_the_machine_is_undone_before_it_is_looked_at(
    machine: _Machine, name: str, wrong: str, right: str
) -> None:
    runner(machine).run(name, "upgrade")
    assert (machine.commands[0], machine.commands[2]) == (wrong, right)
    assert machine.commands[1].startswith("# What the administrator")


def test_the_disk_is_full_during_the_attempt_only(machine: _Machine) -> None:
    runner(machine).run("full-disk-without-reserve", "upgrade")
    wrong, attempt, right = machine.commands[:3]
    assert wrong.startswith("ostree config set core.min-free-space-percent 0\n")
    assert "fallocate" in wrong
    assert "ostree admin upgrade" in attempt
    assert right == "rm -r /var/filler\nostree config unset core.min-free-space-percent"


def test_version_2_is_downloaded_before_it_is_deployed_to_a_full_disk(machine: _Machine) -> None:
    runner(machine).run("full-disk-deploy", "deploy")
    typed = [command for command, _, _ in machine.seen]
    upgrade = "ostree admin upgrade --os=own"
    assert typed == [f"{upgrade} --pull-only", f"{upgrade} --deploy-only", f"{upgrade} --deploy-only"]


def test_a_client_is_killed_once_it_has_some_objects(machine: _Machine) -> None:
    runner(machine).run("killed", "upgrade")
    (program,) = (command for command in machine.commands if "kill -KILL" in command)
    assert "\nostree admin upgrade --os=own &\n" in program
    assert "-lt 2 ]" in program
    assert machine.seen[0][2] == "stalls"


def test_a_machine_that_cannot_be_asked_leaves_no_fault_behind(machine: _Machine) -> None:
    machine.lost = True
    with pytest.raises(CommandError, match="connection lost"):
        runner(machine).run("full-disk", "upgrade")
    assert machine.commands[-1] == "rm -r /var/filler"
    with pytest.raises(CommandError):
        runner(machine).run("dies", "upgrade")
    assert machine.site.fault == "none"
