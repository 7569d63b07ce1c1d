"""Stand-in content: the stage that makes a repository of the packages that a recipe asks for, in the cache."""

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import step
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import file_sha256
from atomic_lib.content.comps import expand_groups, read_comps
from atomic_lib.content.definition import DebianContent
from atomic_lib.content.demand import Demand, MissingPackage
from atomic_lib.content.signing import index_and_sign
from atomic_lib.content.standin.converter import POLICY, SETUP, Source
from atomic_lib.content.standin.debs import Apt, fetch_debs, kept_index, update_index
from atomic_lib.content.standin.fedora_names import StandinNames, read_names
from atomic_lib.content.standin.named_packages import known_packages, named_packages, older_names
from atomic_lib.content.standin.package_rpms import PackageRequest, package_rpms
from atomic_lib.tools.context import Context

_MISSING = "missing.json"


@dataclass(frozen=True)
class StandinRepository:
    """The directory of a repository, and what the recipe names that it has no counterpart for."""

    path: Path
    missing: tuple[MissingPackage, ...]


@dataclass(frozen=True)
class StandinRequest:
    """The packages to make available; ``comps`` is the file with the package groups, ``names`` that with the names.

    ``words``: what the recipe and its groups name, without packages of other repositories. ``also``: what packages of
    other repositories require. ``index``: the identity of
    the suite's index.
    """

    definition: DebianContent
    comps: Path
    names: Path
    demand: Demand
    words: tuple[str, ...]
    also: tuple[str, ...]
    index: str


def standin_repository(
    definition: DebianContent, demand: Demand, params: Path, context: Context, *, elsewhere: Collection[str]
) -> StandinRepository:
    """The repository of the packages that a recipe asks for; built first if it is not in the cache.

    ``elsewhere``: the names of the packages in other repositories.

    Raises WorkbookError if the mirror cannot be reached, its signature is bad, the disk is too full, or the demand is
    strict and a package has no counterpart.
    """
    with context.shared.locked("apt", "state"):
        index = update_index(_apt(definition, context))
    path = CONTENT.get(_request(definition, demand, params, index, elsewhere), context).path
    missing = [
        MissingPackage(word, _place(word, demand), tuple(similar))
        for word, similar in json.loads((path / _MISSING).read_text())
    ]
    if missing and demand.strict:
        raise _no_counterparts(missing, definition)
    return StandinRepository(path, tuple(missing))


def _place(word: str, demand: Demand) -> str:
    return (demand.place_of(word) or demand.source) if word in demand.words else f"a group of {demand.source}"


def _no_counterparts(missing: Collection[MissingPackage], definition: DebianContent) -> WorkbookError:
    lines = [f"{one.place}: content {definition.content!r} has no package {one.name!r}" for one in missing]
    hints = "; ".join(f"{', '.join(one.similar)} for {one.name}" for one in missing if one.similar)
    names = f"name{'s' if len(missing) > 1 else ''}{f' ({hints})' if hints else ''}"
    hint = f"correct the {names}, choose another content (--content NAME), or leave out strict"
    return WorkbookError("\n".join(lines), hint=hint)


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
    comps = params / "content" / definition.content / "comps.xml"
    of_groups = expand_groups([read_comps(comps.read_text(), comps.name)], demand.groups, demand.source)
    words = tuple(sorted({*demand.words, *of_groups} - set(elsewhere)))
    names = params / "content" / definition.content / "names.yaml"
    also = tuple(sorted(set(demand.also) - set(elsewhere)))
    return StandinRequest(definition, comps, names, demand, words, also, index)


def _apt(definition: DebianContent, context: Context) -> Apt:
    return Apt(context.tools, definition, context.cache / "apt")


def _inputs(request: StandinRequest, _: Context) -> dict[str, object]:
    return {
        "definition": request.definition.model_dump(exclude={"kernel_arguments", "title"}),
        "comps": file_sha256(request.comps),
        "names": file_sha256(request.names),
        "words": request.words,
        "also": request.also,
        "excludes": request.demand.excludes,
        "weak_dependencies": request.demand.weak_dependencies,
        "older": request.demand.older,
        "index": request.index,
    }


def _make(request: StandinRequest, context: Context, directory: Path) -> None:
    apt = _apt(request.definition, context)
    with context.shared.locked("apt", "state"):
        if update_index(apt) != request.index:
            raise WorkbookError(f"{apt.directory}: the package lists have changed meanwhile", hint="run again")
        index = apt.read_index()
        names = StandinNames(older_names(read_names(request.names), index, request.demand.older), index)
        named = named_packages(request.words, request.demand, names, request.definition.content)
        debs = fetch_debs(
            apt,
            names,
            [*named.packages, *known_packages(request.also, names)],
            excludes=names.excluded(request.demand.excludes),
            recommended=request.demand.weak_dependencies,
        )
    (directory / _MISSING).write_text(json.dumps(named.missing))
    sources = [(_source(request, names, deb), names.index.sha256(deb.name) or "") for deb in debs]
    unwanted = set(request.definition.dropped) - set(named.packages)
    requests = [PackageRequest(source, sha256) for source, sha256 in sources if source.name not in unwanted]
    rpms = package_rpms([PackageRequest(Source(SETUP, None, names.naming(SETUP)), ""), *requests], context)
    with step("stand-in content: index"):
        for rpm in (rpm for parts in rpms.values() for rpm in parts):
            # Both results are compared with their digests at each use, so whatever damages the file is noticed.
            os.link(rpm, directory / rpm.name)
        with context.shared.scratch(CONTENT.name) as scratch:
            comps = scratch / "comps.xml"
            comps.write_text(renamed_comps(request.comps.read_text(), names))
            index_and_sign(context.tools, directory, "standin", comps=comps)


def renamed_comps(text: str, names: StandinNames) -> str:
    """A comps file with the names of the RPMs, without packages that have no counterpart."""
    root = ElementTree.fromstring(text)
    for group in root.iterfind("group/packagelist"):
        for entry in list(group):
            known = [names.rpm_name(name) for name in (entry.text or "", entry.get("requires") or "") if name]
            if all(known):
                entry.text = known[0]
                if len(known) > 1:
                    entry.set("requires", known[1])
            else:
                group.remove(entry)
    return ElementTree.tostring(root, encoding="unicode")


def _source(request: StandinRequest, names: StandinNames, deb: Path) -> Source:
    definition, package = request.definition, names.index.package(deb.name)
    return Source(
        package.name,
        deb,
        names.naming(package.name),
        tuple(sorted(names.file.units.items())),
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
