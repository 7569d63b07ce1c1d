"""The remote that an image takes its updates from."""

import configparser
from pathlib import Path

from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.remote import KEY_FILE, REMOTE, REMOTE_FILE, add_remote
from atomic_lib.tools.sandbox import Tools


def test_the_remote_takes_only_what_the_key_in_the_tree_has_signed(tmp_path: Path) -> None:
    tree = Installroot(Tools(tmp_path / "tools", "key"), tmp_path / "root", 0)
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
