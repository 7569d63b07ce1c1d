"""The way of a service, told by a guest that is not there: what it is asked, and what becomes of its answers."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest import guest_session
from atomic_lib.guest.containers import container_service
from atomic_lib.guest.containers.container_service import (
    HostUpdate,
    ImageToLoad,
    ServiceRequest,
    ServiceStory,
    tell,
)
from atomic_lib.guest.evidence.guest_queries import Secret
from atomic_lib.guest.evidence.proof_of_life import Check, Evidence
from atomic_lib.guest.guest_session import Session, SessionRequest
from atomic_lib.guest.vm.clock import Clock
from atomic_lib.guest.vm.qemu import Guest
from atomic_lib.params.variant import load_variant
from atomic_lib.solve.lock import LockedPackage
from tests.contexts import own_context
from tests.guest.containers.services import AFTER, BEFORE

BASH = LockedPackage("bash", 0, "5.2", "1", "x86_64", "", 0, "")
PAGE = "served to 1234"


class _Alive:
    def poll(self) -> int | None:
        return None


@dataclass
class _Told:
    """A guest that does as it is told: the commands so far, and their input."""

    whole: list[str] = field(default_factory=list)
    inputs: list[bytes] = field(default_factory=list)
    version: str = BEFORE
    rpm: str = f"{BASH.nevra}\ngpg-pubkey-0:925ef71a-3b9aca00.(none)\n"
    database: str = base64.b64encode(b"SQLite").decode()
    container: int = 1
    process: int = 100
    answers: bool = True
    page: str = PAGE
    denials: str = ""

    @property
    def commands(self) -> list[str]:
        """The first line of each command."""
        return [command.partition("\n")[0] for command in self.whole]

    def run(self, command: str, input: bytes | None = None, **_: Any) -> Completed:
        """Answer a command as the programs of the guest do."""
        self.whole.append(command)
        self.inputs += [input] if input else []
        if command == "systemctl reboot":
            self.version = AFTER
        self.container += command.startswith("docker kill") or command.endswith(("kill web", "reboot"))
        self.process += "kill -KILL" in command
        return Completed(self._answer(command), "")

    def _answer(self, command: str) -> str:
        if "journalctl -b --no-pager -o cat" in command:
            return f"{self.denials}journal read\n"
        if "image inspect" in command:
            return f"sha256:{'1' * 64}\n"
        if "rpm --query" in command:
            return self.rpm
        if "rpmdb.sqlite" in command:
            return self.database
        if "fact unit" in command:
            container = str(self.container) * 64
            facts = f"container {container}\nprocess {self.process}\ncommit {self.version}\npage {PAGE}\n"
            return f"unit active\n{facts}"
        return ""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> _Told:
    """A guest, and no ssh to reach it by."""
    told = _Told()

    @contextmanager
    def log_in(*_: object) -> Iterator[_Told]:
        yield told

    for name, value in {
        "log_in": log_in,
        "wait_for_banner": lambda *_: None,
        "wait_for_silence": lambda *_: None,
        "read_clock": lambda *_: (Clock(0.0, 0.0), 1.0),
        "read_clock_again": lambda *_: Clock(0.0, 0.0, 0.0),
        "ask": lambda *_, **__: None,
        "read_evidence": lambda *_: Evidence(checks=(Check(name="system is running", passed=True),)),
    }.items():
        monkeypatch.setattr(guest_session, name, value)
    monkeypatch.setattr(container_service, "fetch", lambda *_: f"{told.page}\n" if told.answers else "")
    monkeypatch.setattr(container_service, "installed_packages", lambda *_: (BASH,))
    return told


def story(
    directory: Path, update: HostUpdate | None, variant: str = "atomic-min", *, swarm: bool = False
) -> ServiceStory:
    archive = directory / "image.tar"
    archive.write_bytes(b"an archive")
    images = tuple(
        ImageToLoad(name, f"{name}:1", "1" * 64, archive, 10, (BASH.nevra,), has_rpm)
        for name, has_rpm in (("base", False), ("web", True))
    )
    unused: Any = None
    session_request = SessionRequest(load_variant(variant), "enforcing", unused)
    session = Session(session_request, own_context(directory), Guest(_Alive(), 0.0, directory), unused, Secret("1234"))
    return ServiceStory(ServiceRequest(session_request, images, update, swarm), session)


def test_the_service_goes_through_a_kill_and_an_update(told: _Told, tmp_path: Path) -> None:
    served = tell(story(tmp_path, HostUpdate(AFTER, tmp_path)))
    assert [image.as_built for image in served.images] == [True, True]
    assert [image.query for image in served.images] == ["rpm outside", "rpm in the container"]
    assert [(one.name, one.inside, one.outside, one.commit) for one in served.moments] == [
        ("started", True, True, BEFORE), ("killed", True, True, BEFORE), ("updated", True, True, AFTER)
    ]  # fmt: skip
    assert len({one.container for one in served.moments}) == 3
    assert [one.seconds is None for one in served.moments] == [False, False, True]
    assert (served.updated_to, len(served.boots)) == (AFTER, 2)
    assert told.inputs == [b"an archive"] * 2
    steps = [command for command in told.commands if command.startswith(("docker", "sed", "systemctl"))]
    assert steps[:3] == ["docker load", "docker image inspect --format '{{.Id}}' base:1", "docker load"]
    assert steps[4].startswith("docker run --rm --network none web:1 rpm --query --all")
    assert steps[5] == "docker kill web"
    assert steps[6].endswith("ostree admin upgrade")
    assert steps[7:] == ["systemctl reboot"]


def test_a_host_without_an_update_is_only_rebooted(told: _Told, tmp_path: Path) -> None:
    served = tell(story(tmp_path, None, "atomic-podman"))
    assert [one.name for one in served.moments_of("unit")] == ["started", "killed", "rebooted"]
    assert served.updated_to == ""
    assert not [command for command in told.commands if "ostree admin upgrade" in command]
    assert "podman load" in told.commands


def test_podman_serves_from_a_pod_too(told: _Told, tmp_path: Path) -> None:
    served = tell(story(tmp_path, None, "atomic-podman"))
    assert [(one.kind, one.name) for one in served.moments] == [
        ("unit", "started"), ("unit", "killed"), ("pod", "started"), ("pod", "killed"), ("unit", "rebooted"),
        ("pod", "rebooted"),
    ]  # fmt: skip
    started, killed, _ = served.moments_of("pod")
    assert (started.container == killed.container, started.process, killed.process) == (True, "100", "101")
    assert tell(story(tmp_path, None)).moments_of("pod") == ()


def test_a_swarm_serves_too_if_asked_for(told: _Told, tmp_path: Path) -> None:
    served = tell(story(tmp_path, HostUpdate(AFTER, tmp_path), swarm=True))
    assert [(one.name, one.inside, one.outside, one.commit) for one in served.moments_of("swarm")] == [
        ("started", True, True, BEFORE), ("killed", True, True, BEFORE), ("updated", True, True, AFTER)
    ]  # fmt: skip
    assert len({one.container for one in served.moments_of("swarm")}) == 3
    (start,) = [command for command in told.whole if "docker swarm init" in command]
    assert f"\n{PAGE}\n" in start
    assert f" sha256:{'1' * 64} >" in start
    assert "127.0.0.1:2377 >/dev/null" in start, "what it prints has a token"
    assert "@" not in start
    assert tell(story(tmp_path, None)).moments_of("swarm") == ()


def test_the_unit_runs_the_last_image_with_the_page_of_this_guest(told: _Told, tmp_path: Path) -> None:
    tell(story(tmp_path, None))
    (start,) = [command for command in told.whole if "enable --now" in command]
    assert f"echo '{PAGE}' >/srv/web/index.html" in start
    assert (
        "\nExecStart=/usr/bin/docker run --name web --publish 8080:80 --volume /srv/web:/srv/www:ro,Z web:1\n" in start
    )
    assert "Restart=always\n" in start
    assert "@" not in start


def test_packages_that_are_not_of_the_lock_are_named(told: _Told, tmp_path: Path) -> None:
    told.rpm = "dash-0:1-1.x86_64\n"
    _, web = tell(story(tmp_path, None)).images
    assert (web.missing, web.unexpected, web.as_built) == ((BASH.nevra,), ("dash-0:1-1.x86_64",), False)


def test_a_database_that_is_none_is_an_error(told: _Told, tmp_path: Path) -> None:
    told.database = "cannot be read!"
    with pytest.raises(WorkbookError, match="base:1: the guest sent no RPM database"):
        tell(story(tmp_path, None))


def test_a_service_that_does_not_answer_ends_it_with_its_journal(
    told: _Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.answers = False
    monkeypatch.setattr(container_service, "_ANSWER_SECONDS", 0)
    answer = told.run
    journal = "web.service: Main process exited"
    monkeypatch.setattr(
        told, "run", lambda command, **more: Completed(journal, "") if "-u web" in command else answer(command, **more)
    )
    with pytest.raises(WorkbookError, match=r"atomic-min: web.service \(started\): no answer at port 8080") as caught:
        tell(story(tmp_path, None))
    assert caught.value.log == journal


def test_the_page_of_another_guest_is_no_answer(told: _Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told.page = "served to another"
    monkeypatch.setattr(container_service, "_ANSWER_SECONDS", 0)
    with pytest.raises(WorkbookError, match="no answer at port 8080"):
        tell(story(tmp_path, None))


def test_a_guest_that_cannot_be_asked_why_is_the_first_error(
    told: _Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.answers = False
    monkeypatch.setattr(container_service, "_ANSWER_SECONDS", 0)
    answer = told.run

    def run(command: str, **more: Any) -> Completed:
        if "-u web" in command:
            raise CommandError("ssh failed")
        return answer(command, **more)

    monkeypatch.setattr(told, "run", run)
    with pytest.raises(WorkbookError, match="no answer at port 8080"):
        tell(story(tmp_path, None))
