"""What a guest shows of container images and of a service in a container."""

import re
from collections.abc import Iterable
from typing import Literal

from atomic_lib.base.model import Bytes, Count, Model, SelinuxMode, WallSeconds
from atomic_lib.guest.evidence.denials import container_label, read_mode
from atomic_lib.guest.evidence.running import Cgroups
from atomic_lib.guest.guest_session import ProvenBoot

MomentName = Literal["started", "killed", "rebooted", "updated"]
ServiceKind = Literal["unit", "pod", "swarm"]
"""What runs the container: a unit that an administrator writes, Podman's unit for a Kubernetes manifest, or Docker's
swarm."""
Query = Literal["rpm in the container", "rpm outside"]
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_ENGINE_UNITS = re.compile(
    r"(docker|containerd|web|podman-kube@.*)\.service|(docker|libpod|libpod-conmon)-[0-9a-f]+\.scope"
)


class LoadedImage(Model):
    """An image that the guest's runtime loaded from an archive.

    ``expected_id`` and ``loaded_id``: the sha256 of its configuration, in hex, which names the content of its layers;
    empty: the runtime named none. ``query``: what read the packages of a container of it. ``packages``: how many the
    lock has; ``missing`` and ``unexpected``: NEVRAs of the lock that the container lacks, and the other way round.
    """

    name: str
    archive_bytes: Bytes
    seconds: WallSeconds
    expected_id: str
    loaded_id: str
    query: Query
    packages: Count
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    @property
    def as_built(self) -> bool:
        """Whether it is the image that was built, with the packages of the lock."""
        return self.loaded_id == self.expected_id and not (self.missing or self.unexpected)


class UnitMemory(Model):
    """The memory of the control group of a unit of the runtime or of the service."""

    unit: str
    bytes: Bytes


class ServiceMoment(Model):
    """The service at one moment; ``seconds``: from its start or its end until it answered; None: it was first asked
    after the proof of life.

    ``inside`` and ``outside``: whether its page came from within the guest, and through the guest's port from outside.
    ``container``: its id; ``process``: the host's PID of its first process, ``label``: that one's SELinux context;
    ``commit``: what is booted.
    """

    name: MomentName
    kind: ServiceKind = "unit"
    seconds: WallSeconds | None
    inside: bool
    outside: bool
    active: bool
    container: str = ""
    process: str = ""
    label: str = ""
    selinux: SelinuxMode | None = None
    commit: str = ""
    memory: tuple[UnitMemory, ...] = ()

    @property
    def memory_bytes(self) -> int | None:
        """The memory of all its units; None if it is not known."""
        return sum(unit.bytes for unit in self.memory) if self.memory else None


class ContainerService(Model):
    """Services in containers of the host's own RPM content: started, killed, and after a reboot.

    ``updated_to``: the commit that the reboot was into, empty if the host was not updated before it.
    """

    images: tuple[LoadedImage, ...]
    moments: tuple[ServiceMoment, ...]
    boots: tuple[ProvenBoot, ...]
    updated_to: str = ""

    def moments_of(self, kind: ServiceKind) -> tuple[ServiceMoment, ...]:
        """Those of one service, in their order; none if there was no such service."""
        return tuple(moment for moment in self.moments if moment.kind == kind)


def read_id(text: str) -> str:
    """The id that a runtime names, without ``sha256:``; empty if it is none."""
    match = _SHA256.fullmatch(text.strip())
    return match[1] if match else ""


def package_differences(expected: Iterable[str], found: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The NEVRAs that are missing, and those that are unexpected."""
    lock, container = {*expected}, {*found}
    return tuple(sorted(lock - container)), tuple(sorted(container - lock))


def read_moment(
    text: str,
    cgroups: Cgroups,
    *,
    kind: ServiceKind,
    name: MomentName,
    seconds: float | None,
    page: str,
    outside: bool,
) -> ServiceMoment:
    """Read the output of ``programs/look``; ``page``: what the service has to answer."""
    facts = {key: value.strip() for key, _, value in (line.partition(" ") for line in text.splitlines())}
    memory = (
        UnitMemory(unit=_short(unit), bytes=usage.memory_bytes)
        for unit, usage in sorted(cgroups.units.items())
        if usage.memory_bytes is not None and _ENGINE_UNITS.fullmatch(unit)
    )
    return ServiceMoment(
        name=name,
        kind=kind,
        seconds=seconds,
        inside=facts.get("page") == page,
        outside=outside,
        active=facts.get("unit") == "active",
        container=read_id(facts.get("container", "")),
        process=facts.get("process", ""),
        label=container_label(facts.get("label", "")),
        selinux=read_mode(facts.get("selinux", "")),
        commit=read_id(facts.get("commit", "")),
        memory=tuple(memory),
    )


def _short(unit: str) -> str:
    """The name of a unit, with the id of a container cut to twelve digits, as runtimes show it."""
    return re.sub(r"([0-9a-f]{12})[0-9a-f]+(?=\.scope)", r"\1", unit)
