"""One boot of an image: metadata service, guest, login, proof of life, measurements."""

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from atomic_lib.command import CommandError, last_lines
from atomic_lib.errors import WorkbookError
from atomic_lib.host import Tools
from atomic_lib.machine.accelerator import AcceleratorName
from atomic_lib.machine.metadata import MetadataService, metadata_service
from atomic_lib.machine.proof import ask, new_secret
from atomic_lib.machine.qemu import Disk, Firmware, Guest, ImageFormat, Machine, read_console, start_guest
from atomic_lib.machine.result import Clock, Findings, Host, as_json, read_findings
from atomic_lib.machine.ssh import Check, Shell, log_in, one_boot_key, wait_for_banner

PROOF_SECONDS = 60
"""What systemd gets at least to finish the boot after the login, however late that came."""

_KEY_PATH = "/openssh-key"
_USER_DATA_PATH = "/user-data"
_KEY_INSTALL_SECONDS = 3.0
_POLL_SECONDS = 0.1
_ROUND_TRIPS = 3


@dataclass(frozen=True)
class BootRequest:
    """How to boot an image. ``timeout_seconds`` is for the login; ``index`` tells repeated boots apart."""

    firmware: Firmware
    accelerator: AcceleratorName
    cpus: int
    memory_mib: int
    timeout_seconds: float
    agent: Literal["min-cloud-agent", "cloud-init"]
    index: int = 0


@dataclass(frozen=True)
class Boot:
    """One boot that came to a login. Times are seconds since just before QEMU started."""

    request: BootRequest
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
            "ssh_login_seconds": round(self.ssh_login_seconds, 3),
            "clock_error_seconds": round(self.clock.error_seconds, 3),
        }
        return {**request, **times, **as_json(self.findings), "host": as_json(self.host)}


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
    host = describe_host(tools)
    machine = Machine(request.firmware, request.accelerator, request.cpus, request.memory_mib)
    with (
        one_boot_key(tools, directory) as key,
        metadata_service(secret.instance(key.public)) as service,
        start_guest(tools, Disk(image_path, image_format), machine, service.port, directory) as guest,
    ):
        check = _patience(guest, service, request, image_path)
        wait_for_banner(guest.ssh_port, check)
        wait_for_key(service, check)
        with log_in(tools, key, guest.ssh_port, directory / "ssh.log", check) as shell:
            clock, login_seconds = read_clock(shell, guest.started)
            left_seconds = request.timeout_seconds - (time.monotonic() - guest.started)
            answers = ask(shell, secret, request.agent, max(left_seconds, PROOF_SECONDS), _keeper(directory))
    boot = Boot(request, login_seconds, clock, read_findings(answers, secret, clock), host)
    _publish(directory / "boot.json", json.dumps(boot.to_json(), indent=1) + "\n")
    return boot


def read_clock(shell: Shell, started: float) -> tuple[Clock, float]:
    """Where the guest's clock begins, and when the first command came back (seconds since ``started``).

    The clock was read somewhere in a round trip: its middle is taken, half of it is the
    error, and the shortest of a few is kept. Raises WorkbookError when the login fails.
    """
    readings: list[Clock] = []
    login_seconds = 0.0
    for _ in range(_ROUND_TRIPS):
        before = time.monotonic()
        text = _run_first(shell, "cat /proc/uptime")
        after = time.monotonic()
        login_seconds = login_seconds or after - started
        middle, half = (before + after) / 2, (after - before) / 2
        readings.append(Clock(middle - started - float(text.split()[0]), half))
    return min(readings, key=lambda reading: reading.error_seconds), login_seconds


def describe_host(tools: Tools) -> Host:
    """The machine that runs the guests, and how busy it is."""
    version = tools.run(["qemu-system-x86_64", "--version"]).stdout
    found = re.search(r"version (\S+)", version)
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), flags=re.MULTILINE)
    return Host(
        cpu_model=model[1] if model else "unknown",
        cpus=os.cpu_count() or 1,
        load_1m=os.getloadavg()[0],
        qemu_version=found[1] if found else version.strip(),
    )


def progress_of(service: MetadataService) -> str:
    """How far a guest came, as far as its requests to the metadata service tell."""
    if not service.requests:
        return "it never asked the metadata service"
    if not service.answered(_KEY_PATH, 200):
        return f"it asked the metadata service {len(service.requests)} times, but never for the key"
    return "it fetched the key from the metadata service"


def _patience(guest: Guest, service: MetadataService, request: BootRequest, image: Path) -> Check:
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


def _run_first(shell: Shell, command: str) -> str:
    try:
        return shell.run(command, timeout_seconds=120).stdout
    except CommandError as error:
        raise WorkbookError(
            f"the guest let us in but ran no command: {error.message}", hint="read the console log", log=error.log
        ) from error


def _keeper(directory: Path) -> Callable[[str], object]:
    return lambda text: (directory / "guest.log").write_text(text)


def _publish(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)
