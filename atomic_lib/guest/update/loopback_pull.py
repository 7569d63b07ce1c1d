"""A client of updates without a guest: a repository with version 1, and the tools tree's own ostree over loopback."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.compose.remote import KEY_FILE, REMOTE
from atomic_lib.compose.update.download_prediction import Download
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest.update.repository_server import Site, serve_on_loopback
from atomic_lib.tools.sandbox import Bind, Tools

_CLIENT, _KEY = "/mnt/client", "/mnt/key.asc"


@dataclass(frozen=True)
class PulledUpdate:
    """What a client downloaded: to look for the update, and to have it."""

    check: Download
    update: Download


def write_key(tools: Tools, version: Version, file: Path) -> None:
    """Write the public key that the commit has, and that must have signed the next one."""
    words = ["ostree", "cat", "--repo=/mnt/repo", version.commit, f"/usr/{KEY_FILE}"]
    file.write_text(tools.run(words, binds=[Bind(version.repo, "/mnt/repo")]).stdout)


def pull_over_loopback(
    tools: Tools, repository: Path, before: Version, public_key: Path, directory: Path
) -> PulledUpdate:
    """Give a new client the commit ``before``, and let it pull what the ref names in ``repository``.

    The client's repository is made as ``directory/client``, with hard links to the objects of ``before``, so both must
    be on one file system. It accepts only commits signed with ``public_key``.
    Raises CommandError if ostree refuses or fails.
    """
    client = directory / "client"
    client.mkdir()
    binds = [Bind(client, _CLIENT, writable=True), Bind(public_key, _KEY)]

    def run(command: str, *words: str, network: bool = False) -> None:
        line = ["ostree", *command.split(), f"--repo={_CLIENT}", *words]
        tools.run(line, binds=binds, rights="root", network=network)

    run("init", "--mode=bare-user")
    shutil.copytree(before.repo / "objects", client / "objects", copy_function=os.link, dirs_exist_ok=True)
    run("refs", f"--create={REMOTE}:{before.ref}", before.commit)
    site = Site(repository)
    with serve_on_loopback(site) as url:
        run("remote add", f"--set=gpgkeypath={_KEY}", REMOTE, url)
        run("pull", "--commit-metadata-only", REMOTE, before.ref, network=True)
        check = site.log.take()
        run("pull", "--disable-fsync", REMOTE, before.ref, network=True)
        return PulledUpdate(check, site.log.take())
