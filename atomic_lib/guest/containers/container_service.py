"""The stage that has a guest load container images and run one of them as a service, over a reboot or an update."""

import base64
import binascii
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.files import write_text
from atomic_lib.base.model import Runtime, read_model
from atomic_lib.base.progress import reached
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.compose.chroot import RPMDB, Installroot
from atomic_lib.compose.remote import REMOTE_FILE
from atomic_lib.compose.rpm_database import installed_packages
from atomic_lib.guest.containers.service_evidence import (
    ContainerService,
    LoadedImage,
    MomentName,
    Query,
    ServiceMoment,
    package_differences,
    read_id,
    read_moment,
)
from atomic_lib.guest.containers.services import Service, kill_command, look_program, services_of, start_program
from atomic_lib.guest.evidence.running import CGROUPS_COMMAND, read_cgroups
from atomic_lib.guest.guest_session import Session, SessionRequest, open_session
from atomic_lib.guest.programs import program_text
from atomic_lib.guest.update.repository_server import Site, serve_to_guest
from atomic_lib.guest.vm.host_load import Patience
from atomic_lib.guest.vm.qemu import UPDATES_URL
from atomic_lib.guest.vm.sockets import fetch
from atomic_lib.guest.vm.ssh import Shell
from atomic_lib.tools.context import Context

_SERVICE_FILE = "service.json"
_ANSWER_SECONDS = 180
_POLL_SECONDS = 0.5
_KEYS = "gpg-pubkey-"
"""What rpm lists the keys as that its database has; they are no packages of a lock."""
_NEVRAS = "%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\\n"


@dataclass(frozen=True)
class ImageToLoad:
    """A container image as it was built. ``id``: the sha256 of its configuration; ``nevras``: those of its lock.

    ``has_rpm``: whether a container of it can be asked for its packages.
    """

    name: str
    tag: str
    id: str
    archive: Path
    archive_bytes: int
    nevras: tuple[str, ...]
    has_rpm: bool


@dataclass(frozen=True)
class HostUpdate:
    """The version 2 of the host, and the repository that serves it."""

    commit: str
    repository: Path


@dataclass(frozen=True)
class ServiceRequest:
    """The host, the images that it loads, of which the last one is the service, and its update, if any.

    ``swarm``: whether a host with Docker becomes a swarm, which serves the last image, too.
    """

    session: SessionRequest
    images: tuple[ImageToLoad, ...]
    update: HostUpdate | None
    swarm: bool = False

    @property
    def services(self) -> tuple[Service, ...]:
        """What the guest serves."""
        return services_of(self.session.variant.runtime, swarm=self.swarm)


def serve_from_container(request: ServiceRequest, context: Context) -> ContainerService:
    """What the guest showed; made first if it is not in the store.

    Raises WorkbookError if a proof of life fails or the service does not answer in time, CommandError if the guest
    refuses a command.
    """
    path = CONTAINER_SERVICE.get(request, context).path / _SERVICE_FILE
    return read_model(ContainerService, path, hint="./workbook clean damaged")


def _inputs(request: ServiceRequest, context: Context) -> dict[str, object]:
    return {
        **request.session.key_inputs(context),
        "images": [[image.tag, image.id, image.has_rpm, *image.nevras] for image in request.images],
        "update": request.update and request.update.commit,
        "swarm": request.swarm,
    }


def _make(request: ServiceRequest, context: Context, directory: Path) -> None:
    update = request.update
    server = serve_to_guest(Site(update.repository), directory) if update else nullcontext()
    with (
        machine_lock(context.cache, CONTAINER_SERVICE.title(request)),
        server,
        open_session(request.session, context, directory) as session,
    ):
        made = tell(ServiceStory(request, session))
    write_text(directory / _SERVICE_FILE, made.model_dump_json(indent=1) + "\n")


CONTAINER_SERVICE = Stage(
    "container-service",
    _make,
    _inputs,
    title=lambda request: f"{request.session.variant.variant}: run a service in a container",
    space_bytes=2_000_000_000,
    quiet=True,
)


def tell(story: "ServiceStory") -> ContainerService:
    """The whole way of the services."""
    session, update = story.session, story.request.update
    with session.boot() as shell:
        first = session.prove(shell)
        images = tuple(story.load(shell, image) for image in story.request.images)
        before = [moment for service in story.services for moment in story.start_and_kill(shell, service)]
        if update:
            session.run(shell, f"sed -i 's|^url=.*|url={UPDATES_URL}|' /{REMOTE_FILE} && ostree admin upgrade")
        first = session.with_denials(first, shell)
        session.reboot(shell)
    with session.boot() as shell:
        second = session.prove(shell)
        name: MomentName = "updated" if update else "rebooted"
        after = [story.answered(shell, service, name, None) for service in story.services]
        second = session.with_denials(second, shell)
    return ContainerService(
        images=images,
        moments=(*before, *after),
        boots=(first, second),
        updated_to=update.commit if update else "",
    )


