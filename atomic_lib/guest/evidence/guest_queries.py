"""The queries of the proof of life: one script that a guest runs after the login, and its answers.

``proof_of_life`` checks the answers.
"""

import io
import re
import secrets
import shlex
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

from atomic_lib.base.command import CommandError, last_lines
from atomic_lib.base.model import Agent, Runtime
from atomic_lib.guest.evidence.denials import DENIALS_COMMAND, MODE_COMMAND, READ_LABEL, shadow_command
from atomic_lib.guest.evidence.running import CGROUPS_COMMAND, LISTENERS_COMMAND, SETUID_COMMAND
from atomic_lib.guest.evidence.systemd import MANAGER_PROPERTIES, UNIT_PROPERTIES
from atomic_lib.guest.programs import program_text
from atomic_lib.guest.vm.clock import seconds_in
from atomic_lib.guest.vm.data_source import USER_DATA_UNIT
from atomic_lib.guest.vm.host_load import slowness
from atomic_lib.guest.vm.metadata_service import Instance
from atomic_lib.guest.vm.ssh import Shell

CONTAINER_SECONDS = 180
"""Time limit of each command of the container runtime on an idle host; an emulated CPU takes some ten seconds."""

USER_DATA_PROOF = "/run/workbook-user-data"
AGENT_UNITS: dict[Agent, tuple[str, ...]] = {
    "min-cloud-agent": ("min-cloud-agent-disc.service", "min-cloud-agent.service",
                        "min-cloud-agent-user-data.service"),
    "cloud-init": ("cloud-init-main.service", "cloud-init-local.service", "cloud-init.service",
                   "cloud-init-network.service", "cloud-config.service", "cloud-final.service"),
    # in the initrd, whose units are unknown later, except the last
    "ignition": ("ignition-fetch-offline.service", "ignition-disks.service", "ignition-mount.service",
                 "ignition-files.service", USER_DATA_UNIT),
    # systemd-tmpfiles installs the key, as one line among many
    "credentials": (USER_DATA_UNIT,),
}  # fmt: skip
"""The units that provision the guest, by agent; ``credentials``: systemd itself, without one."""

CONTAINER = "localhost/hello:latest"
"""The image that each boot imports, with one program, ``/busybox``."""
# Docker's client has nothing to say without its daemon; Podman has none.
_VERSIONS = {"docker": "{{.Server.Version}}", "podman": "{{.Client.Version}}"}


@dataclass(frozen=True)
class Secret:
    """Random words of one boot: a guest can only have them from that boot."""

    token: str

    @property
    def instance_id(self) -> str:
        """The instance-id of this boot."""
        return f"i-{self.token[:17]}"

    @property
    def hostname(self) -> str:
        """The host name of this boot."""
        return f"guest-{self.token[:8]}"

    def instance(self, public_key: str, agent: Agent) -> Instance:
        """What the data source provides to the guest."""
        script = user_data_script(self.token)
        user_data = with_root_login(script) if agent == "cloud-init" else script
        return Instance(self.instance_id, self.hostname, (public_key,), user_data)


@dataclass(frozen=True)
class Answer:
    """Output and exit status of one query; ``status`` is None if it did not finish.

    ``ended_seconds``: the guest's clock at its end.
    """

    text: str
    status: int | None
    ended_seconds: float | None = None


@dataclass(frozen=True)
class Answers:
    """All answers; ``failure``: why the script as a whole failed, or empty."""

    parts: dict[str, Answer]
    failure: str

    def part(self, name: str) -> Answer:
        """The answer named ``name``; if it is missing, an answer that says why."""
        return self.parts.get(name, Answer(self.failure or "the guest gave no answer", None))

    def whole(self, name: str) -> str:
        """The answer's text to read figures from; empty unless it finished: a truncated figure would be wrong."""
        answer = self.part(name)
        return answer.text if answer.status is not None else ""

    @property
    def ended_seconds(self) -> float | None:
        """The guest's clock after the last answer that finished."""
        return max((part.ended_seconds for part in self.parts.values() if part.ended_seconds is not None), default=None)


def new_secret() -> Secret:
    """Fresh random words for one boot."""
    return Secret(secrets.token_hex(16))


def with_root_login(script: str) -> str:
    """User-data for cloud-init that runs a script and lets root log in, which by its default only another user can.

    Format: MIME, as cloud-init takes several kinds of user-data in one.
    """
    message = MIMEMultipart(boundary="==parts==")
    for text, kind in (("#cloud-config\nusers: []\ndisable_root: false\n", "cloud-config"), (script, "x-shellscript")):
        message.attach(MIMEText(text, kind, "us-ascii"))
    return message.as_string()


def user_data_script(token: str) -> str:
    """User-data that proves its run: the token and the guest's clock in a file of /run."""
    return program_text(__file__, "programs/user-data", TOKEN=token, PROOF=USER_DATA_PROOF)


