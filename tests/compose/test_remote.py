"""The remote that an image takes its updates from, and the key that signs them."""

import configparser
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.remote import KEY_FILE, REMOTE, REMOTE_FILE, add_remote, commit_key
from atomic_lib.formats.openpgp import SecretKey
from atomic_lib.params.variant import Variant, variant_from
from atomic_lib.tools.sandbox import Bind, Tools


def test_the_remote_takes_only_what_the_key_in_the_tree_has_signed(tmp_path: Path) -> None:
    tree = Installroot(Tools(tmp_path / "tools", "key"), tmp_path / "root", 0)
    tree.root.mkdir()
    add_remote(tree, "https://updates.example/repo", "the public key\n")
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.read(tree.root / REMOTE_FILE)
    (section,) = parsed.sections()
    assert section == f'remote "{REMOTE}"'
    assert dict(parsed[section]) == {
        "url": "https://updates.example/repo", "gpg-verify": "true", "gpgkeypath": f"/{KEY_FILE}"
    }  # fmt: skip
    assert (tree.root / KEY_FILE).read_text() == "the public key\n"
    assert (tmp_path / "root/etc/ostree/remotes.d").is_dir()


KEY = """\
sec:u:255:22:9E73E4FFB5110EB7:1795846058:::u:::scSC:::::ed25519:::0:
fpr:::::::::6F366EC0B4C397D1BADF0C149E73E4FFB5110EB7:
uid:u::::1795846058::FC0A40DB7BF1883A0E0D8ADF664D9AB026A0CD23::Own::::::::::0:
"""
PACKETS = """\
:secret key packet:
\tversion 4, algo 22, created 1795846058, expires 0
\tpkey[0]: [80 bits] ed25519 (1.3.6.1.4.1.11591.15.1)
\tpkey[1]: [263 bits]
\tskey[2]: [256 bits]
\tchecksum: 11bb
"""
LOCKED = PACKETS.replace(
    "\tskey[2]: [256 bits]\n\tchecksum: 11bb\n",
    "\titer+salt S2K, algo: 7, SHA1 protection, hash: 2, salt: 9EBDBC9A21C2E984\n\tskey[2]: [v4 protected]\n",
)
"""What GnuPG 2.4 says of an ed25519 key without and with a passphrase."""


@dataclass(frozen=True)
class SaidByGpg(Tools):
    """Tools whose gpg says what it is told to; with nothing to say it fails, as of a file that is no key."""

    listing: str
    packets: str

    def run(self, words: Sequence[str | os.PathLike[str]], **_: Any) -> command.Completed:
        said = self.listing if "--show-keys" in words else self.packets
        if not said:
            raise command.CommandError("gpg failed")
        return command.Completed(said, "")


def variant(file: Path) -> Variant:
    values = {"variant": "own", "method": "ostree", "recipe": "own", "agent": "cloud-init", "signing_key": str(file)}
    return variant_from(values)


def key_said_to_be(file: Path, listing: str, packets: str = PACKETS) -> SecretKey:
    file.write_text("the key\n")
    return commit_key(SaidByGpg(file.parent, "none", listing, packets), variant(file), "own/ref", file.parent)


def test_a_key_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    key = key_said_to_be(tmp_path / "own.asc", KEY)
    assert key == SecretKey(b"the key\n", "6F366EC0B4C397D1BADF0C149E73E4FFB5110EB7", 1795846058)


@pytest.mark.parametrize(
    ("listing", "packets", "said"),
    [
        (KEY, LOCKED, "the key has a passphrase"),
        (KEY, LOCKED.replace("\tskey[2]: [v4 protected]\n", ""), "the key has a passphrase"),
        (KEY, PACKETS.replace("skey[2]: [256 bits]", "skey[2]: [v4 protected]"), "the key has a passphrase"),
        (KEY.replace("sec:", "pub:"), PACKETS, "not one OpenPGP secret key that can sign"),
        (KEY.replace("scSC", "ceCE"), PACKETS, "not one OpenPGP secret key that can sign"),
        (KEY + KEY, PACKETS, "not one OpenPGP secret key that can sign"),
        ("", "", "not one OpenPGP secret key that can sign"),
    ],
    ids=["passphrase", "S2K alone", "protected alone", "public", "cannot sign", "two", "no key"],
)
def test_a_key_that_cannot_sign_alone_is_refused(tmp_path: Path, listing: str, packets: str, said: str) -> None:
    file = tmp_path / "own.asc"
    with pytest.raises(WorkbookError) as caught:
        key_said_to_be(file, listing, packets)
    assert caught.value.message.startswith(f"signing_key: {file}: {said}")
    assert "gpg --" in caught.value.hint


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "own.asc"
    with pytest.raises(WorkbookError, match="no such file"):
        commit_key(SaidByGpg(tmp_path, "none", KEY, PACKETS), variant(file), "own/ref", tmp_path)


@dataclass(frozen=True)
class HostTools(Tools):
    """Runs the programs of this host on the files themselves."""

    def run(
        self, words: Sequence[str | os.PathLike[str]], *, binds: Sequence[Bind] = (), **_: Any
    ) -> command.Completed:
        places = {bind.target: str(bind.source) for bind in binds}
        return command.run([places.get(str(word), word) for word in words], env={"GNUPGHOME": str(self.root)})


@pytest.mark.skipif(not shutil.which("gpg"), reason="no gpg on this host: sudo apt-get install gpg gpg-agent")
def test_a_real_key_is_taken_without_a_passphrase_and_refused_with_one(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:  # short, as it holds sockets
        env = {"GNUPGHOME": home}
        try:
            for name, phrase in (("open", ""), ("locked", "phrase")):
                gpg = ["gpg", "--batch", "--quiet", "--pinentry-mode=loopback", "--passphrase", phrase]
                command.run([*gpg, "--quick-generate-key", name, "ed25519", "sign", "never"], env=env)
                exported = command.run([*gpg, "--armor", "--export-secret-keys", name], env=env).stdout
                (tmp_path / f"{name}.asc").write_text(exported)
            tools = HostTools(Path(home), "host")
            key = commit_key(tools, variant(tmp_path / "open.asc"), "own/ref", tmp_path)
            assert key.secret == (tmp_path / "open.asc").read_bytes()
            with pytest.raises(WorkbookError, match="the key has a passphrase"):
                commit_key(tools, variant(tmp_path / "locked.asc"), "own/ref", tmp_path)
        finally:
            command.run(["gpgconf", "--kill", "all"], env=env)
