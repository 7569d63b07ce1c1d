"""A service in a container on a variant: its images built, loaded and run by a guest, over a reboot or an update."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.containers.container_service import (
    HostUpdate,
    ImageToLoad,
    ServiceRequest,
    serve_from_container,
)
from atomic_lib.guest.containers.service_evidence import ContainerService, MomentName, ServiceKind, ServiceMoment
from atomic_lib.guest.containers.services import ports_of, services_of
from atomic_lib.guest.guest_session import SessionRequest
from atomic_lib.guest.update.update_downloads import update_repository
from atomic_lib.image.oci.layout import configuration_digest
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import Build, open_build
from atomic_lib.pipeline.failures import require_none
from atomic_lib.pipeline.update.variant_update import VariantUpdate, open_update
from atomic_lib.report.elements.blocks import Paragraph
from atomic_lib.results.analysis.denial_reasons import unexplained

BASE, WEB = "container-base", "container-web"
CHANGES = "package config"
"""What version 2 of the host changes: as ``./workbook update`` has it without ``--change``."""
_MOMENTS: dict[MomentName, str] = {
    "started": "after its start",
    "killed": "after its container was killed",
    "rebooted": "after a reboot",
    "updated": "after an update of the host",
}
_PREFIXES: dict[ServiceKind, str] = {"unit": "", "pod": "the pod, ", "swarm": "the swarm, "}


@dataclass(frozen=True)
class VariantService:
    """The builds of the container images, the second one of which is the service, and the update of the host, if it
    can be updated. The first access to a stage makes it.

    ``swarm``: whether the host becomes a Docker Swarm of one node, too.
    """

    build: Build
    service: Build
    update: VariantUpdate | None
    swarm: bool = False

    @property
    def images(self) -> tuple[ImageToLoad, ...]:
        """Both images, as they were built."""
        return image_to_load(self.build), image_to_load(self.service)

    @cached_property
    def served(self) -> ContainerService:
        """What the guest showed."""
        build, update = self.build, None
        if self.update:
            versions = self.update.versions
            update = HostUpdate(versions.after.commit, update_repository(versions, build.context))
        variant = build.variant
        ports = ports_of(services_of(variant.runtime, swarm=self.swarm))
        session = SessionRequest(variant, build.recipe.selinux, build.image, ports=ports, updates=bool(update))
        return serve_from_container(ServiceRequest(session, self.images, update, self.swarm), build.context)


def open_service(variant: str, *, swarm: bool = False) -> VariantService:
    """The service on a variant of ``params/variants``, beside the variant's own container image or a base image.

    ``swarm``: a Docker Swarm of one node serves it, too.

    Raises WorkbookError for a variant without a container runtime, one without Docker that shall be a swarm, one that
    deploys a commit, and as ``open_build`` does.
    """
    named = load_variant(variant)
    if named.runtime == "none":
        raise WorkbookError(f"{variant}: it has no container runtime", hint="name a variant with Docker or Podman")
    if swarm and named.runtime != "docker":
        raise WorkbookError(
            f"{variant}: a swarm is a part of Docker, and its runtime is {named.runtime}",
            hint="name a variant with Docker, or leave out --swarm",
        )
    base = open_build(load_variant(variant, overrides={"container": named.container or BASE}))
    if base.whole_recipe.ostree_source:
        raise WorkbookError(
            f"{variant}: it deploys a commit, so there are no RPM files to make a container of",
            hint="name the variant that composes the commit",
        )
    service = Build(load_variant(variant, overrides={"container": WEB}), base.context)
    update = open_update(variant, CHANGES) if named.method == "ostree" else None
    return VariantService(base, service, update, swarm)


def require_served(service: VariantService) -> Paragraph:
    """The verdict as a sentence. Raises WorkbookError naming what an image or the service did not do."""
    name, served = service.build.variant.variant, service.served
    problems = (*_image_problems(served), *_service_problems(service))
    require_none(problems, f"{name}: the container service is not as it must be")
    how = "an update of the host" if served.updated_to else "a reboot"
    others = [f" and the {kind}" for kind in get_args(ServiceKind)[1:] if served.moments_of(kind)]
    what = f"the service{''.join(others)}"
    return Paragraph(
        f"{name}: {service.build.variant.runtime} has the images that were built, and {what} answered from inside "
        f"and from outside: after its start, after its container was killed, and after {how}."
    )


def _image_problems(served: ContainerService) -> Iterator[str]:
    for image in served.images:
        if image.loaded_id != image.expected_id:
            yield f"{image.name}: another image than the one that was built"
        yield from (f"{image.name}: {nevra} of the lock is not in the container" for nevra in image.missing)
        yield from (f"{image.name}: {nevra} in the container is not of the lock" for nevra in image.unexpected)


def _service_problems(service: VariantService) -> Iterator[str]:
    served, selinux = service.served, service.build.recipe.selinux
    versions = service.update.versions if service.update else None
    commits = {"started": versions.before.commit, "killed": versions.before.commit,
               "updated": versions.after.commit} if versions else {}  # fmt: skip
    for moment in served.moments:
        facts = {
            "no answer inside of the guest": moment.inside,
            "no answer from outside": moment.outside,
            "its unit is not active": moment.active,
            "its container is not confined": bool(moment.label) or selinux != "enforcing",
            f"SELinux is not {selinux}": moment.selinux == selinux,
            "another commit is booted": moment.commit == commits.get(moment.name, moment.commit),
        }
        yield from (f"{_title(moment)}: {problem}" for problem, holds in facts.items() if not holds)
    yield from _kill_problems(served)
    for number, boot in enumerate(served.boots, 1):
        if boot.denials is None:
            yield f"boot {number}: SELinux denials are not known"
        for denial in unexplained(boot.denials or ()):
            yield f"boot {number}: SELinux denied {denial.source} {'/'.join(denial.permissions)} {denial.target}"


def _kill_problems(served: ContainerService) -> Iterator[str]:
    """A unit and a swarm start another container, Podman the same one of a pod once more."""
    for moments in (served.moments_of("unit"), served.moments_of("swarm")):
        if moments and moments[0].container == moments[1].container:
            yield f"{_title(moments[1])}: the same container"
    if pod := served.moments_of("pod"):
        started, killed, *_ = pod
        if started.process == killed.process:
            yield f"{_title(killed)}: the same process"


def _title(moment: ServiceMoment) -> str:
    return f"{_PREFIXES[moment.kind]}{_MOMENTS[moment.name]}"


def image_to_load(build: Build) -> ImageToLoad:
    """The container image of a build, which must have one, as a guest loads it."""
    image, request = build.container, build.container_request
    assert image
    assert request
    packages = request.packages.rpm_set.lock.packages
    return ImageToLoad(
        name=image.name,
        tag=request.description.tag,
        id=configuration_digest(image.layout),
        archive=image.archive,
        archive_bytes=image.archive_bytes,
        nevras=tuple(sorted(package.nevra for package in packages)),
        has_rpm="rpm" in {package.name for package in packages},
    )
