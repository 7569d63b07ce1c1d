"""What a worker needs of a content: the indexes of its repositories and their keys, each file with its sha256.

To solve, dnf reads no RPM file; what is in the packages, this machine says.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.content.local_rpms import PACKAGE_KEYS
from atomic_lib.content.repositories import Content
from atomic_lib.content.signing import KEY_FILE


@dataclass(frozen=True)
class SentFile:
    """A file of a repository, its path relative to the repository."""

    path: str
    sha256: str
    data: bytes


@dataclass(frozen=True)
class SentContent:
    """A content without its directories, and the files that dnf reads of each of its repositories, by id."""

    content: Content
    files: Mapping[str, tuple[SentFile, ...]]


def sent_content(content: Content) -> SentContent:
    """A content as it is sent to workers; raises WorkbookError for one whose repositories are not on this machine."""
    if content.remote:
        raise WorkbookError(
            f"content {content.name!r} has repositories that are not on this machine, so it is not sent to workers",
            hint="leave --scheduler out: then the sweep is solved here",
        )
    files = {name: tuple(_files(directory)) for name, directory in content.local.items()}
    return SentContent(replace(content, local={}), files)


def received_content(sent: SentContent, directory: Path) -> Content:
    """The content with its repositories written into ``directory``.

    Raises SetupError for a file that is not the one that was sent, or would be outside of its repository.
    """
    for name, files in sent.files.items():
        for file in files:
            path = PurePosixPath(name, file.path)
            if path.is_absolute() or ".." in path.parts or hashlib.sha256(file.data).hexdigest() != file.sha256:
                raise SetupError(f"{path}: not as it was sent", hint="run the sweep again")
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.data)
    return replace(sent.content, local={name: directory / name for name in sent.files})


def _files(directory: Path) -> list[SentFile]:
    index = sorted(path for path in (directory / "repodata").rglob("*") if path.is_file())
    keys = [path for name in (KEY_FILE, PACKAGE_KEYS) if (path := directory / name).is_file()]
    return [_file(path, directory) for path in (*index, *keys)]


def _file(path: Path, directory: Path) -> SentFile:
    data = path.read_bytes()
    return SentFile(str(path.relative_to(directory)), hashlib.sha256(data).hexdigest(), data)
