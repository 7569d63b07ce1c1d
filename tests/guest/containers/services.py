"""A container service that went well."""

from atomic_lib.guest.containers.service_evidence import (
    ContainerService,
    LoadedImage,
    MomentName,
    ServiceKind,
    ServiceMoment,
    UnitMemory,
)
from atomic_lib.guest.evidence.proof_of_life import Check
from atomic_lib.guest.guest_session import ProvenBoot

BEFORE, AFTER = "a" * 64, "b" * 64
ALIVE = Check(name="system is running", passed=True, detail="running")
LABEL = "system_u:system_r:container_t:s0:c1,c2"


def good_image(name: str) -> LoadedImage:
    """An image as it was built."""
    return LoadedImage(
        name=name,
        archive_bytes=20_000_000,
        seconds=12.0,
        expected_id="1" * 64,
        loaded_id="1" * 64,
        query="rpm outside",
        packages=43,
        missing=(),
        unexpected=(),
    )


def moment(name: MomentName, container: str, commit: str = BEFORE, kind: ServiceKind = "unit") -> ServiceMoment:
    """A service that answers; its process has the number of its container and its moment."""
    return ServiceMoment(
        name=name,
        kind=kind,
        process=f"{container} {name}",
        seconds=8.5,
        inside=True,
        outside=True,
        active=True,
        container=container * 64,
        label=LABEL,
        selinux="enforcing",
        commit=commit,
        memory=(UnitMemory(unit="docker.service", bytes=70_000_000), UnitMemory(unit="web.service", bytes=5_000_000)),
    )


def good_service() -> ContainerService:
    """A service that answered after its start, its end, and an update of its host."""
    boot = ProvenBoot(checks=(ALIVE,), failed_units=(), denials=())
    only_once = Check(name="user-data script ran", passed=True)
    return ContainerService(
        images=(good_image("container-base"), good_image("container-web")),
        moments=(moment("started", "2"), moment("killed", "3"), moment("updated", "4", AFTER)),
        boots=(boot.model_copy(update={"checks": (ALIVE, only_once)}), boot),
        updated_to=AFTER,
    )


def service_with_pod() -> ContainerService:
    """The same with a pod, whose container is started again as it is."""
    return _with("pod", ("5", "5", "6"))


def service_with_swarm() -> ContainerService:
    """The same with a swarm, which starts another container each time."""
    return _with("swarm", ("5", "6", "7"))


def _with(kind: ServiceKind, containers: tuple[str, str, str]) -> ContainerService:
    served = good_service()
    started, killed, updated = served.moments
    first, second, last = containers
    before = moment("started", first, kind=kind), moment("killed", second, kind=kind)
    moments = (started, killed, *before, updated, moment("updated", last, AFTER, kind))
    return served.model_copy(update={"moments": moments})
