"""A client of casync without a guest: it has the files of version 1, and makes those of version 2 beside them."""

from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.chunk_store import ATTRIBUTES, index_path
from atomic_lib.compose.update.download_prediction import Download
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest.update.repository_server import Site, serve_on_loopback
from atomic_lib.tools.sandbox import Bind, Tools

_MEMORY, _REPO = "/mnt/memory", "/mnt/repo"


def pull_chunks(tools: Tools, served: Path, version: Version, seed: Path) -> Download:
    """Make the tree of ``version`` beside the tree ``seed``, whose chunks are not downloaded again.

    ``served``: the directory that is served over loopback.
    Raises WorkbookError if the client does not have the commit then, and CommandError if casync fails.
    """
    client = seed.parent / "client"
    site = Site(served)
    with serve_on_loopback(site) as url:
        words = ["casync", "extract", *ATTRIBUTES, f"--seed={_MEMORY}/{seed.name}", f"{url}/{index_path(version)}"]
        binds = [Bind(seed.parent, _MEMORY, writable=True)]
        tools.run([*words, f"{_MEMORY}/{client.name}"], binds=binds, rights="label", network=True)
    _require_commit(tools, version, client)
    return site.log.take()


def _require_commit(tools: Tools, version: Version, tree: Path) -> None:
    """Have ostree compare each file and directory with the commit: content, owner, mode, label and capabilities."""
    words = ["ostree", "diff", f"--repo={_REPO}", version.commit, f"{_MEMORY}/{tree.name}"]
    binds = [Bind(version.repo, _REPO), Bind(tree.parent, _MEMORY)]
    different = tools.run(words, binds=binds, rights="root").stdout.splitlines()
    if different:
        raise WorkbookError(
            f"casync: the client's tree is not commit {version.commit[:12]}: {different[0]}",
            hint="a .caexclude in the tree names files that casync leaves out: remove it in the recipe",
            log="\n".join(different),
        )