@dataclass(frozen=True)
class ServiceStory:
    """A guest with its images and its services. Their page has a word that only this guest was given."""

    request: ServiceRequest
    session: Session

    @property
    def runtime(self) -> Runtime:
        """The container runtime."""
        return self.request.session.variant.runtime

    @property
    def services(self) -> tuple[Service, ...]:
        """What the guest serves."""
        return self.request.services

    @property
    def page(self) -> str:
        """What the service has to answer."""
        return f"served to {self.session.secret.token}"

    def load(self, shell: Shell, image: ImageToLoad) -> LoadedImage:
        """Have the runtime load an image, and compare it with what was built."""
        began = time.monotonic()
        reached(f"load {image.tag}")
        self.session.run(shell, f"{self.runtime} load", input=image.archive.read_bytes())
        seconds = time.monotonic() - began
        words = [self.runtime, "image", "inspect", "--format", "{{.Id}}", image.tag]
        loaded = read_id(self.session.run(shell, shlex.join(words)))
        query: Query = "rpm in the container" if image.has_rpm else "rpm outside"
        found = self._ask_rpm(shell, image) if image.has_rpm else self._read_database(shell, image)
        missing, unexpected = package_differences(image.nevras, found)
        return LoadedImage(
            name=image.name,
            archive_bytes=image.archive_bytes,
            seconds=seconds,
            expected_id=image.id,
            loaded_id=loaded,
            query=query,
            packages=len(image.nevras),
            missing=missing,
            unexpected=unexpected,
        )

    def _ask_rpm(self, shell: Shell, image: ImageToLoad) -> list[str]:
        words = [self.runtime, "run", "--rm", "--network", "none", image.tag,
                 "rpm", "--query", "--all", f"--queryformat={_NEVRAS}"]  # fmt: skip
        found = self.session.run(shell, shlex.join(words)).split()
        return [nevra for nevra in found if not nevra.startswith(_KEYS)]

    def _read_database(self, shell: Shell, image: ImageToLoad) -> list[str]:
        """The packages in the database of a container, read by the build tools. Raises WorkbookError if it is none."""
        program = program_text(
            __file__, "programs/database", RUNTIME=self.runtime, IMAGE=shlex.quote(image.tag), DATABASE=RPMDB
        )
        text = self.session.run(shell, program)
        with self.session.context.store.scratch("rpmdb") as scratch:
            directory = scratch / RPMDB
            directory.mkdir(parents=True)
            try:
                (directory / "rpmdb.sqlite").write_bytes(base64.b64decode(text, validate=True))
            except binascii.Error:
                raise self.session.error(f"{image.tag}: the guest sent no RPM database") from None
            tree = Installroot(self.session.context.tools, scratch, 0)
            return [package.nevra for package in installed_packages(tree, RPMDB)]

    def start_and_kill(self, shell: Shell, service: Service) -> tuple[ServiceMoment, ServiceMoment]:
        """A service once it was started, and once its container was killed."""
        reached(f"start {service.unit}")
        began = time.monotonic()
        image = self.request.images[-1]
        program = start_program(service, self.runtime, page=self.page, image=image.tag, image_id=image.id)
        self.session.run(shell, program)
        started = self.answered(shell, service, "started", began)
        began = time.monotonic()
        self.session.run(shell, kill_command(service, self.runtime))
        return started, self.answered(shell, service, "killed", began)

    def answered(self, shell: Shell, service: Service, name: MomentName, began: float | None) -> ServiceMoment:
        """What the guest shows once a service answers. Raises WorkbookError if it does not in time."""
        with self._explained(shell, service):
            self._wait(service, name)
        seconds = None if began is None else time.monotonic() - began
        cgroups = read_cgroups(self.session.run(shell, CGROUPS_COMMAND))
        text = self.session.run(shell, look_program(service, self.runtime))
        outside = self._answers(service)
        return read_moment(
            text, cgroups, kind=service.kind, name=name, seconds=seconds, page=self.page, outside=outside
        )

    def _wait(self, service: Service, name: MomentName) -> None:
        patience, unit = Patience(_ANSWER_SECONDS), service.unit
        while not self._answers(service):
            self.session.guest.require_alive()
            reached(f"wait for {unit} ({name})")
            if patience.is_over():
                raise self.session.error(
                    f"{unit} ({name}): no answer at port {service.port} within {_ANSWER_SECONDS} s"
                )
            time.sleep(_POLL_SECONDS)

    def _answers(self, service: Service) -> bool:
        return fetch(self.session.guest.directory, service.port).strip() == self.page

    @contextmanager
    def _explained(self, shell: Shell, service: Service) -> Iterator[None]:
        """Give an error what the unit says of itself as its log."""
        try:
            yield
        except WorkbookError as error:
            try:
                journal = self.session.run(shell, f"journalctl -b --no-pager -n 30 -u {service.unit}")
            except CommandError:
                raise error from None
            raise WorkbookError(error.message, hint=error.hint, log=journal) from error
