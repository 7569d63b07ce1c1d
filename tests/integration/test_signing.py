"""Keys that follow from a repository's name, with the real gpg, rpm and createrepo_c: the same bytes each time."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import file_sha256
from atomic_lib.content.signing import KEY_FILE, _key_text, index_repository, sign_and_index
from atomic_lib.formats.openpgp import SecretKey, derive_key
from atomic_lib.solve.rpm_cache import key_ids
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.secrets import files_with, secret_forms
from tests.integration.tiny import make_rpm

pytestmark = pytest.mark.integration

USER = "workbook test repository"


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture
def caller() -> Iterator[None]:
    """An umask that lets nobody else read, and another time zone."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def derived(tools: Tools, text: str, scratch: Path) -> SecretKey:
    scratch.mkdir(exist_ok=True)
    return derive_key(tools, text, USER, scratch)


def signed(tools: Tools, directory: Path, names: tuple[str, ...] = ("one", "two")) -> dict[str, str]:
    """A repository of tiny packages; the digest of each of its files."""
    for name in names:
        make_rpm(tools, directory, name)
    sign_and_index(tools, directory, "test")
    return {str(path.relative_to(directory)): file_sha256(path) for path in directory.rglob("*") if path.is_file()}


def test_a_text_gives_one_key_and_another_text_another(tools: Tools, tmp_path: Path) -> None:
    first, again, other = (
        derived(tools, text, tmp_path / f"scratch-{index}") for index, text in enumerate(("one", "one", "two"))
    )
    assert first == again
    assert len({first.fingerprint, other.fingerprint}) == len({first.secret, other.secret}) == 2
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# The sha256 of the second text begins with a zero octet, which an integer in OpenPGP does not have.
@pytest.mark.parametrize("text", ["one", "seed 394"])
def test_gpg_takes_the_key_with_its_own_certification(tools: Tools, tmp_path: Path, text: str) -> None:
    key = derived(tools, text, tmp_path)
    (tmp_path / "key").write_bytes(key.secret)
    words = ["gpg", "--with-colons", "--fingerprint", "--check-signatures"]
    binds = [Bind(tmp_path, "/mnt/key", writable=True)]
    env = {"GNUPGHOME": "/mnt/key"}
    tools.run(["gpg", "--batch", "--import", "/mnt/key/key"], binds=binds, env=env)
    rows = [line.split(":") for line in tools.run(words, binds=binds, env=env).stdout.splitlines()]
    assert [row[9] for row in rows if row[0] == "fpr"] == [key.fingerprint.upper()]
    # "!": the certification was checked and is good (GnuPG's doc/DETAILS, field 2 of sig records)
    assert [(row[1], row[10]) for row in rows if row[0] == "sig"] == [("!", "13x")]


def test_a_repository_signed_twice_has_the_same_bytes(tools: Tools, tmp_path: Path, caller: None) -> None:
    first = signed(tools, tmp_path / "first")
    os.umask(0o022)
    again = signed(tools, tmp_path / "somewhere/else", ("two", "one"))
    assert first == again
    assert {KEY_FILE, "repodata/repomd.xml", "repodata/repomd.xml.asc", "one-1-1.noarch.rpm"} < set(first)


def test_a_package_has_the_same_signature_whatever_else_the_repository_has(tools: Tools, tmp_path: Path) -> None:
    alone, with_another = signed(tools, tmp_path / "a", ("one",)), signed(tools, tmp_path / "b", ("one", "two"))
    for name in (KEY_FILE, "one-1-1.noarch.rpm"):
        assert alone[name] == with_another[name]


def test_each_repository_has_a_key_of_its_own(tools: Tools, tmp_path: Path) -> None:
    one = signed(tools, tmp_path / "a", ("one",))[KEY_FILE]
    sign_and_index(tools, tmp_path / "a", "other")
    assert file_sha256(tmp_path / "a" / KEY_FILE) != one


def test_no_secret_is_left(tools: Tools, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    text = _key_text("test")
    forms = secret_forms(hashlib.sha256(text.encode()).digest())
    key = derived(tools, text, tmp_path / "scratch")
    assert forms[0] in key.secret
    files = [repository / name for name in signed(tools, repository)]
    assert key_ids(tools, repository / KEY_FILE) == {key.fingerprint[-16:]}
    assert files_with(forms, tmp_path) == []
    assert not any(re.search(r"secret|private|gnupg|tmp", str(file.relative_to(tmp_path))) for file in files)


def test_rpm_takes_the_signatures(tools: Tools, tmp_path: Path) -> None:
    signed(tools, tmp_path)
    program = "rpmkeys --define '_dbpath /tmp/db' --import /mnt/r/RPM-GPG-KEY && rpmkeys --define '_dbpath /tmp/db' -K"
    checked = tools.run(["sh", "-c", f"{program} /mnt/r/*.rpm"], binds=[Bind(tmp_path, "/mnt/r")]).stdout
    assert checked.splitlines() == [f"/mnt/r/{name}-1-1.noarch.rpm: digests signatures OK" for name in ("one", "two")]


def test_an_index_does_not_depend_on_when_its_files_were_written(tools: Tools, tmp_path: Path) -> None:
    for name, seconds in (("a", 100), ("b", 2_000_000_000)):
        os.utime(make_rpm(tools, tmp_path / name, "one"), (seconds, seconds))
        index_repository(tools, tmp_path / name)
    assert (tmp_path / "a/repodata/repomd.xml").read_bytes() == (tmp_path / "b/repodata/repomd.xml").read_bytes()
