"""A guest of one instance that is logged in to, proves that it lives, and reboots by itself, for stages that go on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from atomic_lib.base.command import last_lines
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Model, SelinuxMode
from atomic_lib.base.progress import reached
from atomic_lib.guest.boot_stages import accelerator_of
from atomic_lib.guest.evidence.console_milestones import console_milestone
from atomic_lib.guest.evidence.denials import DENIALS_COMMAND, Denial, Denials, read_denials
from atomic_lib.guest.evidence.guest_queries import Secret, ask
from atomic_lib.guest.evidence.milestones import BootContext
from atomic_lib.guest.evidence.proof_of_life import COMPLETE_CHECK, USER_DATA_CHECK, Check, Evidence, read_evidence
from atomic_lib.guest.new_instance import NewInstance, start_instance
from atomic_lib.guest.vm.clock import read_clock, read_clock_again
from atomic_lib.guest.vm.host_load import Patience
from atomic_lib.guest.vm.qemu import Disk, Guest, Machine, read_console
from atomic_lib.guest.vm.ssh import Deadline, Key, Shell, log_in, wait_for_banner, wait_for_silence
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import Variant
from atomic_lib.tools.context import Context

COMMAND_SECONDS = 900
"""The time limit of a command in a guest."""
_ONCE = (USER_DATA_CHECK, COMPLETE_CHECK)
"""The checks that need the user-data script, which runs on the first boot of an instance only."""


class ProvenBoot(Model):
    """The proof of life of one boot, and the SELinux denials that came after it; None: they are not all known."""

    checks: tuple[Check, ...]
    failed_units: tuple[str, ...]
    denials: tuple[Denial, ...] | None = None


@dataclass(frozen=True)
class SessionRequest:
    """The image of a variant to boot. ``selinux``: the mode to prove.

    ``ports``: TCP ports of the guest that the host reaches. ``updates``: whether a server of updates listens on
    ``UPDATES_SOCKET`` in the directory of the session.
    """

    variant: Variant
    selinux: SelinuxMode
    image: Image
    ports: tuple[int, ...] = field(default=(), kw_only=True)
    updates: bool = field(default=False, kw_only=True)

    def key_inputs(self, context: Context) -> dict[str, object]:
        """What the cache key of a stage with this session has to have."""
        variant = self.variant
        return {
            "image": self.image.key,
            "guest": [variant.agent, variant.data_source, variant.runtime, variant.guest_cpus,
                      variant.guest_memory_mib],
            "accelerator": accelerator_of(variant, context),
            "selinux": self.selinux,
        }  # fmt: skip


@contextmanager
def open_session(request: SessionRequest, context: Context, directory: Path) -> Iterator["Session"]:
    """Boot the image through BIOS; the guest is gone after the block."""

    def begin(guest: Guest, key: Key, secret: Secret) -> Session:
        return Session(request, context, guest, key, secret)

    with begin_session(begin, request, context, directory) as session:
        yield session


@contextmanager
def begin_session(
    begin: "Callable[[Guest, Key, Secret], AnySession]",
    request: SessionRequest,
    context: Context,
    directory: Path,
    *,
    disk: Disk | None = None,
) -> "Iterator[AnySession]":
    """The session that ``begin`` makes of a guest on its first boot as a new instance; gone after the block.

    ``disk``: what is booted; None: the image.
    """
    variant = request.variant
    machine = Machine("bios", accelerator_of(variant, context), variant.guest_cpus, variant.guest_memory_mib)
    new = NewInstance(variant.data_source, variant.agent, request.ports, request.updates)
    disk = disk or Disk(request.image.qcow2, "qcow2")
    with start_instance(context.tools, disk, machine, new, directory) as instance:
        session = begin(instance.guest, instance.key, instance.secret)
        instance.wait_for_login(session.patience())
        yield session


@dataclass
class Session:
    """A running guest; ``boots``: how many logins there were, one for each boot.

    ``enduring``: the guest may come to a dead end, from which it restarts by itself.
    """

    request: SessionRequest
    context: Context
    guest: Guest
    key: Key
    secret: Secret
    boots: int = field(default=0, init=False)
    enduring: bool = field(default=False, init=False)
    _banner_seconds: float = field(default=0.0, init=False)
    _before: Denials | None = field(default=None, init=False)

    @property
    def last_step(self) -> str:
        """What the guest did last, for messages."""
        return f"login {self.boots}" if self.boots else "the first boot"

    @contextmanager
    def boot(self, check: Deadline | None = None) -> Iterator[Shell]:
        """A login, as soon as the guest is up. ``check``: the time limit; None: that of one boot."""
        check = check or self.patience()
        wait_for_banner(self.guest, check)
        self._banner_seconds = time.monotonic() - self.guest.started
        with log_in(self.context.tools, self.key, self.guest, check) as shell:
            self.boots += 1
            yield shell

    def show_life(self, shell: Shell) -> Evidence:
        """What this boot shows of itself, with the checks that hold for it: what user-data leaves is only asked for on
        the first boot.

        Raises WorkbookError naming the checks that failed.
        """
        variant, first = self.request.variant, self.boots == 1
        clock, login_seconds = read_clock(shell, self.guest.started)
        answers = ask(
            shell,
            self.secret,
            variant.agent,
            variant.runtime,
            wait_seconds=variant.boot_timeout_seconds,
            keep=(self.guest.directory / f"guest-{self.boots}.log").write_text,
        )
        clock = read_clock_again(clock, shell, self.guest.started)
        context = BootContext(variant.agent, variant.runtime, self._banner_seconds, login_seconds, self.request.selinux)
        evidence = read_evidence(answers, self.secret, clock, context)
        checks = tuple(check for check in evidence.checks if first or check.name not in _ONCE)
        failed = [f"{check.name}: {check.detail}" for check in checks if not check.passed]
        if failed:
            raise self.error(f"proof of life failed after {self.last_step}: {'; '.join(failed)}")
        return evidence.model_copy(update={"checks": checks})

    def prove(self, shell: Shell) -> ProvenBoot:
        """The proof of life of this boot. Raises WorkbookError naming the checks that failed."""
        evidence = self.show_life(shell)
        self._before = read_denials(self.run(shell, DENIALS_COMMAND))
        return ProvenBoot(checks=evidence.checks, failed_units=evidence.failed_units)

    def with_denials(self, boot: ProvenBoot, shell: Shell) -> ProvenBoot:
        """The boot with the denials since its proof of life, which provokes some on purpose."""
        now, before = read_denials(self.run(shell, DENIALS_COMMAND)), self._before
        found = denials_since(before, now) if before and now and before.lost == now.lost else None
        return boot.model_copy(update={"denials": found})

    def run(self, shell: Shell, command: str, *, input: bytes | None = None) -> str:
        """What a command of the guest prints. Raises CommandError, with what it said, if it fails."""
        return shell.run(command, input=input, timeout_seconds=COMMAND_SECONDS).stdout

    def reboot(self, shell: Shell) -> None:
        """Have the guest reboot itself; it is on its way down on return."""
        self.run(shell, "systemctl reboot")
        wait_for_silence(self.guest, self.patience())

    def error(self, message: str) -> WorkbookError:
        """An error of this guest, with the end of its console."""
        return WorkbookError(
            f"{self.request.variant.variant}: {message}",
            hint="run again to see whether it repeats; boot_timeout_seconds gives a slow host more time",
            log=last_lines(read_console(self.guest.console)),
        )

    def patience(self, limit_seconds: float | None = None) -> Deadline:
        """Raises once the time limit (None: that of a boot) is over or the guest is dead."""
        seconds = limit_seconds or self.request.variant.boot_timeout_seconds
        patience = Patience(seconds)

        def check() -> None:
            console = self.guest.require_running() if self.enduring else self.guest.require_alive()
            reached(f"{console_milestone(console)}, after {self.last_step}")
            if patience.is_over():
                raise self.error(f"no answer within {seconds:g} s after {self.last_step}")

        return check


AnySession = TypeVar("AnySession", bound=Session)


def denials_since(before: Denials, after: Denials) -> tuple[Denial, ...]:
    """The denials of ``after`` that ``before`` has not, or not so often; ``count``: how many came in between."""
    counts = {denial.model_copy(update={"count": 0}): denial.count for denial in before.distinct}
    found = (
        (denial, denial.count - counts.get(denial.model_copy(update={"count": 0}), 0)) for denial in after.distinct
    )
    return tuple(denial.model_copy(update={"count": count}) for denial, count in found if count > 0)
