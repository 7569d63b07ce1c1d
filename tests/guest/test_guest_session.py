"""A guest that is booted, proves that it lives, and goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest import guest_session
from atomic_lib.guest.evidence.denials import Denial, Denials
from atomic_lib.guest.evidence.guest_queries import Secret
from atomic_lib.guest.evidence.proof_of_life import Check, Evidence
from atomic_lib.guest.guest_session import Session, SessionRequest, denials_since
from atomic_lib.guest.vm.clock import Clock
from atomic_lib.guest.vm.qemu import Guest
from atomic_lib.params.variant import load_variant
from tests.contexts import own_context

READ = Denial(permissions=("read",), source="a_t", target="b_t", target_class="file")
AVC = "audit(1.2:{}): avc:  denied  {{ read }} for scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 tclass=file permissive=0\n"
PASSED = Check(name="system is running", passed=True)
ONCE = Check(name="user-data script ran", passed=False)


class _Alive:
    def poll(self) -> int | None:
        return None


class _Shell:
    """A shell whose every command prints the next of ``journals``."""

    def __init__(self) -> None:
        self.journals = [f"{AVC.format(1)}journal read\n", f"{AVC.format(1)}{AVC.format(2)}journal read\n"]

    def run(self, *_: object, **__: object) -> Completed:
        return Completed(self.journals.pop(0), "")


@pytest.fixture
def shell() -> _Shell:
    return _Shell()


@pytest.fixture
def checks(shell: _Shell, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Check, ...]]:
    """The checks of each boot to come; no ssh is needed."""
    checks: list[tuple[Check, ...]] = []

    @contextmanager
    def log_in(*_: object) -> Iterator[_Shell]:
        yield shell

    for name, value in {
        "log_in": log_in,
        "wait_for_banner": lambda *_: None,
        "read_clock": lambda *_: (Clock(0.0, 0.0), 1.0),
        "read_clock_again": lambda *_: Clock(0.0, 0.0, 0.0),
        "ask": lambda *_, **__: None,
        "read_evidence": lambda *_: Evidence(checks=checks.pop(0)),
    }.items():
        monkeypatch.setattr(guest_session, name, value)
    return checks


def session(directory: Path) -> Session:
    unused: Any = None
    request = SessionRequest(load_variant("atomic-min"), "enforcing", unused)
    return Session(request, own_context(directory), Guest(_Alive(), 0.0, directory), unused, Secret("1"))


def test_what_user_data_shows_is_asked_for_on_the_first_boot_only(
    checks: list[tuple[Check, ...]], shell: _Shell, tmp_path: Path
) -> None:
    checks += [(PASSED,), (PASSED, ONCE)]
    run = session(tmp_path)
    with run.boot() as opened:
        assert run.prove(opened).checks == (PASSED,)
    with run.boot() as opened:
        assert run.prove(opened).checks == (PASSED,)
    checks.append((PASSED, ONCE))
    fresh = session(tmp_path)
    with fresh.boot() as opened, pytest.raises(WorkbookError, match="failed after login 1: user-data script ran"):
        fresh.prove(opened)


def test_denials_after_the_proof_of_life_are_those_of_the_boot(
    checks: list[tuple[Check, ...]], shell: _Shell, tmp_path: Path
) -> None:
    checks += [(PASSED,)] * 2
    run = session(tmp_path)
    with run.boot() as opened:
        boot = run.prove(opened)
        assert boot.denials is None
        assert run.with_denials(boot, opened).denials == (READ,)
    shell.journals = [AVC.format(1), f"{AVC.format(1)}journal read\n"]
    with run.boot() as opened:
        assert run.with_denials(run.prove(opened), opened).denials is None, "the first journal was not read to its end"


def test_messages_that_the_kernel_lost_leave_the_denials_unknown(
    checks: list[tuple[Check, ...]], shell: _Shell, tmp_path: Path
) -> None:
    checks.append((PASSED,))
    shell.journals = ["journal read\n", "kauditd_printk_skb: 3 callbacks suppressed\njournal read\n"]
    run = session(tmp_path)
    with run.boot() as opened:
        assert run.with_denials(run.prove(opened), opened).denials is None


def test_denials_since_then_are_counted() -> None:
    twice, thrice = (READ.model_copy(update={"count": count}) for count in (2, 3))
    other = READ.model_copy(update={"target": "c_t"})
    assert denials_since(Denials((twice,)), Denials((twice,))) == ()
    assert denials_since(Denials((twice,)), Denials((thrice, other))) == (READ, other)
