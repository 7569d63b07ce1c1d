"""A temporary GnuPG home for signing, with a fixed clock."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.formats.openpgp import SecretKey
from atomic_lib.tools.sandbox import Bind, Tools

HOME = "/mnt/gnupg"
_ENV = {"GNUPGHOME": HOME}


@dataclass(frozen=True)
class Keyring:
    """A GnuPG home (``home``) with one secret key."""

    tools: Tools
    home: Path
    fingerprint: str

    @property
    def bind(self) -> Bind:
        """The bind that a command needs to sign; it also needs ``env``."""
        return Bind(self.home, HOME, writable=True)

    @property
    def env(self) -> dict[str, str]:
        """The environment in which gpg finds the key."""
        return dict(_ENV)

    def public_key(self) -> str:
        """The public key, armored."""
        return self._gpg(["--armor", "--export", self.fingerprint])

    def sign(self, path: Path) -> None:
        """Write the armored signature of a file beside it, as ``NAME.asc``."""
        signature = self._gpg(
            ["--armor", "--local-user", self.fingerprint, "--detach-sign", "--output", "-", "/mnt/file"],
            Bind(path, "/mnt/file"),
        )
        path.with_name(f"{path.name}.asc").write_text(signature)

    def _gpg(self, words: list[str], *binds: Bind) -> str:
        return self.tools.run(["gpg", "--batch", *words], binds=[self.bind, *binds], env=self.env).stdout


@contextmanager
def open_keyring(tools: Tools, directory: Path, key: SecretKey, time_seconds: int) -> Iterator[Keyring]:
    """A keyring with one secret key, removed after the block.

    All signatures are dated ``time_seconds`` (since 1970), or the creation of the key if that
    is later, so that they are reproducible. The keyring is in a temporary directory in
    ``directory``: if that is a stage's directory, the cleanup after a killed run removes the secret.
    """
    with tempfile.TemporaryDirectory(dir=directory) as home:
        (Path(home) / "gpg.conf").write_text(f"faked-system-time {max(time_seconds, key.created_seconds)}!\n")
        words = ["gpg", "--batch", "--quiet", "--import"]
        tools.run(words, binds=[Bind(Path(home), HOME, writable=True)], env=_ENV, input=key.secret)
        yield Keyring(tools, Path(home), key.fingerprint)
