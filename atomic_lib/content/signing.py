"""Signed RPM repositories, each with a key that is derived from the packages that it signs.

The same packages result in the same key and the same signatures, bit by bit, on every
machine. The key is not secret: anyone who has the packages can derive it. So a signature
only protects against damage and mix-ups, and exercises rpm and dnf in the same way as a
distribution's key. The authenticity of stand-in content rests on another signature, that
of the Debian archive: apt checks it before the packages are converted.
"""

import os
import tempfile
from pathlib import Path

from atomic_lib.base.store import file_sha256
from atomic_lib.content.keyring import open_keyring
from atomic_lib.formats.openpgp import KEY_CREATED_SECONDS, derive_key
from atomic_lib.tools.sandbox import Bind, Tools

KEY_FILE = "RPM-GPG-KEY"


def sign_and_index(tools: Tools, directory: Path, name: str, *, comps: Path | None = None) -> None:
    """Sign every RPM in ``directory``, index them, and sign the index. Writes the public key to ``RPM-GPG-KEY``.

    The secret key is in a temporary directory in ``directory`` meanwhile, so that the cleanup after a killed run
    removes it.
    """
    rpms = sorted(directory.glob("*.rpm"))
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        key = derive_key(tools, _signed_text(name, rpms), f"workbook {name} repository", Path(scratch))
        with open_keyring(tools, Path(scratch), key, KEY_CREATED_SECONDS) as keyring:
            (directory / KEY_FILE).write_text(keyring.public_key())
            signing = ["xargs", "-0", "-n", "40", "-P", "2", "rpmsign", "--define", f"_gpg_name {key.fingerprint}"]
            tools.run(
                [*signing, "--addsign"],
                binds=[keyring.bind, Bind(directory, "/mnt/repo", writable=True)],
                env=keyring.env,
                input="".join(f"/mnt/repo/{path.name}\0" for path in rpms),
                rights="root",
            )
            index_repository(tools, directory, comps=comps)
            keyring.sign(directory / "repodata/repomd.xml")


def _signed_text(name: str, rpms: list[Path]) -> str:
    """The text that the key is derived from: the repository's name, and the digest of each unsigned package."""
    lines = [f"{file_sha256(path)}  {path.name}\n" for path in rpms]
    return f"workbook signing key of repository {name}\n{''.join(lines)}"


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
