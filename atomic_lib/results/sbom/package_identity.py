"""What a package really is, for an SBOM: its name, version, supplier and package URL.

A package of stand-in content is Debian's: it has an RPM's name in the tree, but neither its name nor its purl here
may be taken for those of Fedora's package.

Package URLs: https://github.com/package-url/purl-spec
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from packageurl import PackageURL

from atomic_lib.results.build_result import PackageSize
from atomic_lib.results.variant_result import ContentSummary
from atomic_lib.solve.lock import STANDIN_VENDOR

_TEXT_MOST = 1000
"""Longer texts of headers are cut."""
_STANDIN = re.compile(rf"{re.escape(STANDIN_VENDOR)}(\S+) (\S+)\)")
_DEBIAN_ARCHITECTURES: Mapping[str, str] = {"x86_64": "amd64", "noarch": "all"}
_FEDORA = "Fedora Project"


@dataclass(frozen=True)
class Identity:
    """Name and version where the package comes from, who supplies it (empty: not known), and what to know of it."""

    name: str
    version: str
    supplier: str
    purl: PackageURL
    description: str = ""


def identity_of(package: PackageSize, content: ContentSummary | None, *, own: bool = False) -> Identity:
    """What a package of this content is; a vendor is believed to be Debian in stand-in content only.

    ``own``: it is from a directory of the user's, so that its vendor, whatever it says, makes it no distribution's.
    """
    standin = content is None or content.standin
    if standin and not own and (found := _STANDIN.fullmatch(package.vendor)):
        return _debian(package, found[1], found[2], content)
    version = f"{package.version}-{package.release}"
    qualifiers = {"arch": package.arch}
    if package.epoch:
        qualifiers["epoch"] = str(package.epoch)
    if package.vendor == _FEDORA and content and not (standin or own):
        qualifiers["distro"] = f"fedora-{content.releasever}"
    supplier = "" if own else printable(package.vendor)
    elsewhere = "Neither converted from Debian nor taken from Fedora's repositories." if standin else ""
    return Identity(
        printable(package.name),
        printable(f"{package.epoch}:{version}" if package.epoch else version),
        supplier,
        PackageURL(
            "rpm", _namespace(supplier, standin=standin), printable(package.name), printable(version), qualifiers
        ),
        elsewhere,
    )


def _namespace(supplier: str, *, standin: bool) -> str | None:
    """The namespace of an RPM's purl: its vendor. "fedora" for Fedora's own name, not in stand-in content."""
    if supplier == _FEDORA:
        return None if standin else "fedora"
    name = re.sub(r"[^a-z0-9]+", "-", supplier.lower()).strip("-")
    return None if name in ("", "fedora", "debian") else name


def nevra(package: PackageSize) -> str:
    """``name-epoch:version-release.arch``, as the lock has it."""
    return f"{package.name}-{package.epoch}:{package.version}-{package.release}.{package.arch}"


def printable(text: str) -> str:
    """A text of a foreign package without control characters, which become escapes as ``\\x1b``, and not too long."""
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return shown if len(shown) <= _TEXT_MOST else f"{shown[: _TEXT_MOST - 1]}…"


def _debian(package: PackageSize, name: str, version: str, content: ContentSummary | None) -> Identity:
    qualifiers = {"arch": _DEBIAN_ARCHITECTURES.get(package.arch, package.arch)}
    if content:
        qualifiers["distro"] = f"debian-{content.releasever}"
    return Identity(
        printable(name),
        printable(version),
        "Debian",
        PackageURL("deb", "debian", printable(name), printable(version), qualifiers),
        printable(f"Debian's {name} {version}, repackaged as the RPM {nevra(package)}. It is not Fedora's package."),
    )
