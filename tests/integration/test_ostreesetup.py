"""A kickstart with ostreesetup, for real: a commit is pulled, deployed and configured; small trees, no guest."""

import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store
from atomic_lib.compose.pulled import ostree_remote
from atomic_lib.params.variant import variant_from
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.verify.verify import verify_variant
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.commits import EPOCH, REF, MadeCommit, archive_of, make_commit
from tests.integration.disk import DiskReader
from tests.integration.web import web_server

pytestmark = pytest.mark.integration

KICKSTART = """\
selinux --disabled
services --enabled=own,absent
user --name=none
network --hostname=own.example
firewall --disabled
part / --size=1024 --fstype=xfs
bootloader --append="console=ttyS0 own"
ostreesetup {nogpg} --osname=own-os --remote=own-remote --url={url} --ref={ref}
%post --erroronfail
set -eu
sed -i s/1000/1001/ /etc/passwd
cat /etc/ostree/remotes.d/own-remote.conf >/etc/remotes-seen
ls /sysroot/ostree/repo/refs/remotes/own-remote >/etc/refs-seen
echo kept >/var/home/kept
echo kept >/boot/kept
for path in /usr/new /new /sysroot/ostree/repo/objects/new /sysroot/ostree/deploy/new /boot/ostree/new; do
    ! touch $path 2>/dev/null || echo $path >>/etc/written
done
! dd bs=1M if=/dev/zero of=/var/tmp/zeros || echo endless >>/etc/written
ls -s /var/tmp/zeros >/etc/zeros
rm -f /var/tmp/zeros
! dd bs=1M if=/dev/zero of=/var/zeros || exit 1
size=$(ls -s /var/zeros)
rm -f /var/zeros
echo $size >/etc/more
%end
"""

