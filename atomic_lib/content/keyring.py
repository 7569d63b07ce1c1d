"""A GnuPG home for as long as something is signed, with a clock that stands still."""

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
    """One secret key, imported, in the directory ``home``."""

    tools: Tools
    home: Path
    fingerprint: str

    @property
    def bind(self) -> Bind:
        """What a command that signs must see, with ``env``."""
        return Bind(self.home, HOME, writable=True)

    @property
    def env(self) -> dict[str, str]:
        """The environment that leads gpg, and whoever calls it, to the key."""
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
    """A keyring with one secret key, which signs at ``time_seconds``, so that signatures repeat to the byte.

    A key that was not there at that time signs as soon as it was. The keyring is a
    directory in ``directory``, a result in the making, so that what a killed run leaves
    of the secret goes with the rest.
    """
    with tempfile.TemporaryDirectory(dir=directory) as home:
        (Path(home) / "gpg.conf").write_text(f"faked-system-time {max(time_seconds, key.created_seconds)}!\n")
        words = ["gpg", "--batch", "--quiet", "--import"]
        tools.run(words, binds=[Bind(Path(home), HOME, writable=True)], env=_ENV, input=key.secret)
        yield Keyring(tools, Path(home), key.fingerprint)
