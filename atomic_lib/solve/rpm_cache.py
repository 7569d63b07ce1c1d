"""The RPM cache: RPM files by sha256, and the public keys that signed them.

The name of each file is its checksum, which is compared before every use. A file that differs is set aside, and its
content fetched again. Stores get copies, so that nothing done to a file of a store damages the cache.
"""

import hashlib
import os
import re
from pathlib import Path

from atomic_lib.base.files import copy_file, write_text
from atomic_lib.base.store import file_sha256, set_aside
from atomic_lib.content.repositories import Content
from atomic_lib.content.signing import KEY_FILE
from atomic_lib.formats.rpm_headers import read_headers
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.tools.sandbox import Bind, Tools

_ARMORED = re.compile(r"-----BEGIN PGP PUBLIC KEY BLOCK-----\n.*?-----END PGP PUBLIC KEY BLOCK-----\n", re.S)


def keep_rpms(lock: Lock, rpms: Path, cache: Path) -> None:
    """Add the RPMs in ``rpms`` that the cache lacks, or has damaged, to the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    missing = [package.sha256 for package in lock.packages if not cached_rpm(package, cache)]
    by_digest = {file_sha256(file): file for file in rpms.glob("*.rpm")} if missing else {}
    for sha256 in missing:
        copy_file(by_digest[sha256], cache / f"{sha256}.rpm")


def cached_rpm(package: LockedPackage, cache: Path) -> Path | None:
    """The package's file in the cache, or None; sets a damaged one aside."""
    kept = cache / f"{package.sha256}.rpm"
    return kept if _is_whole(kept, f"{package.nevra}: the cached RPM is damaged") else None


def _is_whole(kept: Path, what: str) -> bool:
    """Whether there is such a file in the cache, with the checksum in its name; sets a damaged one aside."""
    if not os.path.lexists(kept):
        return False
    if kept.is_file() and file_sha256(kept) == kept.stem:
        return True
    set_aside(kept, what)
    return False


def keep_imported_keys(tools: Tools, root: Path, cache: Path) -> None:
    """Add the public keys that dnf imported into ``root`` to the cache.

    It may have fetched them from an address, and a compose has no network.
    """
    words = ["rpm", "--root=/mnt/root", "-qa", "gpg-pubkey", "--qf", "%{DESCRIPTION}\n"]
    listing = tools.run(words, binds=[Bind(root, "/mnt/root")], rights="root").stdout
    for key in _ARMORED.findall(listing):
        write_text(cache / f"{hashlib.sha256(key.encode()).hexdigest()}.asc", key)


def keep_keys(tools: Tools, content: Content, rpms: Path, keys: Path, *, cache: Path) -> None:
    """Write the public keys that signed the RPMs in ``rpms`` to the new directory ``keys``, as ``KEYID.asc``.

    The cache also has the keys of older content, which the packages of an old lock need.
    """
    cache.mkdir(parents=True, exist_ok=True)
    for repository in content.local.values():  # one made here, or an RPM set
        for key in (*repository.glob(f"{KEY_FILE}*"), *repository.glob("keys/*.asc")):
            copy_file(key, cache / f"{file_sha256(key)}.asc")
    signers = {header.key_id for header in read_headers(tools, rpms).values()}
    keys.mkdir()
    whole = [kept for kept in sorted(cache.glob("*.asc")) if _is_whole(kept, "a cached public key is damaged")]
    for kept in whole:
        for key_id in signers & key_ids(tools, kept):
            copy_file(kept, keys / f"{key_id}.asc")


def key_ids(tools: Tools, key: Path) -> set[str]:
    """The ids (16 hex digits) of the keys in an OpenPGP file. Source of gpg's output format: GnuPG's doc/DETAILS."""
    listing = tools.run(["gpg", "--show-keys", "--with-colons", "/mnt/key"], binds=[Bind(key, "/mnt/key")]).stdout
    rows = [line.split(":") for line in listing.splitlines()]
    return {row[4].lower() for row in rows if row[0] in ("pub", "sub")}
