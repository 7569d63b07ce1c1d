"""The services that a guest with a container runtime gets: how they are started, killed and looked at."""

from dataclasses import dataclass

from atomic_lib.base.model import Runtime
from atomic_lib.guest.containers.service_evidence import ServiceKind
from atomic_lib.guest.evidence.denials import MODE_COMMAND
from atomic_lib.guest.programs import program_text

_MANIFEST = "etc/containers/web.yaml"


@dataclass(frozen=True)
class Service:
    """A service of a guest: the unit that starts it, its container, and the port of the guest that has it."""

    kind: ServiceKind
    unit: str
    container: str
    port: int


WEB = Service("unit", "web.service", "web", 8080)
POD = Service("pod", f"podman-kube@-{_MANIFEST.replace('/', '-')}.service", "pod-web", 8081)
"""A pod of a Kubernetes manifest; the unit is Podman's, for the manifest's path as systemd-escape(1) writes it."""


def services_of(runtime: Runtime) -> tuple[Service, ...]:
    """What a guest with this container runtime serves."""
    return (WEB, POD) if runtime == "podman" else (WEB,)


def ports_of(runtime: Runtime) -> tuple[int, ...]:
    """The ports of the guest that have these services."""
    return tuple(service.port for service in services_of(runtime))


def start_program(service: Service, runtime: Runtime, *, page: str, image: str) -> str:
    """What installs a service of an image with this page, and starts it."""
    port = str(service.port)
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
