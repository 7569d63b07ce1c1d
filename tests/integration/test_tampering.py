"""What was changed after it was signed or locked is refused, each time with a message that says what it was.

Small things made on the spot, with the real dnf, rpm, gpg and ostree; no root file system, no guest.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store
from atomic_lib.compose.commit.ostree_commit import commit_tree
from atomic_lib.compose.remote import KEY_FILE, REMOTE, commit_key, remote_configuration
from atomic_lib.content.keyring import open_keyring
from atomic_lib.content.repositories import Content, local_repository
from atomic_lib.content.signing import KEY_FILE as KEY_NAME
from atomic_lib.content.signing import index_repository, sign_and_index
from atomic_lib.formats.openpgp import derive_key
from atomic_lib.params.variant import Variant, variant_from
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.lock import Lock, LockedPackage, write_lock
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.tiny import make_rpm
from tests.integration.web import web_server

pytestmark = pytest.mark.integration

REF = "own/ref"
EPOCH = 1735689600
LOCK = Lock("tiny", (LockedPackage("one", 0, "1", "1", "noarch", "0" * 64, 1, "tiny"),))
TRUSTED = "/mnt/etc/trusted.asc"
RECIPE = Recipe(files=(Path("tiny.yaml"),), packages=("one",))
VARIANT = variant_from({"variant": "own", "method": "ostree", "recipe": "own", "agent": "cloud-init"})


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture(scope="module")
def made(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed repository of two tiny packages."""
    directory = tmp_path_factory.mktemp("made")
    for name in ("one", "two"):
        make_rpm(tools, directory, name)
    comps = tmp_path_factory.mktemp("comps") / "comps.xml"
    comps.write_text("<comps/>\n")
    sign_and_index(tools, directory, "tiny", comps=comps)
    return directory


@pytest.fixture
def tiny(made: Path, tmp_path: Path) -> Path:
    """A copy of the repository, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "tiny"))


def resolved(tools: Tools, repository: Path, lock_file: Path | None = None) -> RpmSet:
    content = Content(
        name="tiny", title="Tiny", key="k", releasever="1", kernel_arguments="", selinux_policy="none",
        repo_text=local_repository("tiny"), local={"tiny": repository}, remote=False, dnf_cache=None,
    )  # fmt: skip
    work = repository.parent
    context = Context(tools, work / "cache", Store(work / "store"))
    return resolve_rpm_set(RECIPE, content, context, name="test", lock_file=lock_file)


def refused(tools: Tools, repository: Path, lock_file: Path | None = None) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        resolved(tools, repository, lock_file)
    return caught.value


def flip(path: Path, offset: int) -> None:
    """Change one bit of a file, and make it a file of its own first: it may be a link to one that is kept."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.unlink()
    path.write_bytes(data)


def test_a_repository_as_it_was_signed_is_taken(tools: Tools, tiny: Path) -> None:
    assert [package.name for package in resolved(tools, tiny).lock.packages] == ["one"]


def test_a_changed_package_is_refused_by_name(tools: Tools, tiny: Path) -> None:
    flip(tiny / "one-1-1.noarch.rpm", -20)
    error = refused(tools, tiny)
    assert error.message == "repository 'tiny': package one-1-1.noarch is not the file that the signed index names"
    assert f"remove {tiny}" in error.hint


def test_a_package_without_signature_is_refused_by_name_though_the_index_has_one(tools: Tools, tmp_path: Path) -> None:
    repository = make_rpm(tools, tmp_path / "tiny", "one").parent
    index_repository(tools, repository)
    with open_keyring(tools, tmp_path, derive_key(tools, "one", "one", tmp_path), EPOCH) as keyring:
        keyring.sign(repository / "repodata/repomd.xml")
        (repository / KEY_NAME).write_text(keyring.public_key())
    assert refused(tools, repository).message.endswith("Package one-1-1.noarch.rpm is not signed")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda index: flip(index / "repomd.xml", -3), "does not match its signature"),
        (lambda index: (index / "repomd.xml.asc").unlink(), "has no signature"),
        (lambda index: flip(next(index.glob("*primary*")), 40), "has a part that is not what"),
        (lambda index: flip(next(index.glob("*comps*")), 20), "has a part that is not what"),
    ],
    ids=["list", "signature", "primary", "groups"],
)
def test_a_changed_index_is_refused(tools: Tools, tiny: Path, change: Callable[[Path], None], problem: str) -> None:
    change(tiny / "repodata")
    error = refused(tools, tiny)
    assert error.message.startswith(f"repository 'tiny': its index (repodata) {problem}")
    assert f"remove {tiny}" in error.hint