def container_archive(busybox: Path) -> bytes:
    """A root file system for ``docker import``: one static busybox."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo("busybox")
        member.mode, member.size = 0o755, busybox.stat().st_size
        with open(busybox, "rb") as handle:
            archive.addfile(member, handle)
    return buffer.getvalue()


def proof_script(
    secret: Secret, agent: Agent, runtime: Runtime, wait_seconds: float, container_seconds: float = CONTAINER_SECONDS
) -> str:
    """The script of the proof of life; it reads the container archive from its standard input.

    It is one script, because every login costs an emulated guest seconds. It waits up to ``wait_seconds`` for systemd
    to finish the boot, and ``container_seconds`` for each command of the container runtime. What a container would
    change comes before the first container, what takes long after it, so that neither disturbs the other.
    """
    parts = {
        "state": f"timeout {int(wait_seconds)} systemctl is-system-running --wait",
        "memory": "cat /proc/meminfo",
        "cgroups": CGROUPS_COMMAND,
        "listeners": LISTENERS_COMMAND,
        **_container_commands(secret, runtime, container_seconds),
        "kernel": "cat /proc/sys/kernel/osrelease",
        "hostname": "cat /proc/sys/kernel/hostname",
        "user_data": f"cat {USER_DATA_PROOF}",
        **_systemd_commands(agent),
        "setuid": SETUID_COMMAND,
        "selinux": MODE_COMMAND,
        "denials": DENIALS_COMMAND,
        **_confinement_commands(runtime, container_seconds),
    }
    # An answer may lack its last newline, so a line of its own tells its end; the last dot
    # shows that the line is whole. Only the import may read the archive.
    section = program_text(__file__, "programs/section", TOKEN=secret.token)
    return section + "\n".join(f"section {name} {shlex.quote(f'({command})')}" for name, command in parts.items())


def _container_commands(secret: Secret, runtime: Runtime, limit_seconds: float) -> dict[str, str]:
    if runtime == "none":
        return {}
    program = ["timeout", str(int(limit_seconds)), runtime]
    told = f"{READ_LABEL}; /busybox echo {secret.token}"
    run = [*program, "run", "--rm", "--network", "none", CONTAINER, "/busybox", "sh", "-c", told]
    return {
        "container_import": shlex.join([*program, "import", "-", CONTAINER]) + " <&3",
        "container_run": shlex.join(run),
        "container_version": shlex.join([*program, "version", "--format", _VERSIONS[runtime]]),
    }


def _confinement_commands(runtime: Runtime, limit_seconds: float) -> dict[str, str]:
    """What comes last, because it is denied on purpose; it does nothing in a guest that enforces nothing."""
    if runtime == "none":
        return {}
    shadow = shadow_command(["timeout", str(int(limit_seconds)), runtime], CONTAINER)
    return {"container_shadow": shadow, "denials_after": DENIALS_COMMAND}


def _systemd_commands(agent: Agent) -> dict[str, str]:
    # Units that are active or failed (slices and devices take no time of their own), and the services that have done
    # their work and are inactive again: those that the journal names, as each unit costs an emulated guest some
    # 0.05 s. Patterns for "systemctl show" would find active units only.
    units = program_text(__file__, "programs/units", PROPERTIES=",".join(UNIT_PROPERTIES))
    journal = ["journalctl", "-b", "--no-pager", "-o", "short-monotonic"]
    agent_words = [word for unit in AGENT_UNITS[agent] for word in ("-u", unit)]
    return {
        "manager": f"systemctl show --no-pager -p {','.join(MANAGER_PROPERTIES)}",
        "units": units.removesuffix("\n"),
        "agent_journal": shlex.join([*journal, "-n", "200", *agent_words]),
        "errors": shlex.join([*journal, "-p", "err", "-n", "100"]),
    }


def read_answers(secret: Secret, text: str) -> dict[str, Answer]:
    """The parts of the output of ``proof_script``; a part that was cut off has status None."""
    parts: dict[str, Answer] = {}
    token = re.escape(secret.token)
    for chunk in re.split(rf"^@{token} (?=\w)", text, flags=re.MULTILINE)[1:]:
        name, _, rest = chunk.partition("\n")
        end = re.search(rf"^@{token} = (\d{{1,3}}) (\S*) \.$", rest, flags=re.MULTILINE)
        if end:
            answer = Answer(rest[: end.start()].strip(), int(end[1]), seconds_in(end[2]))
        else:
            answer = Answer(rest.partition(f"@{secret.token}")[0].strip(), None)
        parts[name.strip()] = answer
    return parts


def ask(
    shell: Shell, secret: Secret, agent: Agent, runtime: Runtime, *, wait_seconds: float, keep: Callable[[str], object]
) -> Answers:
    """Run the queries in the guest; ``keep`` gets the raw output. A failure in the guest raises nothing.

    ``wait_seconds``: as in ``proof_script``, on a host with nothing else to do.
    """
    slow = slowness()
    script = proof_script(secret, agent, runtime, wait_seconds * slow, CONTAINER_SECONDS * slow)
    archive = container_archive(shell.tools.root / "usr/bin/busybox")
    failure = ""
    try:
        output = shell.run(script, input=archive, timeout_seconds=wait_seconds + 6 * CONTAINER_SECONDS).stdout
    except CommandError as error:
        output = error.stdout
        reason = f"exit status {error.status}" if error.status is not None else "the time limit was reached"
        failure = " ".join(f"the connection to the guest ended: {reason} {last_lines(error.stderr, 1)}".split())
    keep(output)
    return Answers(read_answers(secret, output), failure)
