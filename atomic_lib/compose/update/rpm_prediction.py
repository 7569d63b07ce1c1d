"""What dnf downloads to bring one set of packages to another: each file and its size, before anything is served.

The packages follow from the two locks alone. The index is that of the whole repository, whatever the update is.
Source of the requests: libdnf's ``Repo.cpp``, for a repository whose index is signed (``repo_gpgcheck=1``). Bytes are
those of the bodies.
"""

from pathlib import Path
from xml.etree import ElementTree

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.download_prediction import Download, ServedFile, download_of
from atomic_lib.solve.lock import Lock, LockedPackage

_INDEX = "repodata/repomd.xml"
_SIGNED = (_INDEX, f"{_INDEX}.asc")
_PARTS = ("primary", "group")
"""The parts of the index that dnf reads in any case; the lists of files it leaves, unless a package requires a file."""
_NAMESPACE = "{http://linux.duke.edu/metadata/repo}"


def new_packages(before: Lock, after: Lock) -> tuple[LockedPackage, ...]:
    """The packages of ``after`` that ``before`` does not have in this version, in the order of their names."""
    known = {package.nevra for package in before.packages}
    return tuple(sorted(package for package in after.packages if package.nevra not in known))


def predict_packages(before: Lock, after: Lock) -> Download:
    """The RPM files that bring ``before`` to ``after``, from the locks alone."""
    return download_of(ServedFile(one.file_name, one.size_bytes) for one in new_packages(before, after))


def predict_index(repository: Path) -> Download:
    """What a client without a cache downloads of the index.

    It asks for the signed list twice: when it does not know the key, it imports those that the administrator named,
    and begins anew.

    Raises WorkbookError if the index cannot be read.
    """
    try:
        root = ElementTree.fromstring((repository / _INDEX).read_text())
        parts = [_location(data) for data in root.iterfind(f"{_NAMESPACE}data") if data.get("type") in _PARTS]
    except (OSError, ElementTree.ParseError) as error:
        raise WorkbookError(f"{repository / _INDEX}: cannot be read: {error}") from None
    paths = [*_SIGNED, *_SIGNED, *parts]
    return download_of(ServedFile(path, (repository / path).stat().st_size) for path in paths)


def _location(data: ElementTree.Element) -> str:
    found = data.find(f"{_NAMESPACE}location")
    return found.get("href", "") if found is not None else ""
