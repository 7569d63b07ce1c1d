"""Which packages a difference of two builds comes from: by how much each grew, and in which versions."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from atomic_lib.results.build_result import Growth, PackageSize
from atomic_lib.results.variant_result import VariantResult

OUTSIDE_PACKAGES = "files of no package"


@dataclass(frozen=True)
class PackageShare:
    """The part of a package in a figure: its versions, and its amount."""

    versions: str
    amount: float


Shares = Mapping[str, PackageShare]
"""By package name."""

_OF_PACKAGE: dict[str, tuple[str, Callable[[PackageSize], float | None]]] = {
    "tree_bytes": ("bytes", lambda package: package.bytes),
    "tree_files": ("files", lambda package: package.files),
    "package_count": ("1", lambda _: 1),
    "image_compressed_bytes": ("qcow2_bytes", lambda package: package.qcow2_bytes),
    "image_allocated_bytes": ("image_bytes", lambda package: package.image_bytes),
}
"""The column of the history, and the value of a result, that a figure is the sum of."""


def shares_of(result: VariantResult, figure: str) -> Shares:
    """The part of each package in a figure of a result; empty if the figure has no such parts."""
    if figure == "download_bytes":
        return _shares((one.name, _evr(one), one.download_bytes) for one in result.packages)
    if figure not in _OF_PACKAGE:
        return {}
    _, value = _OF_PACKAGE[figure]
    return _shares((one.name, _evr(one), value(one)) for one in result.packages)


def versions_of(packages: Iterable[PackageSize]) -> dict[str, str]:
    """The versions of each package, with epoch and release; those of several of one name are joined by commas."""
    return {name: share.versions for name, share in _shares((one.name, _evr(one), 0) for one in packages).items()}


def recorded_shares(history: sqlite3.Connection, build: int, figure: str) -> Shares:
    """The same of a recorded build."""
    if figure == "download_bytes":
        column, table = "size_bytes", "locked_packages p JOIN builds USING (lock)"
    elif figure in _OF_PACKAGE:
        column, table = _OF_PACKAGE[figure][0], "packages p"
    else:
        return {}
    rows = history.execute(
        f"SELECT p.name, p.epoch, p.version, p.release, {column} FROM {table} WHERE build = ? ORDER BY p.name", (build,)
    )
    return _shares((name, _version(epoch, version, release), amount) for name, epoch, version, release, amount in rows)


def package_growth(before: Shares, after: Shares, total: float) -> tuple[Growth, ...]:
    """What the difference ``total`` of a figure comes from, the largest part first.

    The parts sum to ``total``: what no package explains is that of OUTSIDE_PACKAGES. A package of another version is a
    part even if its amount is 0.
    """
    none = PackageShare("", 0.0)
    pairs = {name: (before.get(name, none), after.get(name, none)) for name in {*before, *after}}
    grown = [
        Growth(name=name, before=old.versions, after=new.versions, amount=new.amount - old.amount)
        for name, (old, new) in pairs.items()
        if old != new
    ]
    rest = total - sum(one.amount for one in grown)
    grown += [Growth(name=OUTSIDE_PACKAGES, amount=rest)] if rest else []
    sign = 1 if total >= 0 else -1
    return tuple(sorted(grown, key=lambda one: (-sign * one.amount, one.name)))


def _shares(rows: Iterable[tuple[str, str, float | None]]) -> dict[str, PackageShare]:
    """Several packages of one name (two kernels, two architectures) count together."""
    shares: dict[str, PackageShare] = {}
    for name, version, amount in rows:
        earlier = shares.get(name)
        versions = version if earlier is None else ", ".join(sorted({*earlier.versions.split(", "), version}))
        shares[name] = PackageShare(versions, (earlier.amount if earlier else 0.0) + (amount or 0))
    return shares


def _evr(package: PackageSize) -> str:
    return _version(package.epoch, package.version, package.release)


def _version(epoch: int, version: str, release: str) -> str:
    return f"{epoch}:{version}-{release}" if epoch else f"{version}-{release}"
