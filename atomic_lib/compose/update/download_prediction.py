"""What a client that has one commit will download to have another: each file and its size, before anything is served.

Source of the requests: ostree's ``ostree-repo-pull.c``, for a remote with a summary that is not signed, whose commits
are. A client asks for the signature of the summary, for the summary, and for the remote's configuration first. Bytes
are those of the bodies: the HTTP headers depend on the server.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.formats.ostree_objects import OstreeObject, objects_of

_ALWAYS = ("summary.sig", "summary", "config")


@dataclass(frozen=True, order=True)
class ServedFile:
    """A file that a client asks for, and its size on the server; a file that is not there has 0 bytes."""

    path: str
    bytes: int


@dataclass(frozen=True)
class Download:
    """The requests of one operation, in the order of their paths."""

    files: tuple[ServedFile, ...]

    @property
    def requests(self) -> int:
        """How many requests there are."""
        return len(self.files)

    @property
    def bytes(self) -> int:
        """The sum of the bodies."""
        return sum(file.bytes for file in self.files)


def download_of(files: Iterable[ServedFile]) -> Download:
    """A download of these files, in whatever order they were asked for."""
    return Download(tuple(sorted(files)))


def predict_check(repository: Path, after: str) -> Download:
    """What looking for an update costs: the metadata of the commit that the ref names."""
    commit = OstreeObject("commit", after).path()
    return _predicted(repository, [*_ALWAYS, f"{commit}meta", commit])


def predict_loose(repository: Path, before: str, after: str) -> Download:
    """What a client with ``before`` downloads of ``after``, object by object, after it has looked for the update.

    Raises WorkbookError as ``objects_of`` does.
    """
    new = objects_between(repository, before, after)
    commit = OstreeObject("commit", after)
    paths = [one.path() for one in new if one != commit]
    return _predicted(repository, [*_ALWAYS, delta_index(after), f"{commit.path()}meta", *paths])


def predict_delta(repository: Path, before: str, after: str, fallbacks: Iterable[str]) -> Download:
    """What a client with ``before`` downloads of ``after`` as a static delta, which is in the repository.

    ``fallbacks``: the checksums of the files that are not in the delta, as ``add_static_delta`` returns them.
    """
    delta = repository / delta_directory(before, after)
    parts = [str(path.relative_to(repository)) for path in sorted(delta.iterdir())]
    objects = [OstreeObject("file", checksum).path() for checksum in fallbacks]
    return _predicted(repository, [*_ALWAYS, delta_index(after), *parts, *objects])


def objects_between(repository: Path, before: str, after: str) -> frozenset[OstreeObject]:
    """The objects of ``after`` that ``before`` does not have."""

    def read(one: OstreeObject) -> bytes:
        return (repository / one.path()).read_bytes()

    return objects_of(after, read) - objects_of(before, read)


def delta_directory(before: str, after: str) -> str:
    """The directory of a static delta."""
    source = _short(before)
    return f"deltas/{source[:2]}/{source[2:]}-{_short(after)}"


def delta_index(after: str) -> str:
    """The file that names all static deltas to a commit."""
    target = _short(after)
    return f"delta-indexes/{target[:2]}/{target[2:]}.index"


def _short(checksum: str) -> str:
    """A checksum in base64, with ``_`` for ``/``, which a name cannot have; ``ostree_checksum_inplace_to_b64``."""
    return b64encode(bytes.fromhex(checksum)).decode().rstrip("=").replace("/", "_")


def _predicted(repository: Path, paths: Iterable[str]) -> Download:
    sizes = ((path, repository / path) for path in paths)
    return download_of(ServedFile(path, file.stat().st_size if file.is_file() else 0) for path, file in sizes)
