"""The builds that are timed: which variants, and each of their stages.

The only module of the benchmarks that calls ``atomic_lib.pipeline``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from atomic_lib.base.paths import BUILD, cache_directory
from atomic_lib.base.store import Store
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.workbench import Workbench
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe
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


@dataclass(frozen=True)
class ExtendedWorkbench(Workbench):
    """A workbench whose recipe has more packages than its file."""

    added: tuple[str, ...] = ()

    @cached_property
    def recipe(self) -> Recipe:
        """The variant's recipe with the added packages."""
        recipe = load_recipe(self.variant)
        return replace(recipe, packages=(*recipe.packages, *self.added))


def open_build(request: BuildRequest, store: Path) -> ExtendedWorkbench:
    """The variant with its results in ``store``; tools and content come from the cache."""
    variant = load_variant(request.variant, overrides=request.overrides)
    directory = store.with_name(f"{store.name}-results") / request.title.replace(" ", "-")
    directory.mkdir(parents=True, exist_ok=True)
    return ExtendedWorkbench(variant, directory, cache_directory(), Store(store), request.added)


def prepare(requests: tuple[BuildRequest, ...], store: Path) -> None:
    """Make the tools tree and the content, which are made once per machine and are not timed."""
    for request in requests:
        bench = open_build(request, store)
        _ = bench.tools, bench.content


def resolve(request: BuildRequest, store: Path) -> None:
    """Make the RPM set."""
    open_build(request, store).resolve()


def compose(request: BuildRequest, store: Path) -> Cost:
    """The cost of the compose alone; the store has the RPM set."""
    bench = open_build(request, store)
    rpm_set = bench.resolve()
    return costed(bench.compose, rpm_set)[1]


def build(request: BuildRequest, store: Path) -> dict[str, Cost]:
    """The cost of each stage of one build; it is not booted."""
    bench = open_build(request, store)
    _ = bench.tools, bench.content
    rpm_set, resolve_cost = costed(bench.resolve)
    tree, compose_cost = costed(bench.compose, rpm_set)
    _, image_cost = costed(bench.build, tree)
    return dict(zip(STAGES, (resolve_cost, compose_cost, image_cost), strict=True))
