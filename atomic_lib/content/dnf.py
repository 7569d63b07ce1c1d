"""dnf's configuration, the same for resolving and installing, and its errors for changed repositories."""

import re
from collections.abc import Mapping
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError

DNF_DIRECTORY = "/mnt/dnf"
DNF_CACHE = "/tmp/dnf/cache"
"""dnf creates this directory in the installroot. It is in /tmp, so the compose removes it."""


def dnf_configuration(*, weak_dependencies: bool = True, documentation: bool = True) -> str:
    """The text of dnf.conf: check signatures, load no plugins, use only the repositories in DNF_DIRECTORY."""
    lines = [
        "[main]",
        "gpgcheck=1",
        "plugins=0",
        "best=1",
        "skip_if_unavailable=0",
        f"reposdir={DNF_DIRECTORY}",
        f"cachedir={DNF_CACHE}",
        "logdir=/tmp/dnf",
        "timeout=20",
        "retries=2",
        f"install_weak_deps={int(weak_dependencies)}",
        *([] if documentation else ["tsflags=nodocs"]),
    ]
    return "\n".join(lines) + "\n"


_PASSWORD = re.compile(r"(?<=:)//[^/\s]+@")
_INDEX = re.compile(r"Failed to download metadata for repo '([^']+)': (.*)")
CHANGED_PART = "its index (repodata) has a part that is not what repomd.xml says"
_INDEX_PROBLEMS = {
    "Bad GPG signature": "its index (repodata) does not match its signature",
    "GPG signature is not available": "its index (repodata) has no signature",
    "Downloading error": CHANGED_PART,
}


def repository_error(error: CommandError, local: Mapping[str, Path]) -> WorkbookError:
    """The error for a local repository that was changed after it was built; otherwise dnf's own, without passwords.

    ``local``: the directories of local repositories by id.
    """
    error.stdout, error.stderr, error.log = map(without_passwords, (error.stdout, error.stderr, error.log))
    output = error.stdout + error.stderr
    index = _INDEX.search(output)
    if index and index[1] in local:
        problems = [words for text, words in _INDEX_PROBLEMS.items() if text in index[2]]
        problem = problems[0] if problems else "its index (repodata) cannot be read"
        return changed_repository(index[1], local[index[1]], problem, error.log)
    package = re.search(r'Package "([^"]+)" from local repository "([^"]+)" has incorrect checksum', output)
    if package and package[2] in local:
        problem = f"package {package[1]} is not the file that the signed index names"
        return changed_repository(package[2], local[package[2]], problem, error.log)
    return error


def without_passwords(output: str) -> str:
    """What dnf says, in which the address of a repository, or of its key, may be as it is configured."""
    return _PASSWORD.sub("//", output)


def index_problem(output: str) -> str:
    """Which repository's index dnf could not fetch, and why: what it says of the last mirror that it tried."""
    index = _INDEX.search(output)
    mirrors = re.findall(r"^  - (.*)", output, flags=re.M)
    return f": repository {index[1]!r}: {mirrors[-1] if mirrors else index[2]}" if index else ""


def changed_repository(name: str, directory: Path, problem: str, log: str = "") -> WorkbookError:
    """The error for a local repository that was changed after it was built."""
    return WorkbookError(
        f"repository {name!r}: {problem}",
        log=log,
        hint=f"the repository was changed after it was built: remove {directory} and run again to rebuild it",
    )
