"""rpm-ostree's lockfiles: the versions that packages must have if they are installed.

Source of the format and the rules: rpm-ostree's ``rust/src/lockfile.rs`` and ``rpmostree-core.cxx`` (relaxed mode): a
lockfile installs nothing, and packages that it does not name may be of any version. Each package has ``evra`` or
``evr``, and may have a digest. The overrides of fedora-coreos-config are lockfiles in YAML.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.treefile_rules.document import YAML_SUFFIXES, parse_document
from atomic_lib.solve.lock import Lock, LockedPackage, read_lock
from atomic_lib.solve.words import NEVRA_PARTS

_EVR = re.compile(r"(?:([0-9]{1,10}):)?([^:-]+)-([^:-]+)")
_DIGEST = re.compile(r"(sha256|sha384|sha512):([0-9a-f]+)")
_LARGEST_BYTES = 16 << 20


@dataclass(frozen=True, order=True)
class PinnedPackage:
    """A package and the version that it must have; ``arch`` and ``digest`` are empty if any will do."""

    name: str
    epoch: int
    version: str
    release: str
    arch: str = ""
    digest: str = ""
    """``ALGORITHM:HEX`` of the RPM file."""

    @property
    def shown(self) -> str:
        """``NAME-EPOCH:VERSION-RELEASE``, with the architecture if there is one."""
        return f"{self.name}-{self.epoch}:{self.version}-{self.release}{self.arch and f'.{self.arch}'}"

    def is_build(self, other: "AvailablePackage") -> bool:
        """Whether an available package is this one."""
        own = (self.name, self.epoch, self.version, self.release)
        same = own == (other.name, other.epoch, other.version, other.release)
        return same and self.arch in ("", other.arch)


@dataclass(frozen=True)
class AvailablePackage:
    """A package that a repository has."""

    name: str
    epoch: int
    version: str
    release: str
    arch: str
    repo: str

    @property
    def nevra(self) -> str:
        """``name-epoch:version-release.arch``, as dnf accepts it."""
        return f"{self.name}-{self.epoch}:{self.version}-{self.release}.{self.arch}"


@dataclass(frozen=True)
class Lockfile:
    """A lockfile of rpm-ostree: at most one version of each package."""

    path: Path
    packages: tuple[PinnedPackage, ...]

    def inputs(self) -> list[dict[str, object]]:
        """What it says, as part of a key."""
        return [asdict(package) for package in self.packages]


def read_requested_lock(path: Path) -> Lock | Lockfile:
    """The lock of a build or lockfile of rpm-ostree in a file.

    Raises WorkbookError naming the file if it does not exist or is neither, with a line for each package that is not
    of the form.
    """
    data = _parsed(path)
    packages = data.get("packages") if isinstance(data, Mapping) else None
    if isinstance(packages, Mapping):
        return _lockfile(path, data)
    if isinstance(data, Mapping) and not isinstance(packages, list):
        raise WorkbookError(f"{path}: names no packages", hint='a lockfile without any says so: "packages": {}')
    return read_lock(path)


def _parsed(path: Path) -> Any:
    """The data in a file; None if it has none that can be read."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise WorkbookError(f"{path}: is larger than {_LARGEST_BYTES >> 20} MiB", hint="name a lock file")
        text = path.read_text()
        return parse_document(path, text).values if path.suffix in YAML_SUFFIXES else json.loads(text)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return None  # read_lock says what is wrong
    except (ValueError, RecursionError) as error:
        raise WorkbookError(f"{path}: not a lockfile: {' '.join(str(error).split()):.300}") from None


def _lockfile(path: Path, data: Mapping[str, Any]) -> Lockfile:
    wrong = [f"{path}: {key!r} is no key of a lockfile" for key in data if key not in ("packages", "metadata")]
    packages = []
    for name, value in data["packages"].items():
        package, problem = _package(name, value)
        if package:
            packages.append(package)
        else:
            wrong.append(f"{path}: packages: {name!r:.100}: {problem}")
    if wrong:
        raise WorkbookError(
            "\n".join(wrong),
            hint='a package is "NAME": {"evra": "[EPOCH:]VERSION-RELEASE.ARCH", "digest": "sha256:…"}, or with "evr" '
            "and without the architecture; the digest is optional",
        )
    return Lockfile(path, tuple(sorted(packages)))


def _package(name: object, value: object) -> tuple[PinnedPackage | None, str]:
    """The package, or what is wrong with it."""
    if not isinstance(value, Mapping) or not value.keys() <= {"evr", "evra", "digest", "metadata"}:
        return None, "must be a mapping with the keys evra or evr, digest and metadata"
    text = value.get("evra", value.get("evr"))
    if not isinstance(text, str) or ("evr" in value) == ("evra" in value):
        return None, "must have a text evra or evr, one of the two"
    evr, _, arch = text.rpartition(".") if "evra" in value else (text, "", "")
    match = _EVR.fullmatch(evr)
    if not match or ("evra" in value and not arch):
        return None, f"{text!r:.100} is not EPOCH:VERSION-RELEASE{'.ARCH' if 'evra' in value else ''}"
    parts = {"name": name, "version": match[2], "release": match[3], "arch": arch or "noarch"}
    for part, it in parts.items():
        if not isinstance(it, str) or not NEVRA_PARTS[part].fullmatch(it):
            return None, f"{part} {it!r:.100} is not one that rpm accepts"
    digest = value.get("digest") or ""
    if digest and not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        return None, f"digest {digest!r:.100} is not ALGORITHM:HEX of sha256, sha384 or sha512"
    return PinnedPackage(str(name), int(match[1] or 0), match[2], match[3], arch, digest), ""


def require_available(lockfile: Lockfile, available: Iterable[AvailablePackage], content: str) -> None:
    """Raise WorkbookError with a line for each package of the lockfile that is not ``available`` in this version."""
    by_name: dict[str, list[AvailablePackage]] = {}
    for one in available:
        by_name.setdefault(one.name, []).append(one)
    missing = []
    for pinned in lockfile.packages:
        others = by_name.get(pinned.name, [])
        if not any(pinned.is_build(one) for one in others):
            has = ", ".join(sorted({one.nevra for one in others})) or "no package of this name"
            missing.append(f"{lockfile.path}: {pinned.shown}: content {content!r} has {has}")
    if missing:
        raise WorkbookError(
            "\n".join(missing),
            hint="add the repository that has them (lockfile-repos in the treefile, with a .repo file beside it), or "
            "make a lockfile of versions that the content has",
        )


def hidden_packages(lockfile: Lockfile, available: Iterable[AvailablePackage]) -> list[str]:
    """The NEVRAs that dnf must not see: the other versions of the packages in the lockfile."""
    pinned = {package.name: package for package in lockfile.packages}
    return sorted({one.nevra for one in available if one.name in pinned and not pinned[one.name].is_build(one)})


def require_digests(lockfile: Lockfile, packages: Iterable[LockedPackage], rpms: Path) -> None:
    """Raise WorkbookError with a line for each RPM file in ``rpms`` that does not have the lockfile's digest."""
    pinned = {package.name: package for package in lockfile.packages if package.digest}
    wrong = []
    for package in packages:
        if package.name in pinned:
            algorithm, _, digest = pinned[package.name].digest.partition(":")
            data = (rpms / package.file_name).read_bytes()
            found = hashlib.new(algorithm, data).hexdigest()
            if found != digest:
                wrong.append(f"{lockfile.path}: {package.nevra}: {algorithm} is {found}, the lockfile says {digest}")
    if wrong:
        raise WorkbookError("\n".join(wrong), hint="the repository has another build of it: use that of the lockfile")
