"""The RPMs of each stand-in package, stored by the digest of its .deb file and of the converter.

So a package that was converted once keeps its bytes and its signature, whatever other packages a recipe asks for.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from atomic_lib.base.stage import Stage
from atomic_lib.base.store import Stored
from atomic_lib.content.standin.converter import Source, convert
from atomic_lib.formats.openpgp import KEY_CREATED_SECONDS
from atomic_lib.tools.context import Context


@dataclass(frozen=True)
class PackageRequest:
    """A package to convert; ``sha256`` is its .deb file's. ``built``: its RPMs, if they were built with others."""

    source: Source
    sha256: str
    built: tuple[Path, ...] = ()


def package_rpms(requests: Sequence[PackageRequest], context: Context) -> Mapping[str, list[Path]]:
    """The RPMs of the packages by name: those in the cache, and all others, which are built together.

    Raises CommandError if a tool fails.
    """
    stored = _stored(requests, context)
    if not all(stored.values()):
        # Variants that are built at the same time mostly need the same packages.
        with context.shared.locked(PACKAGE.name, "batch"):
            stored = _stored(requests, context)
            missing = [request for request in requests if not stored[request.source.name]]
            stored = {**stored, **_converted(missing, context)}
    return {name: sorted(result.path.glob("*.rpm")) for name, result in stored.items() if result}


def _stored(requests: Sequence[PackageRequest], context: Context) -> dict[str, Stored | None]:
    return {request.source.name: PACKAGE.stored(request, context) for request in requests}


def _converted(requests: Sequence[PackageRequest], context: Context) -> dict[str, Stored]:
    """Convert the packages together, and store each."""
    if not requests:
        return {}
    with context.shared.scratch(PACKAGE.name) as scratch:
        built = convert(context.tools, [request.source for request in requests], scratch / "work")
        ready = [replace(request, built=tuple(built[request.source.name])) for request in requests]
        return {request.source.name: PACKAGE.get(request, context) for request in ready}


def _inputs(request: PackageRequest, _: Context) -> dict[str, object]:
    source = request.source
    return {
        "name": source.name,
        "deb": request.sha256,
        "naming": asdict(source.naming),
        "units": source.units,
        "dropped": source.dropped,
        "policy": source.policy,
    }


def _make(request: PackageRequest, context: Context, directory: Path) -> None:
    if request.built:
        _take(request.built, directory)
    else:
        with context.shared.scratch(PACKAGE.name) as scratch:
            _take(convert(context.tools, [request.source], scratch / "work")[request.source.name], directory)


def _take(rpms: Sequence[Path], directory: Path) -> None:
    for rpm in rpms:
        os.utime(rpm, (KEY_CREATED_SECONDS, KEY_CREATED_SECONDS))
        rpm.chmod(0o444)  # each repository has a link to it
        rpm.rename(directory / rpm.name)


PACKAGE = Stage(
    "standin-package",
    _make,
    _inputs,
    title=lambda request: f"stand-in content: convert {request.source.name}",
    shared=True,
    silent=True,
)
