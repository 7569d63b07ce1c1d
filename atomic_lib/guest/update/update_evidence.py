"""What a guest shows of itself while it goes from one version to the next and back, and the model of the whole."""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Literal

from atomic_lib.base.model import Bytes, Count, Model, Seconds, SelinuxMode, WallSeconds
from atomic_lib.compose.update.download_prediction import Download
from atomic_lib.guest.evidence.denials import Denial, read_mode
from atomic_lib.guest.guest_session import ProvenBoot

ETC_FILES = ("update-added", "issue.net", "motd", "issue", "host.conf", "administrator-added", "rpc")
"""The files of /etc that are looked at. ``programs/administer`` changes the last four of them, and the treefile
``parts/update-config.yaml`` the first four: one is changed by both."""
ABSENT = "absent"
_DEPLOYMENT = re.compile(r"\S+ ([0-9a-f]{64})\.\d+")
_READ_ONLY = "Read-only file system"
_YES = {"true": True, "false": False}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECTOR_BYTES = 512
_TICKS_PER_SECOND = 100
"""USER_HZ of x86, in which /proc/stat counts: proc_stat(5)."""

NEVRA_FORMAT = r"%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\n"
"""The line of a package in what ``packages_identity`` takes the sha256 of."""

StepName = Literal["check", "download", "deploy", "reboot", "rollback", "reboot back"]
EtcChange = Literal["", "changed", "added", "removed"]


class DownloadFigures(Model):
    """How much was downloaded: requests, and bytes of the bodies."""

    requests: Count
    bytes: Bytes


class EtcFile(Model):
    """A file as the machine has it, and as its version brings it: the sha256 of each, or ``absent``."""

    name: str
    own: str
    default: str


class GuestState(Model):
    """What a guest shows at one moment. None: it did not say, or there is no container runtime.

    ``kernel``: the release of the one that runs. ``commit``: that which is booted, if ostree booted the guest.
    ``packages``: otherwise, the sha256 of the NEVRAs that are installed, as ``packages_identity`` has it. ``left``:
    files of /etc that rpm kept or put beside another one. ``usr_read_only``: a file could not be made in /usr, for that
    reason. ``var_kept``, ``container_running`` and ``volume_kept`` are about what the administrator made in version 1.
    """

    kernel: str | None = None
    commit: str | None = None
    packages: str | None = None
    selinux: SelinuxMode | None = None
    usr_read_only: bool = False
    var_kept: bool = False
    container_running: bool | None = None
    volume_kept: bool | None = None
    disk_used_bytes: Bytes | None = None
    left: tuple[str, ...] = ()
    etc: tuple[EtcFile, ...] = ()


class GuestUsage(Model):
    """What a guest has used since it booted, with all that waited to be written; ``disk_used_bytes``: now.

    ``processor_seconds``: of all its processors, in ticks of its clock; an emulated or busy host makes them longer.
    """

    written_bytes: Bytes
    processor_seconds: Seconds
    disk_used_bytes: Bytes


class UpdateStep(Model):
    """One step of an update; ``seconds`` of wall-clock time, which the load of the host affects.

    ``before`` and ``after``: what the guest had used; None for a reboot, with which it counts anew.
    ``docker_seconds``: from the command to reboot until Docker answered, no earlier than the login; None: no reboot, or
    no Docker.
    """

    name: StepName
    seconds: WallSeconds
    download: DownloadFigures
    before: GuestUsage | None = None
    after: GuestUsage | None = None
    docker_seconds: WallSeconds | None = None

    @property
    def written_bytes(self) -> int | None:
        """What the step wrote to the disk."""
        return self.after.written_bytes - self.before.written_bytes if self.before and self.after else None

    @property
    def processor_seconds(self) -> float | None:
        """What the processors of the guest worked meanwhile."""
        if self.before is None or self.after is None:
            return None
        return round(self.after.processor_seconds - self.before.processor_seconds, 2)


class UpdateBoot(ProvenBoot):
    """The proof of life of one boot; ``denials``: those that came before it and with it."""

    denials: tuple[Denial, ...] | None


class GuestUpdate(Model):
    """A guest that went from version 1 to version 2 and back.

    ``states`` and ``boots``: of version 1, of version 2, and of version 1 after the rollback. ``deployed``: the state
    of version 1 when version 2 is deployed, before the reboot.
    """

    steps: tuple[UpdateStep, ...]
    states: tuple[GuestState, GuestState, GuestState]
    deployed: GuestState
    boots: tuple[UpdateBoot, UpdateBoot, UpdateBoot]

    @property
    def by_dnf(self) -> bool:
        """Whether the guest is a traditional system, which is known by its packages."""
        return self.states[0].packages is not None


