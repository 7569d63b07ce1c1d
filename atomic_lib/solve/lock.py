"""The lock: the exact RPMs of a build, by NEVRA and sha256."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError

SCHEMA_VERSION = 1
LOCK_FILE = "lock.json"
STANDIN_VENDOR = "Debian ("
"""How the vendor of a package of stand-in content begins; its name and version in Debian follow, and ``)``."""


@dataclass(frozen=True, order=True)
class LockedPackage:
    """An RPM: its NEVRA, the sha256 and size of its file, its repository, and its vendor.

    The vendor of a package of stand-in content says what it really is: ``Debian (openssh-client 1:10.0p1-7)``.
    """

    name: str
    epoch: int
    version: str
    release: str
    arch: str
    sha256: str
    size_bytes: int
    repo: str
    vendor: str = ""

    @property
    def nevra(self) -> str:
        """``name-epoch:version-release.arch``, as dnf accepts it on the command line."""
        return f"{self.name}-{self.epoch}:{self.version}-{self.release}.{self.arch}"

    @property
    def file_name(self) -> str:
        """The usual name of the RPM file."""
        return f"{self.name}-{self.version}-{self.release}.{self.arch}.rpm"


@dataclass(frozen=True)
class Lock:
    """All packages of one build, sorted by name."""

    content: str
    packages: tuple[LockedPackage, ...]
    commit: str = ""
    """The checksum of the commit that has the packages, if they were not installed; then they have no RPM files, and
    neither sha256 nor size."""

    @property
    def sha256(self) -> str:
        """The identity of the package set: the sha256 of all NEVRAs and file digests, without repositories."""
        text = "".join(f"{package.nevra} {package.sha256}\n" for package in sorted(self.packages)) + self.commit
        return hashlib.sha256(text.encode()).hexdigest()


def write_lock(lock: Lock, path: Path) -> None:
    """Write the lock as JSON with one package per line, so that diff can compare two locks."""
    lines = ",\n".join(json.dumps(asdict(package)) for package in lock.packages)
    head = f'"schema_version": {SCHEMA_VERSION}, "content": {json.dumps(lock.content)}, "sha256": "{lock.sha256}"'
    head += f', "commit": "{lock.commit}"' if lock.commit else ""
    path.write_text(f'{{{head}, "packages": [\n{lines}\n]}}\n')


def read_lock(path: Path) -> Lock:
    """The lock in a file.

    Raises WorkbookError naming the file if it cannot be read, is not a lock, or does not match its own sha256.
    """
    try:
        data = json.loads(path.read_text())
        packages = tuple(sorted(LockedPackage(**package) for package in data["packages"]))
        lock = Lock(data["content"], packages, data.get("commit", ""))
        version, recorded, own = data["schema_version"], data["sha256"], lock.sha256
    except FileNotFoundError:
        raise WorkbookError(
            f"{path}: no such lock file", hint="a build's lock is lock.json beside its result"
        ) from None
    except OSError as error:
        raise WorkbookError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WorkbookError(f"{path}: not a lock file: {error}") from None
    if version != SCHEMA_VERSION:
        raise WorkbookError(f"{path}: schema_version {version} is not supported (supported: {SCHEMA_VERSION})")
    if recorded != own:
        raise WorkbookError(f"{path}: its packages do not match its own sha256: the file was changed or cut off",
                            hint="take the lock from the build again")  # fmt: skip
    return lock
