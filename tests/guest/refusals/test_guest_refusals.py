"""The way of a guest through the cases, told by a guest that is not there, and the key of its stage."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest import guest_session
from atomic_lib.guest.refusals.case_evidence import CaseResult
from atomic_lib.guest.refusals.guest_refusals import (
    GUEST_REFUSALS,
    GuestRefusalsRequest,
    guest_client,
    tell_refusals,
    upgrade_twice,
)
from atomic_lib.guest.refusals.update_client import UpdateClient
from atomic_lib.guest.update.guest_update import GuestUpdateRequest
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.update.update_evidence import GuestState, UpdateBoot
from atomic_lib.params.variant import load_variant
from tests.contexts import own_context
from tests.guest.refusals.cases import result
from tests.guest.refusals.test_update_client import STATE
from tests.guest.update.updates import AFTER, ALIVE, BEFORE, state

ANSWER = "Waiting for sysroot lock...\nNo update available.\nexit status 0\n"


@dataclass
class _Story:
    """A guest that notes what it is told."""

    told: list[str] = field(default_factory=list)
    version: str = BEFORE

    @contextmanager
    def boot(self) -> Iterator[str]:
        self.told.append("boot")
        yield "shell"

    @contextmanager
    def after(self, reboot: str) -> Iterator[str]:
        self.told.append(f"after {reboot}")
        self.version = AFTER
        yield "shell"

    def prove(self, _: object) -> UpdateBoot:
        self.told.append("prove")
        return UpdateBoot(checks=(ALIVE,), failed_units=(), denials=())

    def look(self, _: object) -> GuestState:
        self.told.append("look")
        return state(self.version)

    def administer(self, _: object) -> None:
        self.told.append("administer")

    def reboot(self, _: object) -> None:
        self.told.append("reboot")

    def wait_for_docker(self, _: object) -> None:
        self.told.append("wait")

    def run(self, _: object, command: str) -> str:
        """Answer a program of a client."""
        if command.startswith("# What a failed update"):
            return STATE
        self.told.append("twice" if "Two administrators" in command else "fsck" if "fsck" in command else command)
        return ANSWER


@dataclass
class _Runner:
    story: _Story

    def run_all(self, names: Iterable[str]) -> tuple[CaseResult, ...]:
        """All cases went well."""
        self.story.told += names
        return tuple(result(name) for name in names)


def test_the_guest_goes_through_all_cases_before_it_takes_the_good_update() -> None:
    story: Any = _Story()
    runner: Any = _Runner(story)
    found = tell_refusals(story, lambda _: runner, ("unsigned", "dies"))
    assert story.told == [
        "boot", "prove", "administer", "look", "unsigned", "dies", "look", "twice", "fsck", "reboot",
        "after reboot", "wait", "prove", "look",
    ]  # fmt: skip
    assert [one.case for one in found.results] == ["unsigned", "dies"]
    assert [one.commit for one in (found.states[0], found.unhurt, found.states[1])] == [BEFORE, BEFORE, AFTER]
    assert found.twice.said == "Waiting for sysroot lock...\nNo update available."
    assert found.twice.deployments == ("* own aaaa.0", "own bbbb.0")


def test_two_upgrades_fail_if_one_of_them_fails() -> None:
    asked: list[str] = []

    def run(command: str) -> str:
        asked.append(command)
        return STATE if command.startswith("# What a failed update") else "exit status 1\n"

    found = upgrade_twice(UpdateClient(run, "own", "/key"))
    assert (found.status, found.fsck_status) == (1, 1)
    assert asked[0].count("ostree admin upgrade --os=own") == 2
    assert "exit $((first | second))" in asked[0]


def test_the_client_is_the_guest() -> None:
    story: Any = _Story()
    shell: Any = "shell"
    client = guest_client(story, shell)
    assert (client.stateroot, client.key) == ("fedora-atomic", "/etc/pki/ostree/fedora-atomic.asc")
    assert client.state().objects == 30
    assert client.as_writer.startswith("unshare --mount ")


def test_another_image_version_or_case_is_another_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_session, "accelerator_of", lambda *_: "tcg")

    class _Image:
        key = "one"

    image: Any = _Image()
    versions = UpdateVersions("own", *(Version(Path("repo"), "own/ref", commit) for commit in (BEFORE, AFTER)))
    update = GuestUpdateRequest(load_variant("atomic-min"), "enforcing", image, versions, tmp_path)
    request = GuestRefusalsRequest(update, versions, ("unsigned",))
    other_image: Any = type("Other", (), {"key": "two"})()
    others = [
        replace(request, update=replace(update, image=other_image)),
        replace(request, update=replace(update, selinux="permissive")),
        replace(request, versions=replace(versions, after=versions.before)),
        replace(request, cases=("unsigned", "dies")),
    ]
    context = own_context(tmp_path)
    keys = [GUEST_REFUSALS.inputs(one, context) for one in (request, *others)]
    assert all(keys.count(key) == 1 for key in keys)
    elsewhere = replace(request, update=replace(update, repository=tmp_path / "elsewhere"))
    assert GUEST_REFUSALS.inputs(elsewhere, context) == keys[0]