class EtcOutcome(Model):
    """What became of a file in /etc: what the administrator and version 2 did to it, and whose file it is then."""

    name: str
    administrator: EtcChange
    version_2: EtcChange
    kept: Literal["the administrator's", "version 2's", "unchanged", "neither"]
    after_rollback: bool
    """Whether the rollback gave back what version 1 had."""

    @property
    def expected(self) -> bool:
        """Whether it is as a three-way merge has it: the administrator's if it was changed there, else version 2's."""
        wanted = "the administrator's" if self.administrator else "version 2's" if self.version_2 else "unchanged"
        return self.kept == wanted and self.after_rollback


def figures_of(download: Download) -> DownloadFigures:
    """The sums of a download."""
    return DownloadFigures(requests=download.requests, bytes=download.bytes)


def read_state(text: str) -> GuestState:
    """Read the output of ``programs/look``; what is missing is not known, or has not been kept."""
    facts: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        facts.setdefault(name, value.strip())
    deployment = _DEPLOYMENT.match(facts.get("deployment", ""))
    return GuestState(
        kernel=facts.get("kernel") or None,
        commit=deployment[1] if deployment else None,
        packages=digest[0] if (digest := _SHA256.match(facts.get("packages", ""))) else None,
        selinux=read_mode(facts.get("selinux", "")),
        usr_read_only=_READ_ONLY in facts.get("usr", ""),
        var_kept=facts.get("var") == "kept",
        container_running=_YES.get(facts.get("container", "")),
        volume_kept=facts["volume"] == "kept" if "volume" in facts else None,
        disk_used_bytes=_used_bytes(facts.get("disk", "")),
        left=tuple(facts.get("left", "").split()),
        etc=tuple(EtcFile(name=name, own=_digest(facts, f"/etc/{name}"), default=_digest(facts, f"/usr/etc/{name}"))
                  for name in ETC_FILES),
    )  # fmt: skip


def packages_identity(nevras: Iterable[str]) -> str:
    """What a set of packages is known by: the sha256 of its sorted NEVRAs."""
    return sha256("".join(f"{nevra}\n" for nevra in sorted(nevras)).encode()).hexdigest()


def read_usage(text: str) -> GuestUsage | None:
    """Read the output of ``programs/usage``; None if it is not that."""
    sectors, _, rest = text.strip().partition(" ")
    ticks, _, disk = rest.partition(" ")
    used = _used_bytes(disk)
    if used is None or not (sectors.isdecimal() and ticks.isdecimal()):
        return None
    return GuestUsage(
        written_bytes=int(sectors) * _SECTOR_BYTES,
        processor_seconds=int(ticks) / _TICKS_PER_SECOND,
        disk_used_bytes=used,
    )


def etc_outcomes(update: GuestUpdate) -> tuple[EtcOutcome, ...]:
    """What became of each file in /etc."""
    first, second, third = ({file.name: file for file in state.etc} for state in update.states)
    return tuple(_outcome(first[name], second[name], third[name]) for name in ETC_FILES)


def _outcome(first: EtcFile, second: EtcFile, third: EtcFile) -> EtcOutcome:
    administrator, version_2 = _change(first.default, first.own), _change(first.default, second.default)
    kept: Literal["the administrator's", "version 2's", "unchanged", "neither"] = "neither"
    if second.own == first.own:
        kept = "the administrator's" if administrator else "unchanged"
    elif second.own == second.default:
        kept = "version 2's"
    return EtcOutcome(
        name=first.name,
        administrator=administrator,
        version_2=version_2,
        kept=kept,
        after_rollback=third.own == first.own,
    )


def _change(before: str, after: str) -> EtcChange:
    if before == after:
        return ""
    if ABSENT in (before, after):
        return "added" if before == ABSENT else "removed"
    return "changed"


def _digest(facts: Mapping[str, str], name: str) -> str:
    return (facts.get(name, "").split() or [""])[0]


def _used_bytes(text: str) -> int | None:
    """The used bytes of a file system, from its block size, its blocks and those that are free."""
    words = text.split()
    if len(words) != 3 or not all(word.isdecimal() for word in words):
        return None
    size, total, free = map(int, words)
    return size * (total - free)
