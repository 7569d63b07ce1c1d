"""Stand-in content: the stage that makes a repository of the packages that a recipe asks for, in the cache."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import step
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import file_sha256
from atomic_lib.content.comps import expand_groups, read_comps
from atomic_lib.content.definition import DebianContent
from atomic_lib.content.demand import Demand
from atomic_lib.content.signing import index_and_sign
from atomic_lib.content.standin.converter import POLICY, SETUP, Source
from atomic_lib.content.standin.debs import Apt, fetch_debs, kept_index, update_index
from atomic_lib.content.standin.named_packages import named_packages
from atomic_lib.content.standin.package_index import PackageIndex
from atomic_lib.content.standin.package_rpms import PackageRequest, package_rpms
from atomic_lib.tools.context import Context


@dataclass(frozen=True)
class StandinRequest:
    """The packages to make available; ``comps`` is the file with the package groups.

    ``words``: what the recipe and its groups name, without packages of other repositories. ``index``: the identity of
    the suite's index.
    """

    definition: DebianContent
    comps: Path
    demand: Demand
    words: tuple[str, ...]
    index: str


def standin_repository(
    definition: DebianContent, demand: Demand, params: Path, context: Context, *, elsewhere: Collection[str]
) -> Path:
    """The directory of the repository of the packages that a recipe asks for; built first if it is not in the cache.

    ``elsewhere``: the names of the packages in other repositories.

    Raises WorkbookError if the suite has no such packages, the mirror cannot be reached, its signature is bad, or the
    disk is too full.
    """
    with context.shared.locked("apt", "state"):
        index = update_index(_apt(definition, context))
    return CONTENT.get(_request(definition, demand, params, index, elsewhere), context).path


def has_standin_repository(
    definition: DebianContent, demand: Demand, params: Path, context: Context, *, elsewhere: Collection[str]
) -> bool:
    """Whether ``standin_repository`` would find the repository in the cache."""
    with context.shared.locked("apt", "state"):
        index = kept_index(_apt(definition, context))
    return index is not None and CONTENT.has(_request(definition, demand, params, index, elsewhere), context)


def _request(
    definition: DebianContent, demand: Demand, params: Path, index: str, elsewhere: Collection[str]
) -> StandinRequest:
    comps = params / "content" / f"{definition.content}-comps.xml"
    of_groups = expand_groups([read_comps(comps.read_text(), comps.name)], demand.groups, demand.source)
    words = tuple(sorted({*demand.words, *of_groups} - set(elsewhere)))
    return StandinRequest(definition, comps, demand, words, index)


def _apt(definition: DebianContent, context: Context) -> Apt:
    return Apt(context.tools, definition, context.cache / "apt")


def _inputs(request: StandinRequest, _: Context) -> dict[str, object]:
    return {
        "definition": request.definition.model_dump(exclude={"kernel_arguments", "title"}),
        "comps": file_sha256(request.comps),
        "words": request.words,
        "excludes": request.demand.excludes,
        "weak_dependencies": request.demand.weak_dependencies,
        "index": request.index,
    }


def _make(request: StandinRequest, context: Context, directory: Path) -> None:
    apt = _apt(request.definition, context)
    with context.shared.locked("apt", "state"):
        if update_index(apt) != request.index:
            raise WorkbookError(f"{apt.directory}: the package lists have changed meanwhile", hint="run again")
        index = apt.read_index()
        names = named_packages(request.words, request.demand, index, request.definition.content)
        debs = fetch_debs(
            apt, index, names, excludes=request.demand.excludes, recommended=request.demand.weak_dependencies
        )
    sources = [(_source(request, index, deb), index.sha256(deb.name) or "") for deb in debs]
    unwanted = set(request.definition.dropped) - set(names)
    requests = [PackageRequest(source, sha256) for source, sha256 in sources if source.name not in unwanted]
    rpms = package_rpms([PackageRequest(Source(SETUP, None), ""), *requests], context)
    with step("stand-in content: index"):
        for rpm in (rpm for parts in rpms.values() for rpm in parts):
            # Both results are compared with their digests at each use, so whatever damages the file is noticed.
            os.link(rpm, directory / rpm.name)
        index_and_sign(context.tools, directory, "standin", comps=request.comps)


def _source(request: StandinRequest, index: PackageIndex, deb: Path) -> Source:
    definition, package = request.definition, index.package(deb.name)
    return Source(
        package.name,
        deb,
        dropped=tuple(sorted(set(definition.dropped) & package.names)),
        policy=package.name == f"{POLICY}{definition.selinux_policy}",
    )


CONTENT = Stage(
    "content",
    _make,
    _inputs,
    title=lambda _: "stand-in content (Debian packages as RPMs)",
    space_bytes=2_500_000_000,
    shared=True,
)
