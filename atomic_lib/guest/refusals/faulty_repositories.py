"""Repositories of an update that a client must refuse: each a copy of the good one, in which one thing is wrong.

Source of the commands: ostree-commit(1), ostree-gpg-sign(1), ostree-refs(1); gpg(1), "--quick-set-expire".
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from atomic_lib.compose.update.download_prediction import objects_between
from atomic_lib.compose.update.update_repository import Version, write_summary
from atomic_lib.content.keyring import HOME, Keyring, open_keyring
from atomic_lib.formats.openpgp import SecretKey, derive_key
from atomic_lib.formats.ostree_objects import OstreeObject
from atomic_lib.tools.sandbox import Bind, Tools

RepositoryName = Literal["good", "unsigned", "other-key", "expiring-key", "tampered-commit", "tampered-file", "older",
                         "other-ref"]  # fmt: skip
_SERVED = "/mnt/served"
_DAY_SECONDS = 86_400
_LIFETIME = "1d"
_OTHER_REF = "other/ref"


@dataclass(frozen=True)
class SignedUpdate:
    """Two versions, and the good repository ``served``, which has both.

    ``key``: what both are signed with; ``epoch``: the date of both, in seconds since 1970.
    """

    before: Version
    after: Version
    served: Path
    key: SecretKey
    epoch: int


@dataclass(frozen=True)
class FaultyRepositories:
    """The repositories by name. ``expired`` and ``renewed``: a key that has expired a day after its signature, and the
    same key when its owner has renewed it, both public and armored."""

    paths: Mapping[RepositoryName, Path]
    expired: str
    renewed: str


def make_faulty_repositories(update: SignedUpdate, tools: Tools, directory: Path) -> FaultyRepositories:
    """Make all of them in ``directory``; secret keys are there while this runs."""
    other = derive_key(tools, "a key that no image trusts\n", "other key", directory)
    expiring = derive_key(tools, "a key that expires\n", "expiring key", directory)
    with (
        open_keyring(tools, directory, update.key, update.epoch) as own,
        open_keyring(tools, directory, other, update.epoch) as stranger,
        open_keyring(tools, directory, expiring, update.epoch) as old,
    ):
        makers: dict[RepositoryName, Callable[[_Copy], None]] = {
            "unsigned": lambda copy: copy.signature.unlink(),
            "other-key": lambda copy: copy.sign_again(stranger),
            "expiring-key": lambda copy: copy.sign_again(old),
            "tampered-commit": _tamper_with_commit,
            "tampered-file": _tamper_with_file,
            "older": lambda copy: _commit_older(copy, own),
            "other-ref": lambda copy: _commit_other_ref(copy, own),
        }
        paths: dict[RepositoryName, Path] = {"good": update.served}
        for name, make in makers.items():
            paths[name] = shutil.copytree(update.served, directory / name, copy_function=os.link)
            make(_Copy(update, tools, paths[name]))
            write_summary(tools, paths[name])
        renewed = old.public_key()
        words = ["gpg", "--batch", "--quick-set-expire", old.fingerprint, _LIFETIME]
        tools.run(words, binds=[old.bind], env=old.env)
        return FaultyRepositories(paths, old.public_key(), renewed)


@dataclass(frozen=True)
class _Copy:
    """A copy of the good repository, whose files are links to those of the good one: replaced, never written to."""

    update: SignedUpdate
    tools: Tools
    path: Path

    @property
    def signature(self) -> Path:
        """The file of version 2's signature."""
        return self.signature_of(self.update.after.commit)

    def signature_of(self, commit: str) -> Path:
        """The file of the signature of a commit."""
        return self.path / f"{OstreeObject('commit', commit).path()}meta"

    def sign_again(self, keyring: Keyring) -> None:
        """Sign version 2 with another key only."""
        self.signature.unlink()
        self.run("gpg-sign", f"--gpg-homedir={HOME}", self.update.after.commit, keyring.fingerprint, keyring=keyring)

    def commit(self, ref: str, epoch: int, keyring: Keyring | None = None) -> str:
        """Make another commit of version 2's files, signed if there is a key, which the updated ref then names."""
        sign = [f"--gpg-sign={keyring.fingerprint}", f"--gpg-homedir={HOME}"] if keyring else []
        after = self.update.after
        commit = self.run("commit", f"--branch={ref}", "--parent=none", f"--timestamp=@{epoch}", "--subject=other",
                          f"--tree=ref={after.commit}", "--disable-fsync", *sign, keyring=keyring)  # fmt: skip
        if ref != after.ref:
            self.run("refs", "--force", f"--create={after.ref}", commit)
        return commit

    def run(self, *words: str, keyring: Keyring | None = None) -> str:
        """Run ostree on the copy; ``keyring``: the key that it signs with."""
        binds = [Bind(self.path, _SERVED, writable=True), *([keyring.bind] if keyring else [])]
        line = ["ostree", words[0], f"--repo={_SERVED}", *words[1:]]
        return self.tools.run(line, binds=binds, rights="root", env=keyring.env if keyring else None).stdout.strip()


def _tamper_with_commit(copy: _Copy) -> None:
    """Another commit, with the signature of version 2."""
    commit = copy.commit(copy.update.after.ref, copy.update.epoch)
    shutil.copy(copy.signature, copy.signature_of(commit))


def _tamper_with_file(copy: _Copy) -> None:
    """The largest of the new files has the content of another one."""
    update = copy.update
    new = objects_between(copy.path, update.before.commit, update.after.commit)
    files = sorted((copy.path / one.path() for one in new if one.path().endswith(".filez")), key=_size)
    files[-1].unlink()
    shutil.copy(files[0], files[-1])


def _commit_older(copy: _Copy, own: Keyring) -> None:
    copy.commit(copy.update.after.ref, copy.update.epoch - _DAY_SECONDS, own)


def _commit_other_ref(copy: _Copy, own: Keyring) -> None:
    copy.commit(_OTHER_REF, copy.update.epoch, own)


def _size(path: Path) -> int:
    return path.stat().st_size
