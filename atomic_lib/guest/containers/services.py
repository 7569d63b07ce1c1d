"""The services that a guest with a container runtime gets: how they are started, killed and looked at."""

from collections.abc import Iterable
from dataclasses import dataclass

from atomic_lib.base.model import Runtime
from atomic_lib.guest.containers.service_evidence import ServiceKind
from atomic_lib.guest.evidence.denials import MODE_COMMAND
from atomic_lib.guest.programs import program_text

_MANIFEST = "etc/containers/web.yaml"


@dataclass(frozen=True)
class Service:
    """A service of a guest: the unit that starts it, its container, and the port of the guest that has it.

    ``container``: its name, or the command of the guest's shell that prints its id.
    """

    kind: ServiceKind
    unit: str
    container: str
    port: int


WEB = Service("unit", "web.service", "web", 8080)
POD = Service("pod", f"podman-kube@-{_MANIFEST.replace('/', '-')}.service", "pod-web", 8081)
"""A pod of a Kubernetes manifest; the unit is Podman's, for the manifest's path as systemd-escape(1) writes it."""
_REPLICAS = "docker ps --quiet --filter label=com.docker.swarm.service.name=swarm-web"
SWARM = Service("swarm", "docker.service", f"$({_REPLICAS})", 8082)
"""A service of one replica in a Docker Swarm of the guest alone. Its container has another name each time."""


def services_of(runtime: Runtime, *, swarm: bool = False) -> tuple[Service, ...]:
    """What a guest with this container runtime serves; ``swarm``: with Docker, from a swarm, too."""
    others = {"podman": (POD,), "docker": (SWARM,) if swarm else ()}
    return (WEB, *others.get(runtime, ()))


def ports_of(services: Iterable[Service]) -> tuple[int, ...]:
    """The ports of the guest that have these services."""
    return tuple(service.port for service in services)


def start_program(service: Service, runtime: Runtime, *, page: str, image: str, image_id: str) -> str:
    """What installs a service of an image with this page, and starts it.

    ``image``: its tag; ``image_id``: the sha256 of its configuration.
    """
    port = str(service.port)
    if service.kind == "swarm":
        return program_text(
            __file__, "programs/start-swarm", NAME="swarm-web", PAGE=page, PORT=port, IMAGE=f"sha256:{image_id}"
        )
    if service.kind == "pod":
        pod = program_text(__file__, "programs/web.yaml", PAGE=page, IMAGE=image, PORT=port)
        return program_text(__file__, "programs/start-pod", MANIFEST=_MANIFEST, POD=pod, UNIT=service.unit)
    unit = program_text(
        __file__, "programs/web.service", RUNTIME=runtime, NAME=service.container, PORT=port, IMAGE=image
    )
    return program_text(__file__, "programs/start", PAGE=page, SERVICE=service.unit, UNIT=unit)


def kill_command(service: Service, runtime: Runtime) -> str:
    """What kills a service's container. Podman never restarts one that ``podman kill`` ended, as a user's choice."""
    if service.kind == "pod":
        process = f"process=$({runtime} inspect --format '{{{{.State.Pid}}}}' {service.container})"
        return f"{process} && kill -KILL $process && while kill -0 $process 2>/dev/null; do sleep 0.1; done"
    return f"{runtime} kill {service.container}"


def look_program(service: Service, runtime: Runtime) -> str:
    """What says how a service is, for ``read_moment``."""
    return program_text(
        __file__, "programs/look", SERVICE=service.unit, RUNTIME=runtime, NAME=service.container, MODE=MODE_COMMAND,
        PORT=str(service.port),
    )  # fmt: skip
