"""dnf's configuration, one text for resolving and installing, and what dnf says of a repository's index."""

import re
from collections.abc import Mapping
from pathlib import Path

from atomic_lib.command import CommandError
from atomic_lib.errors import WorkbookError

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


_INDEX_PROBLEMS = {
    "Bad GPG signature": "does not match its signature",
    "GPG signature is not available": "has no signature",
    "Downloading error": "has a part that is not what the signed list of its parts says",
}


def index_error(error: CommandError, local: Mapping[str, Path]) -> WorkbookError | None:
    """The error for the index of a repository on this machine that dnf refused; None where it failed of another cause.

    ``local``: the directories of such repositories by id.
    """
    refused = re.search(r"Failed to download metadata for repo '([^']+)': (.*)", error.stdout + error.stderr)
    if refused is None or refused[1] not in local:
        return None
    problems = [words for said, words in _INDEX_PROBLEMS.items() if said in refused[2]]
    return changed_index(refused[1], local[refused[1]], (problems or ["cannot be read"])[0], error.log)


def changed_index(name: str, directory: Path, problem: str, log: str = "") -> WorkbookError:
    """The error for a repository on this machine whose index is not as it was made."""
    return WorkbookError(
        f"repository {name!r}: its index (repodata) {problem}",
        log=log,
        hint=f"it was changed after it was made: remove {directory} and run again, which makes it anew",
    )
