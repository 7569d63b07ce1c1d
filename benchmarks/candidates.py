"""The variants that are timed, in their order, and a build of each with a store of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from atomic_lib.base.paths import BUILD, cache_directory
from atomic_lib.base.store import Store
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import Build
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.tools.context import Context
from atomic_lib.tools.tools_tree import open_tools

OUTPUT = BUILD / "benchmarks"
SCRATCH = OUTPUT / "tmp"


@dataclass(frozen=True)
class Candidate:
    """A variant to build: the file ``params/variants/VARIANT.yaml``, ``overrides`` over it, ``added`` packages."""

    title: str
    variant: str
    overrides: Mapping[str, str] = field(default_factory=dict)
    added: tuple[str, ...] = ()


FIRST = Candidate("atomic-min", "atomic-min")
CANDIDATES = (
    FIRST,
    Candidate("atomic-cloud-init", "atomic-cloud-init"),
    Candidate("Podman, not Docker", "atomic", {"parts": "podman min-cloud-agent", "runtime": "podman"}),
    Candidate("with dnf", "atomic-dnf"),
    Candidate("cloud-docker", "cloud-docker"),
)
"""From an empty store, one after the other: what the first one costs, and what a further one."""
CHANGED = replace(FIRST, title="one package added (rsync)", added=("rsync",))


@dataclass(frozen=True)
class CandidateBuild(Build):
    """A build whose recipe has some packages more than its file says."""

    added: tuple[str, ...] = ()

    @cached_property
    def recipe(self) -> Recipe:
        """The variant's recipe and what is added to it."""
        recipe = load_recipe(self.variant)
        return replace(recipe, packages=(*recipe.packages, *self.added))


def open_candidate(candidate: Candidate, store: Path) -> CandidateBuild:
    """A build of ``candidate`` with its results in ``store``; tools and content come from the cache."""
    variant = load_variant(candidate.variant, overrides=candidate.overrides)
    cache = cache_directory()
    return CandidateBuild(variant, Context(open_tools(cache), cache, Store(store)), candidate.added)
