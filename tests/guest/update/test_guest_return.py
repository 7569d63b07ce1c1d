"""A guest that is updated to a version 2 that does not come up, told by a guest that is not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest import guest_session
from atomic_lib.guest.evidence.proof_of_life import Check, Evidence
from atomic_lib.guest.update.guest_return import (
    CHECK_LIMIT_SECONDS,
    GuestReturnRequest,
    booted_entries,
    limit_seconds,
    tell_return,
)
from atomic_lib.guest.update.guest_update import GuestUpdateRequest, Story
from atomic_lib.guest.update.repository_server import ServerLog
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.vm.clock import Clock
from atomic_lib.guest.vm.qemu import Guest
from atomic_lib.params.variant import load_variant
from tests.contexts import own_context
from tests.guest.update.updates import AFTER, BEFORE

BOOT = "GNU GRUB  version 2.12\n  Booting `Debian GNU/Linux 13 (trixie) %s (ostree:%d)'\n\n"


class _Running:
    def poll(self) -> None:
        """It runs."""


@dataclass
class _Guest:
    """A guest whose boots after the reboot are given: of each the console, and whether a login to it lasts."""

    console: Path
    boots: list[tuple[str, bool]]
    commands: list[str] = field(default_factory=list)
    lasting: bool = True
    version: str = BEFORE

    def run(self, command: str, **_: Any) -> Completed:
        """Answer a command as the image's programs do."""
        self.commands.append(command.partition("\n")[0])
        if command.startswith("until ") and not self.lasting:
            raise CommandError("connection lost")
        return Completed(f"deployment fedora-atomic {self.version}.0\n", "")

    def start_next(self) -> None:
        """What a login after the reboot finds: all boots up to the next one with an ssh server."""
        if "systemctl reboot" in self.commands:
            text, self.lasting = self.boots.pop(0)
            self.console.write_text(self.console.read_text() + text)
            self.version = AFTER if text.count("(ostree:0)") and self.lasting else BEFORE


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Guest:
    """A guest that runs version 1, and no ssh to reach it by."""
    (tmp_path / "console.log").write_text(BOOT % ("1", 0))
    guest = _Guest(tmp_path / "console.log", [])

    @contextmanager
    def log_in(*_: object) -> Iterator[_Guest]:
        guest.start_next()
        yield guest

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
    return guest


def request(directory: Path, *arguments: str) -> GuestReturnRequest:
    versions = UpdateVersions("own", *(Version(Path("repo"), "own/ref", commit) for commit in (BEFORE, AFTER)))
    unused: Any = None
    update = GuestUpdateRequest(load_variant("atomic-min-return"), "enforcing", unused, versions, directory)
    return GuestReturnRequest(update, versions, "docker", arguments)


def story(guest: _Guest, asked: GuestReturnRequest, directory: Path) -> Story:
    unused: Any = None
    process: Any = _Running()
    started = Guest(process, 0.0, directory)
    return Story(asked.update, own_context(directory), started, unused, unused, ServerLog())


def test_a_guest_that_goes_back_is_watched_until_it_is_proven(guest: _Guest, tmp_path: Path) -> None:
    failed = "[ 90.1] automatic-return[1]: automatic-return: failed: 20-container-runtime\n"
    panic = "[    3.2] Kernel panic - not syncing: sysrq triggered crash\n"
    guest.boots = [(BOOT % ("2", 0) + failed, False), (BOOT % ("2", 0) + panic + BOOT % ("1", 1), True)]
    asked = request(tmp_path)
    found = tell_return(story(guest, asked, tmp_path), asked)
    assert found.entries == (0, 0, 1)
    assert (found.trial_boots, found.fault, found.limit_seconds) == (2, "docker", limit_seconds(asked))
    assert found.said == (
        "automatic-return: failed: 20-container-runtime",
        "Kernel panic - not syncing: sysrq triggered crash",
    )
    assert guest.boots == []
    assert 0 <= found.seconds < 60
    assert [command for command in guest.commands if command.startswith(("ostree", "systemctl"))] == [
        "ostree admin upgrade --pull-only", "ostree admin upgrade --deploy-only", "systemctl reboot",
    ]  # fmt: skip


def test_version_1_is_proven_before_it_is_updated(guest: _Guest, tmp_path: Path) -> None:
    guest.boots = [(BOOT % ("2", 0), True)]
    asked = request(tmp_path)
    found = tell_return(story(guest, asked, tmp_path), asked)
    proven = [at for at, command in enumerate(guest.commands) if command.startswith("until ")]
    assert proven[0] < guest.commands.index("ostree admin upgrade --pull-only")
    assert (found.entries, found.state.commit, found.said) == ((0,), AFTER, ())


def test_kernel_arguments_are_deployed_with_version_2(guest: _Guest, tmp_path: Path) -> None:
    guest.boots = [(BOOT % ("1", 1), True)]
    asked = request(tmp_path, "root=UUID=0")
    tell_return(story(guest, asked, tmp_path), asked)
    assert "ostree admin deploy --karg=root=UUID=0 fedora-atomic:own/ref" in guest.commands
    assert "ostree admin upgrade --deploy-only" not in guest.commands


def test_a_panic_is_a_dead_end_before_the_update_and_not_after_it(guest: _Guest, tmp_path: Path) -> None:
    told = story(guest, request(tmp_path), tmp_path)
    guest.console.write_text("Kernel panic - not syncing: none\n")
    with pytest.raises(WorkbookError, match="panicked"):
        told.patience()()
    told.enduring = True
    told.patience()()


def test_the_time_limit_allows_for_each_boot_of_the_trial(tmp_path: Path) -> None:
    assert limit_seconds(request(tmp_path)) == 2 * 3600 + 600


def test_the_time_limit_of_a_boot_is_that_of_the_images_unit() -> None:
    unit = PARAMS_DIRECTORY / "treefiles/parts/automatic-return/automatic-return.service"
    assert f"LIMIT_SECONDS={CHECK_LIMIT_SECONDS} " in unit.read_text()


def test_the_entries_are_those_that_grub_names() -> None:
    assert booted_entries(BOOT % ("2", 0) + "(ostree:7)\n" + BOOT % ("2", 0) + BOOT % ("1", 1)) == (0, 0, 1)
    assert booted_entries("") == ()
