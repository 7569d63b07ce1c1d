"""One boot of an image: data source, guest, login, proof of life, measurements."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from atomic_lib.base.command import last_lines
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.model import Accelerator, Agent, DataSource, Firmware, Runtime, SelinuxMode
from atomic_lib.base.progress import reached
from atomic_lib.guest.boot_record import BOOT_FILE, Boot, StoredBoot
from atomic_lib.guest.evidence.console_milestones import console_milestone
from atomic_lib.guest.evidence.guest_queries import ask
from atomic_lib.guest.evidence.milestones import BootContext
from atomic_lib.guest.evidence.proof_of_life import Evidence, read_evidence, read_units
from atomic_lib.guest.evidence.unit_times import unit_files
from atomic_lib.guest.new_instance import KEY_PATH, NewInstance, start_instance
from atomic_lib.guest.vm.clock import read_clock, read_clock_again
from atomic_lib.guest.vm.host_load import BootHost, Patience, describe_host, read_cpus, with_load_after
from atomic_lib.guest.vm.metadata_service import MetadataService
from atomic_lib.guest.vm.qemu import Disk, Guest, Machine, read_console
from atomic_lib.guest.vm.ssh import Deadline, log_in
from atomic_lib.tools.sandbox import Tools

PROOF_SECONDS = 60
"""The least time that systemd gets to finish the boot after the login, however late that was."""


@dataclass(frozen=True)
class BootRequest:
    """How to boot an image. ``timeout_seconds`` is for the login; ``index`` tells repeated boots apart.

    ``runtime`` runs the first container. ``selinux``: the mode to prove; None: any will do. ``alone``: the caller keeps
    other builds and boots of the workbook off the machine.
    """

    firmware: Firmware
    accelerator: Accelerator
    cpus: int
    memory_mib: int
    timeout_seconds: float
    agent: Agent
    index: int = 0
    runtime: Runtime = "docker"
    data_source: DataSource = "ec2"
    selinux: SelinuxMode | None = None
    alone: bool = False


def boot_image(tools: Tools, disk: Disk, request: BootRequest, directory: Path) -> Boot:
    """Boot the image ``disk`` and prove that it works; a failed check is part of the result, not an error.

    ``directory`` gets ``boot.json``, ``console.log`` and ``guest.log`` (all that the guest
    answered). Raises WorkbookError, with the end of the console as its log, when no login
    succeeded within ``request.timeout_seconds``, QEMU ended or the kernel panicked.
    """
    directory.mkdir(parents=True, exist_ok=True)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    host, cpus_before = describe_host(tools), read_cpus()
    machine = Machine(request.firmware, request.accelerator, request.cpus, request.memory_mib)
    new = NewInstance(request.data_source, request.agent)
    with start_instance(tools, disk, machine, new, directory) as instance:
        guest, secret = instance.guest, instance.secret
        check = _deadline(guest, instance.service, request, disk.path)
        banner_seconds = instance.wait_for_login(check)
        with log_in(tools, instance.key, guest, check) as shell:
            clock, login_seconds = read_clock(shell, guest.started)
            reached("login, proof of life under way")
            wait_seconds = max(request.timeout_seconds - (time.monotonic() - guest.started), PROOF_SECONDS)
            answers = ask(
                shell, secret, request.agent, request.runtime, wait_seconds=wait_seconds, keep=_keeper(directory)
            )
            clock = read_clock_again(clock, shell, guest.started)
        host = with_load_after(host, cpus_before)
    context = BootContext(request.agent, request.runtime, banner_seconds, login_seconds, request.selinux)
    evidence = read_evidence(answers, secret, clock, context)
    stored = StoredBoot(
        boot=boot_of(request, evidence, login_seconds=login_seconds, host=host, started=started),
        unit_files=unit_files(read_units(answers)),
    )
    write_text(directory / BOOT_FILE, stored.model_dump_json(indent=1) + "\n")
    return stored.boot


def boot_of(request: BootRequest, evidence: Evidence, *, login_seconds: float, host: BootHost, started: str) -> Boot:
    """What is kept of a boot: how it was made, and what it showed."""
    return Boot(
        index=request.index,
        started=started,
        firmware=request.firmware,
        accelerator=request.accelerator,
        cpus=request.cpus,
        memory_mib=request.memory_mib,
        alone=request.alone,
        ssh_login_seconds=login_seconds,
        host=host,
        **dict(evidence),
    )


def progress_of(service: MetadataService | None) -> str:
    """How far a guest got, by its requests to the metadata service."""
    if service is None:
        return "it had no metadata service"
    if not service.requests:
        return "it sent no request to the metadata service"
    if not service.answered(KEY_PATH, 200):
        return f"it sent {len(service.requests)} requests to the metadata service, but none for the key"
    return "it fetched the key from the metadata service"


def _deadline(guest: Guest, service: MetadataService | None, request: BootRequest, image: Path) -> Deadline:
    """Raises once the time limit is over or the guest is dead."""
    patience = Patience(request.timeout_seconds)

    def check() -> None:
        key = ", the agent has the key" if service and service.answered(KEY_PATH, 200) else ""
        reached(f"{console_milestone(guest.require_alive())}{key}")
        if patience.is_over():
            raise WorkbookError(
                f"{image}: no ssh login within {request.timeout_seconds:g} s"
                f" ({request.firmware}, {request.accelerator}): {progress_of(service)}",
                hint=f"read {guest.console}; boot_timeout_seconds gives a slow host more time",
                log=last_lines(read_console(guest.console)),
            )

    return check


def _keeper(directory: Path) -> Callable[[str], object]:
    return lambda text: (directory / "guest.log").write_text(text)