def test_an_index_of_another_key_is_refused(tools: Tools, tiny: Path, tmp_path: Path) -> None:
    key = derive_key(tools, "another", "another", tmp_path)
    with open_keyring(tools, tmp_path, key, EPOCH) as keyring:
        keyring.sign(tiny / "repodata/repomd.xml")
    assert "does not match its signature" in refused(tools, tiny).message


def test_a_changed_lock_is_refused(tools: Tools, tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    write_lock(resolved(tools, tiny).lock, path)
    path.write_text(path.read_text().replace('"version": "1"', '"version": "2"'))
    assert refused(tools, tiny, path).message.startswith(f"{path}: its packages do not match its own sha256")


@dataclass(frozen=True)
class Served:
    """A repository of one signed commit, and a client that has just the remote of an image for it."""

    tools: Tools
    directory: Path

    def ostree(self, *words: str) -> str:
        """Run ostree as a client whose /etc has the remote's key."""
        binds = [Bind(self.directory, "/mnt/served", writable=True), Bind(self.directory / "trusted.asc", TRUSTED)]
        return self.tools.run(["ostree", *words], binds=binds, rights="label", network=True).stdout.strip()

    def put_on_the_web(self, address: str) -> None:
        """Copy the repository to one in the form of web servers, and have the client take it from there."""
        self.ostree("init", "--repo=/mnt/served/web", "--mode=archive")
        self.ostree("pull-local", "--repo=/mnt/served/web", "/mnt/served/repo")
        config = self.directory / "client/config"
        config.write_text(config.read_text().replace("file:///mnt/served/repo", address))

    def pull(self) -> str:
        """Pull the ref as an upgrade does; returns the commit it is now."""
        self.ostree("pull", "--repo=/mnt/served/client", REMOTE, REF)
        return self.ostree("rev-parse", "--repo=/mnt/served/client", f"{REMOTE}:{REF}")

    def refusal(self) -> str:
        """What ostree says when it refuses to pull."""
        with pytest.raises(CommandError) as caught:
            self.pull()
        return caught.value.stderr

    def object_file(self, kind: str) -> Path:
        """The one file of the repository that ends so."""
        (path,) = self.directory.glob(f"[rw]e[pb]*/objects/*/*.{kind}")
        return path


def make_commit(tools: Tools, directory: Path, variant: Variant, text: str, key_ref: str = REF) -> str:
    """One small signed commit in ``directory/repo``, its public key in ``directory/key.asc``."""
    shutil.rmtree(directory / "repo", ignore_errors=True)
    kernel = directory / "root/usr/lib/modules/1/vmlinuz"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(text)
    key = commit_key(tools, variant, key_ref, directory)
    with open_keyring(tools, directory, key, EPOCH) as keyring:
        (directory / "key.asc").write_text(keyring.public_key())
        commit = commit_tree(keyring, directory / "root", directory / "repo", LOCK, ref=REF, version="1", epoch=EPOCH)
    shutil.rmtree(directory / "root", ignore_errors=True)
    return commit


def serve(tools: Tools, directory: Path, variant: Variant = VARIANT) -> tuple[Served, str]:
    """A first commit, and a client that trusts the key of it."""
    commit = make_commit(tools, directory, variant, "first")
    shutil.copyfile(directory / "key.asc", directory / "trusted.asc")
    served = Served(tools, directory)
    served.ostree("init", "--repo=/mnt/served/client", "--mode=bare")
    with open(directory / "client/config", "a") as file:
        file.write(remote_configuration("file:///mnt/served/repo").replace(f"/{KEY_FILE}", TRUSTED))
    return served, commit


def own_key(tools: Tools, directory: Path, kind: str = "secret") -> tuple[Variant, bytes]:
    """A variant with a key file made by gpg, as its documentation says, and the octets that must stay secret."""
    directory.mkdir(exist_ok=True)
    (directory / "gpg-agent.conf").write_text("s2k-count 65536\n")  # else it measures how many the machine can do
    binds, env = [Bind(directory, "/mnt/keys", writable=True)], {"GNUPGHOME": "/mnt/keys"}
    phrase = ["--batch", "--pinentry-mode=loopback", "--passphrase", "phrase" if kind == "locked" else ""]
    tools.run(["gpg", *phrase, "--quick-generate-key", "Own", "ed25519", "sign", "never"], binds=binds, env=env)
    export = "--export" if kind == "public" else "--export-secret-keys"
    file = directory / "own.asc"
    if kind != "missing":
        file.write_text(tools.run(["gpg", *phrase, "--armor", export, "Own"], binds=binds, env=env).stdout)
    (stored,) = (directory / "private-keys-v1.d").glob("*.key")
    secret = re.search(rb"\(d #([0-9A-F]+)#", stored.read_bytes())
    return VARIANT.model_copy(update={"signing_key": str(file)}), bytes.fromhex(secret[1].decode()) if secret else b"?"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a web server on this machine alone, for what is in ``tmp_path``."""
    with web_server(tmp_path) as address:
        yield address


def test_a_commit_as_it_was_signed_is_taken_and_so_is_the_next(tools: Tools, tmp_path: Path) -> None:
    served, commit = serve(tools, tmp_path)
    assert served.pull() == commit
    second = make_commit(tools, tmp_path, VARIANT, "second")
    assert served.pull() == second != commit


def test_a_commit_and_its_signature_repeat_to_the_byte(tools: Tools, tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        commit = make_commit(tools, tmp_path / name, VARIANT, "first")
        found.append((commit, Served(tools, tmp_path / name).object_file("commitmeta").read_bytes()))
    assert found[0] == found[1]


def test_a_commit_without_signature_is_refused(tools: Tools, tmp_path: Path) -> None:
    served, commit = serve(tools, tmp_path)
    served.object_file("commitmeta").unlink()
    said = served.refusal()
    assert "no signatures found" in said
    assert commit in said


def test_a_commit_of_another_key_is_refused(tools: Tools, tmp_path: Path) -> None:
    served, _ = serve(tools, tmp_path)
    make_commit(tools, tmp_path, VARIANT, "second", key_ref="another/ref")
    assert "public key not found" in served.refusal()


def test_a_changed_commit_is_refused(tools: Tools, tmp_path: Path) -> None:
    served, commit = serve(tools, tmp_path)
    flip(served.object_file("commit"), -1)
    assert commit in served.refusal()


def test_a_changed_file_of_a_commit_is_named(tools: Tools, tmp_path: Path) -> None:
    served, _ = serve(tools, tmp_path)
    served.object_file("file").write_text("wrong")
    with pytest.raises(CommandError) as caught:
        served.ostree("fsck", "--repo=/mnt/served/repo")
    assert served.object_file("file").stem in caught.value.stderr


def test_a_changed_file_of_a_commit_is_refused_over_a_network(tools: Tools, tmp_path: Path, web: str) -> None:
    served, commit = serve(tools, tmp_path)
    served.put_on_the_web(f"{web}/web")
    assert served.pull() == commit
    shutil.rmtree(tmp_path / "web")
    make_commit(tools, tmp_path, VARIANT, "second")
    served.put_on_the_web(f"{web}/web")
    changed = served.object_file("filez")
    flip(changed, -2)
    assert changed.stem in served.refusal()


def test_a_key_of_ones_own_signs_and_leaves_nothing_of_itself(tools: Tools, tmp_path: Path) -> None:
    variant, secret = own_key(tools, tmp_path / "keys")
    (tmp_path / "work").mkdir()
    served, commit = serve(tools, tmp_path / "work", variant)
    assert served.pull() == commit
    files = [path for path in (tmp_path / "work").rglob("*") if path.is_file()]
    assert not any(b"PRIVATE KEY" in path.read_bytes() or secret in path.read_bytes() for path in files)


@pytest.mark.parametrize("kind", ["missing", "public", "locked"])
def test_a_key_that_cannot_sign_is_refused(tools: Tools, tmp_path: Path, kind: str) -> None:
    problems = {"missing": "no such file", "public": "not one OpenPGP secret key", "locked": "has a passphrase"}
    variant, _ = own_key(tools, tmp_path, kind)
    with pytest.raises(WorkbookError, match=problems[kind]) as caught:
        commit_key(tools, variant, REF, tmp_path)
    assert caught.value.message.startswith(f"signing_key: {variant.signing_key}: ")
