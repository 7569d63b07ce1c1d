"""The repository that a web server has: two versions of a ref, and static deltas between them.

Source of the format: ostree(1), mode ``archive``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.tools.sandbox import Bind, Tools

_SERVED, _SOURCE = "/mnt/served", "/mnt/source"


@dataclass(frozen=True)
class Version:
    """A commit of a ref, in the repository ``repo``."""

    repo: Path
    ref: str
    commit: str


def make_update_repository(tools: Tools, directory: Path, versions: Iterable[Version]) -> None:
    """Create a repository in ``directory`` with all versions, in which their ref names the last one.

    It has a summary and no static deltas. Signatures of the commits are copied with them.
    """
    directory.mkdir()
    served = Bind(directory, _SERVED, writable=True)
    tools.run(["ostree", "init", f"--repo={_SERVED}", "--mode=archive"], binds=[served], rights="root")
    for version in versions:
        _add(tools, served, version)
    write_summary(tools, directory)


def add_version(tools: Tools, directory: Path, version: Version) -> None:
    """Add a version to the repository in ``directory``; its ref names it then."""
    _add(tools, Bind(directory, _SERVED, writable=True), version)
    write_summary(tools, directory)


def add_static_delta(tools: Tools, directory: Path, before: str, after: str) -> tuple[str, ...]:
    """Add the static delta from one commit to another to the repository in ``directory``.

    Returns the checksums of the files that are too large for the delta: a client downloads their objects.
    """
    served = Bind(directory, _SERVED, writable=True)
    words = ["ostree", "static-delta", "generate", f"--repo={_SERVED}", f"--from={before}", f"--to={after}"]
    tools.run(words, binds=[served], rights="root")
    write_summary(tools, directory)
    words = ["ostree", "static-delta", "show", f"--repo={_SERVED}", f"{before}-{after}"]
    return fallback_checksums(tools.run(words, binds=[served]).stdout)


def fallback_checksums(shown: str) -> tuple[str, ...]:
    """The checksums below ``Number of fallback entries`` in the output of ``ostree static-delta show``."""
    _, _, rest = shown.partition("Number of fallback entries:")
    lines = rest.splitlines()
    count = int(lines[0]) if lines else 0
    return tuple(line.strip() for line in lines[1 : 1 + count])


def _add(tools: Tools, served: Bind, version: Version) -> None:
    words = ["ostree", "pull-local", f"--repo={_SERVED}", "--disable-fsync", _SOURCE, version.ref]
    tools.run(words, binds=[served, Bind(version.repo, _SOURCE)], rights="root")


def write_summary(tools: Tools, directory: Path) -> None:
    """Write the summary of the repository in ``directory`` anew: what each of its refs names."""
    served = Bind(directory, _SERVED, writable=True)
    tools.run(["ostree", "summary", "--update", f"--repo={_SERVED}"], binds=[served], rights="root")
