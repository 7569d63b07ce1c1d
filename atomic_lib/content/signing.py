"""Signed RPM repositories, each with a key that is derived from the repository's name.

So the same package has the same signature on every machine, bit by bit, whatever else is in the repository. The key is
not secret: anyone who knows the name can derive it. A signature only protects against damage and mix-ups, and exercises
rpm and dnf in the same way as a distribution's key. The authenticity of stand-in content rests on another signature,
that of the Debian archive: apt checks it before the packages are converted.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from atomic_lib.content.keyring import Keyring, open_keyring
from atomic_lib.formats.openpgp import KEY_CREATED_SECONDS, derive_key
from atomic_lib.tools.sandbox import Bind, Tools

KEY_FILE = "RPM-GPG-KEY"


def sign_and_index(tools: Tools, directory: Path, name: str, *, comps: Path | None = None) -> None:
    """Sign every RPM in ``directory``, index them, and sign the index. Writes the public key to ``RPM-GPG-KEY``."""
    sign_rpms(tools, directory, sorted(directory.glob("*.rpm")), name)
    index_and_sign(tools, directory, name, comps=comps)


def sign_rpms(tools: Tools, directory: Path, rpms: Iterable[Path], name: str) -> None:
    """Sign RPM files below ``directory`` with the key of the repository ``name``."""
    with _repository_keyring(tools, directory, name) as keyring:
        signing = ["xargs", "-0", "-n", "40", "-P", "2", "rpmsign", "--define", f"_gpg_name {keyring.fingerprint}"]
        tools.run(
            [*signing, "--addsign"],
            binds=[keyring.bind, Bind(directory, "/mnt/repo", writable=True)],
            env=keyring.env,
            input="".join(f"/mnt/repo/{path.relative_to(directory)}\0" for path in rpms),
            rights="root",
        )


def index_and_sign(tools: Tools, directory: Path, name: str, *, comps: Path | None = None) -> None:
    """Index the RPMs in ``directory``, sign the index, and write the public key of the repository ``name``."""
    with _repository_keyring(tools, directory, name) as keyring:
        (directory / KEY_FILE).write_text(keyring.public_key())
        index_repository(tools, directory, comps=comps)
        keyring.sign(directory / "repodata/repomd.xml")


@contextmanager
def _repository_keyring(tools: Tools, directory: Path, name: str) -> Iterator[Keyring]:
    """The key of a repository, in ``directory`` meanwhile: the cleanup after a killed run removes the secret."""
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        key = derive_key(tools, _key_text(name), f"workbook {name} repository", Path(scratch))
        with open_keyring(tools, Path(scratch), key, KEY_CREATED_SECONDS) as keyring:
            yield keyring


def _key_text(name: str) -> str:
    """The text that the key of a repository is derived from."""
    return f"workbook signing key of repository {name}\n"


def index_repository(tools: Tools, directory: Path, *, comps: Path | None = None) -> None:
    """Write ``repodata`` for the RPMs in ``directory``, with the package groups in the file ``comps``.

    All times, including those of the RPM files, are set to a constant, so that the same files give the same index.
    """
    for path in directory.glob("*.rpm"):
        os.utime(path, (KEY_CREATED_SECONDS, KEY_CREATED_SECONDS))
    binds = [Bind(directory, "/mnt/repo", writable=True)]
    words = ["createrepo_c", "--quiet", "--no-database", "--general-compress-type=gz",
             f"--revision={KEY_CREATED_SECONDS}", "--set-timestamp-to-revision"]  # fmt: skip
    if comps:
        binds.append(Bind(comps, "/mnt/comps.xml"))
        words += ["--groupfile", "/mnt/comps.xml"]
    tools.run([*words, "/mnt/repo"], binds=binds, rights="root")
