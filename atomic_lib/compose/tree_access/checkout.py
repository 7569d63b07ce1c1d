"""The files of a commit, with owners, capabilities and labels."""

from pathlib import Path

from atomic_lib.tools.sandbox import Bind, Tools


def check_out(tools: Tools, repo: Path, commit: str, directory: Path) -> None:
    """Make ``directory``, which must be on a file system in memory, with the files of a commit.

    Their times are those of the checkout, and hard links are copies. Raises CommandError if ostree fails.
    """
    binds = [Bind(repo, "/mnt/repo"), Bind(directory.parent, "/mnt/memory", writable=True)]
    words = ["ostree", "checkout", "--repo=/mnt/repo", "--force-copy", commit, f"/mnt/memory/{directory.name}"]
    tools.run(words, binds=binds, rights="label")
