"""Signed RPM repositories: a key made for one repository, used once, its private half discarded."""

import tempfile
from pathlib import Path

from atomic_lib.host import Bind, Tools

KEY_FILE = "RPM-GPG-KEY"
_KEY = """\
%no-protection
Key-Type: RSA
Key-Length: 3072
Key-Usage: sign
Name-Real: workbook {name} repository
Expire-Date: 0
%commit
"""


def sign_and_index(tools: Tools, directory: Path, name: str, *, comps: Path | None = None) -> None:
    """Sign every RPM in ``directory``, put the public key beside them (``RPM-GPG-KEY``), write the repository index.

    The private key lives in a directory of the result in the making for as long as the
    signing takes, so that what a killed run leaves of it goes with the rest.
    """
    with tempfile.TemporaryDirectory(dir=directory) as home:
        binds = [Bind(Path(home), "/mnt/gnupg", writable=True), Bind(directory, "/mnt/repo", writable=True)]
        env = {"GNUPGHOME": "/mnt/gnupg"}
        tools.run(["gpg", "--batch", "--gen-key"], binds=binds, env=env, input=_KEY.format(name=name))
        tools.run(["gpg", "--batch", "--armor", "--output", f"/mnt/repo/{KEY_FILE}", "--export"], binds=binds, env=env)
        names = "".join(f"/mnt/repo/{path.name}\0" for path in sorted(directory.glob("*.rpm")))
        signing = ["xargs", "-0", "-n", "40", "-P", "2", "rpmsign", "--define", f"_gpg_name workbook {name} repository"]
        tools.run([*signing, "--addsign"], binds=binds, env=env, input=names, rights="root")
    index_repository(tools, directory, comps=comps)


def index_repository(tools: Tools, directory: Path, *, comps: Path | None = None) -> None:
    """Write ``repodata`` for the RPMs in ``directory``, with the package groups of ``comps``."""
    binds = [Bind(directory, "/mnt/repo", writable=True)]
    words = ["createrepo_c", "--quiet", "--no-database", "--general-compress-type=gz"]
    if comps:
        binds.append(Bind(comps, "/mnt/comps.xml"))
        words += ["--groupfile", "/mnt/comps.xml"]
    tools.run([*words, "/mnt/repo"], binds=binds, rights="root")
