"""The remote that an image gets its updates from, and the key that must have signed them.

The commit is signed. The tree contains the public key, and a remote that accepts only
commits signed with it. A signed commit names the digest of every file. Over a network,
ostree checks each file. From a local directory it checks only the commit, so an
administrator who fills such a directory should run ``ostree fsck`` there. Source of the
format: ostree.repo-config(5), "remote" sections and /etc/ostree/remotes.d.
"""

import re
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.compose.chroot import Installroot
from atomic_lib.content.keyring import open_keyring
from atomic_lib.formats.openpgp import SecretKey, derive_key
from atomic_lib.params.variant import Variant
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

REMOTE = "fedora-atomic"
KEY_FILE = f"etc/pki/ostree/{REMOTE}.asc"
REMOTE_FILE = f"etc/ostree/remotes.d/{REMOTE}.conf"


def commit_key(tools: Tools, variant: Variant, ref: str, scratch: Path) -> SecretKey:
    """The key that signs the variant's commits: its own ``signing_key``, or a key derived from the ref.

    The derived key is the same for all commits of a ref, so that an image accepts the next one
    as an update. It is not secret. ``scratch`` is a directory for temporary secrets.

    Raises WorkbookError if ``signing_key`` does not exist, or cannot sign without a passphrase.
    """
    own = _own_key_file(variant)
    if own is None:
        return derive_key(tools, f"workbook signing key of ref {ref}\n", f"workbook {ref}", scratch)
    return _read_key(tools, own)


def own_public_key(variant: Variant, context: Context) -> str:
    """The public key of the variant's own ``signing_key``, armored; empty if it has none.

    The secret is temporarily in a directory of the store; after a killed run, the next run removes it.

    Raises WorkbookError as ``commit_key`` does.
    """
    own = _own_key_file(variant)
    if own is None:
        return ""
    key = _read_key(context.tools, own)
    with context.store.scratch("key") as scratch, open_keyring(context.tools, scratch, key, 0) as keyring:
        return keyring.public_key()


def remote_configuration(url: str) -> str:
    """The configuration of the remote: it accepts only commits signed with the key in ``KEY_FILE``."""
    return remote_section(REMOTE, url, "gpg-verify=true", f"gpgkeypath=/{KEY_FILE}")


def remote_section(name: str, url: str, *options: str) -> str:
    """A remote's configuration; without other options, commits must be signed with a key that the system trusts."""
    return "\n".join([f'[remote "{name}"]', f"url={url}", *options]) + "\n"


def add_remote(tree: Installroot, url: str, public_key: str) -> None:
    """Write the remote and its key into a tree."""
    tree.write(KEY_FILE, public_key)
    tree.write(REMOTE_FILE, remote_configuration(url))


def _own_key_file(variant: Variant) -> Path | None:
    return CHECKOUT / variant.signing_key if variant.signing_key else None


def _read_key(tools: Tools, path: Path) -> SecretKey:
    """The secret key in a file. Source of gpg's output format: GnuPG's doc/DETAILS."""
    if not path.is_file():
        raise WorkbookError(f"signing_key: {path}: no such file", hint="the path is relative to the checkout")
    binds = [Bind(path, "/mnt/key")]
    try:
        listing = tools.run(["gpg", "--batch", "--show-keys", "--with-colons", "/mnt/key"], binds=binds).stdout
        packets = tools.run(["gpg", "--batch", "--list-packets", "/mnt/key"], binds=binds).stdout
    except CommandError:
        listing, packets = "", ""
    rows = [line.split(":") for line in listing.splitlines()]
    secret = [row for row in rows if row[0] == "sec"]
    if len(secret) != 1 or "S" not in secret[0][11]:
        raise WorkbookError(
            f"signing_key: {path}: not one OpenPGP secret key that can sign",
            hint="write it with gpg --armor --export-secret-keys NAME",
        )
    if re.search(r"S2K|protected", packets):
        raise WorkbookError(
            f"signing_key: {path}: the key has a passphrase, which nobody can enter here",
            hint="remove it with gpg --change-passphrase NAME, and export the key again",
        )
    fingerprint = next(row[9] for row in rows if row[0] == "fpr")
    created = max(int(row[5]) for row in rows if row[0] in ("sec", "ssb"))
    return SecretKey(path.read_bytes(), fingerprint, created)
