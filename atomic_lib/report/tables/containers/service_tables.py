"""Tables of a service in a container: the images that a guest loaded, the service's answers, the proofs of life."""

from collections.abc import Sequence
from dataclasses import replace

from atomic_lib.guest.containers.service_evidence import (
    ContainerService,
    LoadedImage,
    MomentName,
    ServiceKind,
    ServiceMoment,
)
from atomic_lib.guest.guest_session import ProvenBoot
from atomic_lib.report.elements.cells import Cell, missing, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import plural
from atomic_lib.report.tables import proof_tables
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.denial_reasons import unexplained

_MOMENTS: dict[MomentName, str] = {
    "started": "started",
    "killed": "its container was killed",
    "rebooted": "the host was rebooted",
    "updated": "the host was updated and rebooted",
}
_PREFIXES: dict[ServiceKind, str] = {"unit": "", "pod": "the pod: ", "swarm": "the swarm: "}
_SHOWN_DIGITS = 12


def images_table(service: ContainerService) -> Table:
    """What the guest loaded, compared with what was built."""
    rows = tuple(
        (Cell(image.name), number(image.archive_bytes, "bytes"), number(image.seconds, "seconds"),
         verdict(image.loaded_id == image.expected_id, image.loaded_id[:_SHOWN_DIGITS] or "unknown"),
         _packages(image), Cell(image.query))
        for image in service.images
    )  # fmt: skip
    records = tuple(image.model_dump() for image in service.images)
    header = ("image", "archive", "loaded in", "id", "packages", "read by")
    notes = (
        "An image's id is the sha256 of its configuration, which names the content of its layers.",
        methods.ONE_SAMPLE,
    )
    return Table(
        "The images that the guest loaded", header, rows, records, notes, methods.CONTAINER_SERVICE,
        anchor="container-images", fixed=True,
    )  # fmt: skip


def service_table(service: ContainerService, *, enforcing: bool) -> Table:
    """What the service answered, and what it needed; ``enforcing``: whether its container has to be confined."""
    rows = tuple(_row(moment, enforcing=enforcing) for moment in service.moments)
    records = tuple(
        {**moment.model_dump(exclude={"memory"}), "memory_bytes": moment.memory_bytes} for moment in service.moments
    )
    header = ("after this", "unit", "answer inside", "answer from outside", "container's type", "booted commit",
              "answered after", "memory")  # fmt: skip
    notes = ("Memory is that of the units in the next table: of the runtime and of all services then.",)
    return Table(
        "The service", header, rows, records, notes, methods.CONTAINER_SERVICE, anchor="container-service", fixed=True
    )


def memory_table(service: ContainerService) -> Table:
    """The memory of each unit of the runtime and of the service."""
    rows = tuple(
        (Cell(_title(moment)), Cell(unit.unit), number(unit.bytes, "bytes"))
        for moment in service.moments
        for unit in moment.memory
    )
    records = tuple(
        {"moment": moment.name, "kind": moment.kind, "unit": unit.unit, "memory_bytes": unit.bytes}
        for moment in service.moments
        for unit in moment.memory
    )
    return Table(
        "Memory by unit", ("after this", "unit", "memory"), rows, records, (), methods.CONTAINER_MEMORY,
        anchor="container-memory", fixed=True,
    )  # fmt: skip


def proofs_table(boots: Sequence[ProvenBoot]) -> Table:
    """The proof of life of each boot, and the SELinux denials after it."""
    titled = {f"boot {number}": boot.checks for number, boot in enumerate(boots, 1)}
    table = proof_tables.side_by_side(titled, of="boot", anchor="container-proofs", unchecked="not checked again")
    denials = (Cell("SELinux denials without a reason, after that"), *(_denials(boot) for boot in boots))
    return replace(table, rows=(*table.rows, denials))


def _packages(image: LoadedImage) -> Cell:
    wrong = [*(f"-{nevra}" for nevra in image.missing), *(f"+{nevra}" for nevra in image.unexpected)]
    return verdict(not wrong, f"{image.packages} as in the lock" if not wrong else plural(len(wrong), "difference"),
                   note=", ".join(wrong))  # fmt: skip


def _title(moment: ServiceMoment) -> str:
    return f"{_PREFIXES[moment.kind]}{_MOMENTS[moment.name]}"


def _row(moment: ServiceMoment, *, enforcing: bool) -> tuple[Cell, ...]:
    shown = moment.label.split(":", 2)[-1] or "not confined"
    label = verdict(bool(moment.label), shown) if enforcing else missing("not enforcing")
    return (
        Cell(_title(moment)),
        verdict(moment.active, "active" if moment.active else "not active"),
        verdict(moment.inside, "its page" if moment.inside else "none"),
        verdict(moment.outside, "its page" if moment.outside else "none"),
        label,
        Cell(moment.commit[:_SHOWN_DIGITS]) if moment.commit else missing("no commit"),
        number(moment.seconds, "seconds", reason="asked after the proof of life"),
        number(moment.memory_bytes, "bytes"),
    )


def _denials(boot: ProvenBoot) -> Cell:
    if boot.denials is None:
        return missing("not known")
    found = unexplained(boot.denials)
    words = (f"{one.source} {'/'.join(one.permissions)} {one.target}" for one in found)
    return verdict(not found, str(len(found)), note="; ".join(words))