REAL = Path(__file__).parents[2].parent / "shared/data/spin-kickstarts/fedora-cloud-atomic.ks"


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture(scope="module")
def made(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> MadeCommit:
    """A signed commit, which no test changes."""
    return make_commit(tools, tmp_path_factory.mktemp("made"))


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a web server on this machine alone, for what is in ``tmp_path``."""
    with web_server(tmp_path) as address:
        yield address


def build_of(tools: Tools, directory: Path, url: str, *, nogpg: bool = True, **parameters: object) -> Build:
    """The build of the kickstart in ``directory``, with a store of its own there."""
    directory.mkdir(exist_ok=True)
    path = directory / "own.ks"
    path.write_text(KICKSTART.format(nogpg="--nogpg" if nogpg else "", url=url, ref=REF))
    values: Mapping[str, object] = {
        "variant": "own", "method": "ostree", "recipe": "own", "recipe_file": str(path), "agent": "credentials",
        "data_source": "credentials", "runtime": "none", "source_date_epoch": EPOCH, **parameters,
    }  # fmt: skip
    return Build(variant_from(values), Context(tools, directory / "cache", Store(directory / "store")))


def refusal(build: Build) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        _ = build.rpm_set
    assert list((build.context.store.root / "tmp").glob("*")) == []
    return caught.value


@pytest.fixture(scope="module")
def built(tools: Tools, made: MadeCommit, tmp_path_factory: pytest.TempPathFactory) -> Build:
    build = build_of(tools, tmp_path_factory.mktemp("built"), made.repo.as_uri())
    assert build.image.qcow2.exists()
    return build


@pytest.fixture(scope="module")
def disk(built: Build) -> DiskReader:
    return DiskReader(built.context.tools, built.image.raw_disk(built.context))


@pytest.fixture
def deployment(made: MadeCommit) -> str:
    return f"/ostree/deploy/own-os/deploy/{made.commit}.0"


def test_what_is_known_of_the_packages_is_in_the_commits_own_database(built: Build, made: MadeCommit) -> None:
    assert [package.nevra for package in built.rpm_set.lock.packages] == ["one-0:1-1.noarch"]
    assert built.rpm_set.lock.commit == built.tree.commit == made.commit
    assert built.tree.owners()["/usr/share/one"] == ["one"]
    assert built.sizes["one"][1] == 1
    assert {"/usr/etc/passwd", "/usr/lib/modules/1/vmlinuz"} <= {entry.path for entry in built.tree.entries()}
    assert built.chains == {}
    with pytest.raises(WorkbookError, match="the packages are those of a commit"):
        built.without(["one"])


def test_the_image_has_the_commit_itself_under_the_kickstarts_names(
    built: Build, disk: DiskReader, deployment: str, made: MadeCommit
) -> None:
    assert f"/ostree/repo/objects/{made.commit[:2]}/{made.commit[2:]}.commit" in disk.listing
    assert disk.text(f"/ostree/repo/refs/remotes/own-remote/{REF}") == f"{made.commit}\n"
    assert f"refspec=own-remote:{REF}" in disk.text(f"{deployment}.origin")
    (entry,) = (path for path in disk.listing if re.fullmatch(r"/boot/loader\.\d/entries/.*\.conf", path))
    assert "console=ttyS0 own" in disk.text(entry)
    assert built.tree.contexts.exists() is False


def test_its_settings_and_scripts_change_only_what_a_machine_keeps(
    disk: DiskReader, deployment: str, made: MadeCommit
) -> None:
    remote = f'[remote "own-remote"]\nurl={made.repo.as_uri()}\ngpg-verify=false\n'
    assert disk.text(f"{deployment}/etc/ostree/remotes.d/own-remote.conf") == remote
    assert disk.text(f"{deployment}/etc/remotes-seen") == remote
    assert disk.text(f"{deployment}/etc/refs-seen") == "own\n"
    assert disk.text(f"{deployment}/etc/passwd").splitlines()[1:] == ["none:x:1001:1000::/home/none:/bin/sh"]
    assert disk.text(f"{deployment}/usr/etc/passwd") == "root:x:0:0:root:/root:/bin/sh\n"
    assert disk.text(f"{deployment}/etc/hostname") == "own.example\n"
    assert disk.text(f"{deployment}/etc/systemctl") == "enable -- own.service\nenable -- absent.service\n"
    assert disk.text(f"{deployment}/etc/shadow").startswith("root:!x")
    assert disk.text("/ostree/deploy/own-os/var/home/kept") == disk.text("/boot/kept") == "kept\n"
    assert f"{deployment}/etc/written" not in disk.listing
    blocks = int(disk.text(f"{deployment}/etc/zeros").split()[0])
    assert 200 << 10 < blocks <= 256 << 10
    assert int(disk.text(f"{deployment}/etc/more").split()[0]) <= 2 << 20
    assert not any("zeros" in path for path in disk.listing if path != f"{deployment}/etc/zeros")


def test_the_same_again_from_another_place_is_the_same_disk(
    tools: Tools, built: Build, made: MadeCommit, tmp_path: Path
) -> None:
    shutil.copytree(made.repo, tmp_path / "else where", symlinks=True)
    again = build_of(tools, tmp_path / "again", made.repo.as_uri(), ostree_url=(tmp_path / "else where").as_uri())
    assert again.image.sha256 == built.image.sha256
    assert again.image.key == built.image.key


def test_over_http_a_signed_commit_is_taken_with_its_key(
    tools: Tools, made: MadeCommit, tmp_path: Path, web: str
) -> None:
    archive_of(tools, made.repo, tmp_path / "web")
    build = build_of(tools, tmp_path / "own", f"{web}/web", nogpg=False, ostree_key=str(made.key))
    assert build.rpm_set.lock.commit == made.commit
    assert not build.rpm_set.reused


def test_a_signature_is_checked_unless_the_kickstart_says_nogpg(tools: Tools, made: MadeCommit, tmp_path: Path) -> None:
    url = made.repo.as_uri()
    no_key = refusal(build_of(tools, tmp_path / "a", url, nogpg=False))
    assert no_key.message.endswith("the commit must be signed, but no key is known that may have signed it")
    assert no_key.message.startswith(f"{tmp_path}/a/own.ks:8: ostreesetup without --nogpg")
    assert "ostree_key" in no_key.hint
    other = make_commit(tools, tmp_path / "other", key="another key")
    bad = "could not be pulled from a directory (file:): its signature is missing, bad or of another key"
    wrong = refusal(build_of(tools, tmp_path / "b", url, nogpg=False, ostree_key=str(other.key)))
    assert bad in wrong.message
    unsigned = other.without_signature().repo.as_uri()
    refused = refusal(build_of(tools, tmp_path / "c", unsigned, nogpg=False, ostree_key=str(other.key)))
    assert bad in refused.message
    assert build_of(tools, tmp_path / "d", unsigned).rpm_set.lock.commit == other.commit
    missing = refusal(build_of(tools, tmp_path / "e", url, nogpg=False, ostree_key=str(tmp_path / "none.asc")))
    assert missing.message == f"ostree_key: {tmp_path}/none.asc: no such file"


def test_a_ref_that_is_missing_and_a_remote_that_is_gone(
    tools: Tools, made: MadeCommit, tmp_path: Path, web: str
) -> None:
    empty = tmp_path / "web"
    empty.mkdir()
    tools.run(["ostree", "init", "--repo=/mnt/r", "--mode=archive"], binds=[Bind(empty, "/mnt/r", writable=True)])
    for url, place in ((empty.as_uri(), "a directory (file:)"), (f"{web}/web", f"{web}/web")):
        found = refusal(build_of(tools, tmp_path / "a", url))
        assert found.message == (
            f"{tmp_path}/a/own.ks:8: ostreesetup: {REF} could not be pulled from {place}: the remote does not have it"
        )
    gone = refusal(build_of(tools, tmp_path / "b", "http://127.0.0.1:9/repo"))
    assert gone.message.endswith(
        "pulled from http://127.0.0.1:9/repo: the remote does not answer as one of ostree does"
    )
    assert "Connection refused" in gone.log or "connect" in gone.log
    nowhere = refusal(build_of(tools, tmp_path / "c", (tmp_path / "none").as_uri()))
    assert nowhere.message.endswith("there is no ostree repository at this path")


def test_a_remote_that_never_answers_is_left_after_a_while(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ostree_remote, "ANSWER_SECONDS", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/repo"
        found = refusal(build_of(tools, tmp_path / "own", url))
    assert found.message.endswith(f"from {url}: it took more than 2 s")


def test_a_lock_names_the_commit_that_is_pulled_even_if_the_ref_has_moved_or_the_remote_is_gone(
    tools: Tools, tmp_path: Path
) -> None:
    first = make_commit(tools, tmp_path / "made")
    url = first.repo.as_uri()
    build = build_of(tools, tmp_path / "own", url)
    lock = str(shutil.copy(build.rpm_set.directory.parent / "lock.json", tmp_path / "lock.json"))
    binds = [Bind(first.repo, "/mnt/repo", writable=True), Bind(tmp_path / "made/root", "/mnt/root")]
    words = ["ostree", "commit", "--repo=/mnt/repo", f"--branch={REF}", "--subject=next", "--tree=dir=/mnt/root"]
    moved = tools.run(words, binds=binds, rights="root").stdout.strip()
    assert build_of(tools, tmp_path / "new", url).rpm_set.lock.commit == moved != first.commit
    again = build_of(tools, tmp_path / "locked", url, lock=lock)
    assert (again.rpm_set.lock, again.rpm_set.reused) == (build.rpm_set.lock, False)
    shutil.rmtree(first.repo)
    stored = build_of(tools, tmp_path / "locked", url, lock=lock)
    assert (stored.tree.commit, stored.tree.reused) == (first.commit, True)


def test_verify_repeats_the_commit_and_the_image(tools: Tools, made: MadeCommit, built: Build, tmp_path: Path) -> None:
    variant, cache = built.variant, cache_directory()
    found, text = verify_variant(
        variant, cache=cache, other_cache=cache, other_store=tmp_path / "other", results=tmp_path / "results"
    )
    assert (found.same, text) == (True, "")
    assert found.checksums["commit"] == (made.commit, made.commit)
    assert found.checksums["disk.raw"] == (built.image.sha256, built.image.sha256)


@pytest.mark.skipif(not REAL.exists(), reason="the spin-kickstarts are not beside the checkout")
def test_fedoras_own_kickstart_of_2015_deploys_a_commit_unchanged(tools: Tools, tmp_path: Path) -> None:
    made = make_commit(tools, tmp_path / "made", ref="fedora-atomic/rawhide/x86_64/docker-host")
    values = {"variant": "own", "method": "ostree", "recipe": "own", "recipe_file": str(REAL), "agent": "credentials",
              "kickstart_version": "F21", "ostree_url": made.repo.as_uri(), "selinux": "disabled"}  # fmt: skip
    build = Build(variant_from(values), Context(tools, tmp_path / "cache", Store(tmp_path / "store")))
    disk = DiskReader(tools, build.image.raw_disk(build.context))
    deployment = f"/ostree/deploy/fedora-atomic/deploy/{made.commit}.0"
    assert "http://kojipkgs.fedoraproject.org/mash/atomic/rawhide/" in disk.text(
        f"{deployment}/etc/ostree/remotes.d/fedora-atomic.conf"
    )
    assert disk.text(f"{deployment}/etc/hosts").startswith("127.0.0.1   localhost")
    assert not any("zeros" in path for path in disk.listing)
