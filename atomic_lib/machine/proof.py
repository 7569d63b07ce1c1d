"""Proof of life: what is asked of a guest once it lets us in, in one command, and the answers."""

import io
import re
import secrets
import shlex
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.command import CommandError, last_lines
from atomic_lib.machine.metadata import Instance
from atomic_lib.machine.ssh import Shell
from atomic_lib.machine.systemd import MANAGER_PROPERTIES, UNIT_PROPERTIES

DOCKER_SECONDS = 180
"""Time limit of each Docker command in the guest; an emulated CPU takes some ten seconds."""

USER_DATA_PROOF = "/run/workbook-user-data"
_AGENT_UNITS = {
    "min-cloud-agent": ("min-cloud-agent.service", "min-cloud-agent-user-data.service"),
    "cloud-init": ("cloud-init-main.service", "cloud-init-local.service", "cloud-init.service",
                   "cloud-init-network.service", "cloud-config.service", "cloud-final.service"),
}  # fmt: skip
_UNIT_KINDS = ("automount", "mount", "path", "service", "socket", "swap", "target", "timer")
_SECTION = "section"


@dataclass(frozen=True)
class Secret:
    """The words of one boot that cannot be there unless that boot brought them."""

    token: str

    @property
    def instance_id(self) -> str:
        """The instance-id of this boot."""
        return f"i-{self.token[:17]}"

    @property
    def hostname(self) -> str:
        """The host name of this boot."""
        return f"guest-{self.token[:8]}"

    def instance(self, public_key: str) -> Instance:
        """What the metadata service tells the guest."""
        return Instance(self.instance_id, self.hostname, (public_key,), user_data_script(self.token))


@dataclass(frozen=True)
class Answer:
    """Output and exit status of one part of the proof; ``status`` None: it did not come to its end."""

    text: str
    status: int | None


@dataclass(frozen=True)
class Answers:
    """All that came back; ``failure``: why the command as a whole did not end well, or empty."""

    parts: dict[str, Answer]
    failure: str

    def part(self, name: str) -> Answer:
        """The answer named ``name``; where it is missing, one that says why."""
        return self.parts.get(name, Answer(self.failure or "the guest gave no answer", None))


def new_secret() -> Secret:
    """Fresh random words for one boot."""
    return Secret(secrets.token_hex(16))


def user_data_script(token: str) -> str:
    """User-data that proves it ran: the token and the guest's clock in a file of /run."""
    return (
        "#!/bin/sh\n"
        "read -r uptime rest </proc/uptime\n"
        f'echo "{token} $uptime" >{USER_DATA_PROOF}.new && mv {USER_DATA_PROOF}.new {USER_DATA_PROOF}\n'
        "echo workbook user-data ran\n"
    )


def container_archive(busybox: Path) -> bytes:
    """A root file system for ``docker import``: one static busybox."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo("busybox")
        member.mode, member.size = 0o755, busybox.stat().st_size
        with open(busybox, "rb") as handle:
            archive.addfile(member, handle)
    return buffer.getvalue()


def proof_script(secret: Secret, agent: str, wait_seconds: float) -> str:
    """The command that asks everything; it reads the container archive from its standard input.

    One command, because every login costs an emulated guest seconds. It waits up to
    ``wait_seconds`` for systemd to finish the boot and measures before Docker is used.
    """
    show = ["systemctl", "show", "--no-pager"]
    units = [*show, "-p", ",".join(UNIT_PROPERTIES), "--", *(f"*.{kind}" for kind in _UNIT_KINDS)]
    journal = ["journalctl", "-b", "--no-pager", "-o", "short-monotonic", "-n", "200"]
    journal += [word for unit in _AGENT_UNITS[agent] for word in ("-u", unit)]
    docker = ["timeout", str(DOCKER_SECONDS), "docker"]
    run = [*docker, "run", "--rm", "--network", "none", "local/hello", "/busybox", "echo", secret.token]
    parts: dict[str, str] = {
        "state": f"timeout {int(wait_seconds)} systemctl is-system-running --wait",
        "memory": "cat /proc/meminfo",
        "processes": "set -- /proc/[0-9]*; echo $#",
        "kernel": "cat /proc/sys/kernel/osrelease",
        "hostname": "cat /proc/sys/kernel/hostname",
        "user_data": f"cat {USER_DATA_PROOF}",
        "manager": shlex.join([*show, "-p", ",".join(MANAGER_PROPERTIES)]),
        "units": shlex.join(units),
        "agent_journal": shlex.join(journal),
        "docker_version": shlex.join([*docker, "version", "--format", "{{.Server.Version}}"]),
        "docker_import": shlex.join([*docker, "import", "-", "local/hello"]) + " <&3",
        "docker_run": shlex.join(run),
        "errors": "journalctl -b --no-pager -o short-monotonic -p err -n 100",
    }
    # The output may lack its last newline, so each mark is put on a line of its own.
    mark = f"@{secret.token}"
    section = f'{_SECTION}() {{ echo "{mark} $1"; eval "$2" 2>&1; status=$?; echo; echo "{mark} = $status"; }}'
    calls = [f"{_SECTION} {name} {shlex.quote(command)}" for name, command in parts.items()]
    # Only the import may read the archive.
    return "\n".join([section, "exec 3<&0 </dev/null", *calls])


def read_answers(secret: Secret, text: str) -> dict[str, Answer]:
    """The parts of the output of ``proof_script``; a part that was cut off has status None."""
    parts: dict[str, Answer] = {}
    for chunk in re.split(rf"^@{secret.token} (?=\w)", text, flags=re.MULTILINE)[1:]:
        name, _, rest = chunk.partition("\n")
        body, mark, status = rest.partition(f"@{secret.token} = ")
        number = status.split("\n")[0].strip()
        parts[name.strip()] = Answer(body.strip(), int(number) if mark and number.isdecimal() else None)
    return parts


def ask(shell: Shell, secret: Secret, agent: str, wait_seconds: float, keep: Callable[[str], object]) -> Answers:
    """Run the proof in the guest; ``keep`` gets the raw output. Nothing is raised for what fails in the guest."""
    script = proof_script(secret, agent, wait_seconds)
    archive = container_archive(shell.tools.root / "usr/bin/busybox")
    failure = ""
    try:
        output = shell.run(script, input=archive, timeout_seconds=wait_seconds + 4 * DOCKER_SECONDS).stdout
    except CommandError as error:
        output = error.stdout
        reason = f"exit status {error.status}" if error.status is not None else "the time limit was over"
        failure = " ".join(f"the connection to the guest ended: {reason} {last_lines(error.stderr, 1)}".split())
    keep(output)
    return Answers(read_answers(secret, output), failure)
