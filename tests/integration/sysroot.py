"""A sysroot with one deployment, which takes updates with the build tools' own ostree: a machine that needs no boot."""

import re
from collections.abc import Mapping
from pathlib import Path

from atomic_lib.compose.remote import REMOTE
from atomic_lib.guest.refusals.update_client import UpdateClient
from atomic_lib.tools.sandbox import Bind, Tools
from tests.integration.commits import REF, MadeCommit

_STATEROOT, _SYSROOT, _KEYS = "own", "/mnt/sysroot", "/mnt/keys"
_ENVIRONMENT: Mapping[str, str] = {
    "OSTREE_SYSROOT": _SYSROOT,
    "OSTREE_REPO": f"{_SYSROOT}/ostree/repo",
    "OSTREE_SYSROOT_DEBUG": "mutable-deployments,no-xattrs",
}
_PREPARE = f"""\
set -e
ostree admin init-fs {_SYSROOT}
ostree admin os-init {_STATEROOT}
ostree config set sysroot.bootprefix true
ostree pull-local --disable-fsync --remote={REMOTE} /mnt/first {REF}
ostree admin deploy --os={_STATEROOT} {REMOTE}:{REF}
"""


def make_client(tools: Tools, first: MadeCommit, url: str, directory: Path) -> UpdateClient:
    """Deploy a commit in ``directory``, with a remote at ``url`` that trusts the key of the commit."""
    sysroot, keys = directory / "sysroot", directory / "keys"
    sysroot.mkdir()
    keys.mkdir()
    (keys / "key.asc").write_text(first.key.read_text())
    binds = [Bind(sysroot, _SYSROOT, writable=True), Bind(keys, _KEYS, writable=True), Bind(first.repo, "/mnt/first")]

    def run(command: str) -> str:
        words = ["sh", "-c", command]
        return tools.run(words, binds=binds, rights="label", network=True, env=_ENVIRONMENT).stdout

    run(_PREPARE)
    run(f"ostree remote add --set=gpg-verify=true --set=gpgkeypath={_KEYS}/key.asc {REMOTE} {url}")
    stateroot = f"{_SYSROOT}/ostree/deploy/{_STATEROOT}"
    run(f"mkdir -p {stateroot}/var/lib && echo kept >{stateroot}/var/lib/kept")
    (deployment,) = (path.name for path in (sysroot / f"ostree/deploy/{_STATEROOT}/deploy").iterdir()
                     if re.fullmatch(r"[0-9a-f]{64}\.0", path.name))  # fmt: skip
    return UpdateClient(
        run, _STATEROOT, f"{_KEYS}/key.asc", _SYSROOT, f"{stateroot}/deploy/{deployment}/etc", f"{stateroot}/var"
    )
