"""The RPM cache: RPM files by sha256, and the public keys that signed them."""

from pathlib import Path

from atomic_lib.base.files import link_file
from atomic_lib.base.store import file_sha256
from atomic_lib.content.repositories import Content
from atomic_lib.content.signing import KEY_FILE
from atomic_lib.formats.rpm_headers import read_headers
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.tools.sandbox import Bind, Tools


def keep_rpms(lock: Lock, rpms: Path, cache: Path) -> None:
    """Add the RPMs in ``rpms`` to the cache, and link those that it has; replaces damaged files in the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    by_digest = {file_sha256(file): file for file in rpms.glob("*.rpm")}
    for package in lock.packages:
        file, kept = by_digest[package.sha256], cache / f"{package.sha256}.rpm"
        if is_kept(package, cache):
            if not kept.samefile(file):
                link_file(kept, file)
        else:
            link_file(file, kept)


def is_kept(package: LockedPackage, cache: Path) -> bool:
    """Whether the cache has the package's file, undamaged."""
    kept = cache / f"{package.sha256}.rpm"
    return kept.is_file() and file_sha256(kept) == package.sha256


def keep_keys(tools: Tools, content: Content, rpms: Path, keys: Path, *, cache: Path) -> None:
    """Write the public keys that signed the RPMs in ``rpms`` to the new directory ``keys``, as ``KEYID.asc``.

    The cache also has the keys of older content, which the packages of an old lock need.
    """
    cache.mkdir(parents=True, exist_ok=True)
    for repository in content.local.values():
        key = repository / KEY_FILE
        link_file(key, cache / f"{file_sha256(key)}.asc")
    signers = {header.key_id for header in read_headers(tools, rpms).values()}
    keys.mkdir()
    for kept in sorted(cache.glob("*.asc")):
        for key_id in signers & key_ids(tools, kept):
            link_file(kept, keys / f"{key_id}.asc")


def key_ids(tools: Tools, key: Path) -> set[str]:
    """The ids (16 hex digits) of the keys in an OpenPGP file. Source of gpg's output format: GnuPG's doc/DETAILS."""
    listing = tools.run(["gpg", "--show-keys", "--with-colons", "/mnt/key"], binds=[Bind(key, "/mnt/key")]).stdout
    rows = [line.split(":") for line in listing.splitlines()]
    return {row[4].lower() for row in rows if row[0] in ("pub", "sub")}
