"""The builds that are timed: which variants, and each of their stages.

The only module of the benchmarks that calls ``atomic_lib.pipeline``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from atomic_lib.base.paths import BUILD, CHECKOUT
from atomic_lib.base.store import Store
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.recorded_build import RecordedBuild
from atomic_lib.pipeline.update.package_update import ExtendedBuild
from atomic_lib.results.record import VariantRecord
from atomic_lib.tools.context import Context, open_context
from benchmarks.cost import Cost, costed

OUTPUT = BUILD / "benchmarks"
SCRATCH = OUTPUT / "tmp"
STAGES = ("resolve", "compose", "image")


@dataclass(frozen=True)
class BuildRequest:
    """A variant to build: ``params/variants/VARIANT.yaml``, ``overrides`` of its parameters, ``added`` packages."""

    title: str
    variant: str
    overrides: Mapping[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()


FIRST = BuildRequest("atomic-min", "atomic-min")
REQUESTS = (
    FIRST,
    BuildRequest("atomic-cloud-init", "atomic-cloud-init"),
    BuildRequest("Podman instead of Docker", "atomic", {"parts": "podman min-cloud-agent", "runtime": "podman"}),
    BuildRequest("with dnf", "atomic-dnf"),
    BuildRequest("cloud-docker", "cloud-docker"),
)
"""The variants that are built one after another from an empty store."""
CHANGED = replace(FIRST, title="one package added (rsync)", added=("rsync",))


def open_build(request: BuildRequest, context: Context) -> ExtendedBuild:
    """The build of the variant in a context, with its overrides and added packages."""
    return ExtendedBuild(load_variant(request.variant, overrides=request.overrides), context, request.added)


def record_request(request: BuildRequest, store: Path) -> RecordedBuild:
    """The variant's build with its results in ``store``; tools and content come from the cache."""
    build = open_build(request, replace(open_context(), store=Store(store)))
    directory = store.with_name(f"{store.name}-results") / request.title.replace(" ", "-")
    directory.mkdir(parents=True, exist_ok=True)
    return RecordedBuild(build, directory, VariantRecord(build.variant, directory, CHECKOUT))


def prepare(requests: tuple[BuildRequest, ...], store: Path) -> None:
    """Make the tools tree and the content, which are made once per machine and are not timed."""
    for request in requests:
        _ = record_request(request, store).build.content


def resolve(request: BuildRequest, store: Path) -> None:
    """Make the RPM set."""
    record_request(request, store).resolve()


def build(request: BuildRequest, store: Path) -> dict[str, Cost]:
    """The cost of each stage of one build; it is not booted."""
    recorded = record_request(request, store)
    _ = recorded.build.content
    steps = (recorded.resolve, recorded.compose, recorded.measure_image)
    return {stage: costed(step)[1] for stage, step in zip(STAGES, steps, strict=True)}
