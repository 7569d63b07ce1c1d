"""One boot of an image: data source, guest, login, proof of life, measurements."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from atomic_lib.base.command import last_lines
from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.evidence.answers import Findings, as_json, read_findings
from atomic_lib.guest.evidence.denials import SelinuxMode
from atomic_lib.guest.evidence.milestones import Asked
from atomic_lib.guest.evidence.proof_of_life import Agent, Runtime, ask, new_secret
from atomic_lib.guest.vm.clock import Clock, read_clock, read_clock_again
from atomic_lib.guest.vm.data_source import DataSource, supply
from atomic_lib.guest.vm.host_load import Host, describe_host, read_cpus, with_load_after
from atomic_lib.guest.vm.metadata_service import MetadataService
from atomic_lib.guest.vm.qemu import BOOT_MOUNT, Disk, Firmware, Guest, ImageFormat, Machine, read_console, start_guest
from atomic_lib.guest.vm.ssh import Check, log_in, one_boot_key, wait_for_banner
from atomic_lib.tools.accelerator import AcceleratorName
from atomic_lib.tools.sandbox import Tools

PROOF_SECONDS = 60
"""What systemd gets at least to finish the boot after the login, however late that came."""

_KEY_PATH = "/openssh-key"
_USER_DATA_PATH = "/user-data"
_KEY_INSTALL_SECONDS = 3.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class BootRequest:
    """How to boot an image. ``timeout_seconds`` is for the login; ``index`` tells repeated boots apart.

    ``runtime``: what the first container is to run on. ``data_source``: where the guest's data come
    from. ``selinux``: the mode to prove; None: any will do.
    """

    firmware: Firmware
    accelerator: AcceleratorName
    cpus: int
    memory_mib: int
    timeout_seconds: float
    agent: Agent
    index: int = 0
    runtime: Runtime = "docker"
    data_source: DataSource = "ec2"
    selinux: SelinuxMode | None = None


@dataclass(frozen=True)
class Boot:
    """One boot that came to a login. Times are seconds since just before QEMU started."""

    request: BootRequest
    ssh_banner_seconds: float
    ssh_login_seconds: float
    clock: Clock
    findings: Findings
    host: Host

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.findings.checks)

    def to_json(self) -> dict[str, Any]:
        """The boot as flat JSON data, the content of ``boot.json``."""
        request = asdict(self.request)
        times = {
            "ssh_banner_seconds": round(self.ssh_banner_seconds, 3),
            "ssh_login_seconds": round(self.ssh_login_seconds, 3),
        }
        clock = {f"clock_{name}": value for name, value in as_json(self.clock).items()}
        return {**request, **times, **clock, **as_json(self.findings), "host": as_json(self.host)}


def boot_image(
    tools: Tools, image_path: Path, image_format: ImageFormat, request: BootRequest, directory: Path
) -> Boot:
    """Boot an image and prove that it lives; a failed check is in the result, not an error.

    ``directory`` gets ``boot.json``, ``console.log`` and ``guest.log`` (all that the guest
    answered). Raises WorkbookError, with the end of the console as its log, when nobody
    could log in within ``request.timeout_seconds``, QEMU ended or the kernel panicked.
    """
    directory.mkdir(parents=True, exist_ok=True)
    secret = new_secret()
    host, cpus_before = describe_host(tools), read_cpus()
    machine = Machine(request.firmware, request.accelerator, request.cpus, request.memory_mib)
    with (
        one_boot_key(tools, directory) as key,
        supply(request.data_source, secret.instance(key.public), tools, directory, BOOT_MOUNT) as supplied,
        start_guest(tools, Disk(image_path, image_format), machine, supplied, directory) as guest,
    ):
        check = _patience(guest, supplied.service, request, image_path)
        wait_for_banner(guest.ssh_port, check)
        banner_seconds = time.monotonic() - guest.started
        if supplied.service:
            wait_for_key(supplied.service, check)
        with log_in(tools, key, guest.ssh_port, directory / "ssh.log", check) as shell:
            clock, login_seconds = read_clock(shell, guest.started)
            wait_seconds = max(request.timeout_seconds - (time.monotonic() - guest.started), PROOF_SECONDS)
            answers = ask(shell, secret, request.agent, request.runtime, wait_seconds, _keeper(directory))
            clock = read_clock_again(clock, shell, guest.started)
        host = with_load_after(host, cpus_before)
    asked = Asked(request.agent, request.runtime, banner_seconds, login_seconds, request.selinux)
    findings = read_findings(answers, secret, clock, asked)
    boot = Boot(request, banner_seconds, login_seconds, clock, findings, host)
    _publish(directory / "boot.json", json.dumps(boot.to_json(), indent=1) + "\n")
    return boot


def progress_of(service: MetadataService | None) -> str:
    """How far a guest came, as far as its requests to the metadata service tell."""
    if service is None:
        return "it had no metadata service to ask"
    if not service.requests:
        return "it never asked the metadata service"
    if not service.answered(_KEY_PATH, 200):
        return f"it asked the metadata service {len(service.requests)} times, but never for the key"
    return "it fetched the key from the metadata service"


def _patience(guest: Guest, service: MetadataService | None, request: BootRequest, image: Path) -> Check:
    """A check that raises once the time limit is over or the guest is dead."""

    def check() -> None:
        guest.require_alive()
        if time.monotonic() - guest.started > request.timeout_seconds:
            raise WorkbookError(
                f"{image}: no ssh login within {request.timeout_seconds:g} s"
                f" ({request.firmware}, {request.accelerator}): {progress_of(service)}",
                hint=f"read {guest.console}; boot_timeout_seconds gives a slow host more time",
                log=last_lines(read_console(guest.console)),
            )

    return check


def wait_for_key(service: MetadataService, check: Check) -> None:
    """Wait until the agent has installed the key: a login before that cannot succeed.

    min-cloud-agent asks for user-data after that. cloud-init holds sshd back until then,
    so nothing is lost by waiting a moment where the order is another.
    """
    while True:
        served = service.answered(_KEY_PATH, 200)
        asked = service.answered(_USER_DATA_PATH, 200, 404)
        if served and (asked[-1:] > served[:1] or time.monotonic() > served[0] + _KEY_INSTALL_SECONDS):
            return
        check()
        time.sleep(_POLL_SECONDS)


def _keeper(directory: Path) -> Callable[[str], object]:
    return lambda text: (directory / "guest.log").write_text(text)


def _publish(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)
