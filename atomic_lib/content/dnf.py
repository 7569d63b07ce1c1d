"""dnf's configuration, one text for resolving and installing, and what dnf says of a repository that was changed."""

import re
from collections.abc import Mapping
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError

DNF_DIRECTORY = "/mnt/dnf"
DNF_CACHE = "/tmp/dnf/cache"
"""Below the installroot, where dnf puts it: in its /tmp, which is emptied."""


def dnf_configuration(*, weak_dependencies: bool = True, documentation: bool = True) -> str:
    """The text of dnf.conf: signatures checked, no plugins, repositories only from our directory."""
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


CHANGED_PART = "its index (repodata) has a part that is not what the signed list of its parts says"
_INDEX_PROBLEMS = {
    "Bad GPG signature": "its index (repodata) does not match its signature",
    "GPG signature is not available": "its index (repodata) has no signature",
    "Downloading error": CHANGED_PART,
}


def repository_error(error: CommandError, local: Mapping[str, Path]) -> WorkbookError | None:
    """The error for a repository on this machine that was changed; None where dnf failed of another cause.

    ``local``: the directories of such repositories by id.
    """
    said = error.stdout + error.stderr
    index = re.search(r"Failed to download metadata for repo '([^']+)': (.*)", said)
    if index and index[1] in local:
        problems = [words for text, words in _INDEX_PROBLEMS.items() if text in index[2]]
        problem = problems[0] if problems else "its index (repodata) cannot be read"
        return changed_repository(index[1], local[index[1]], problem, error.log)
    package = re.search(r'Package "([^"]+)" from local repository "([^"]+)" has incorrect checksum', said)
    if package and package[2] in local:
        problem = f"package {package[1]} is not the file that the signed index names"
        return changed_repository(package[2], local[package[2]], problem, error.log)
    return None


def changed_repository(name: str, directory: Path, problem: str, log: str = "") -> WorkbookError:
    """The error for a repository on this machine that is not as it was made."""
    return WorkbookError(
        f"repository {name!r}: {problem}",
        log=log,
        hint=f"it was changed after it was made: remove {directory} and run again, which makes it anew",
    )
