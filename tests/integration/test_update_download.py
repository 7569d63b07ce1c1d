"""What an update costs to download: predicted from two commits, and pulled by the real ostree over loopback."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store
from atomic_lib.compose.update.download_prediction import (
    ServedFile,
    objects_between,
    predict_check,
    predict_delta,
    predict_loose,
)
from atomic_lib.compose.update.update_repository import Version, add_static_delta, make_update_repository
from atomic_lib.formats.ostree_objects import OstreeObject, objects_of
from atomic_lib.guest.chunks.chunk_update import CHUNK_UPDATE, chunk_update
from atomic_lib.guest.layers import object_chain
from atomic_lib.guest.layers.object_chain import ObjectVersions, object_updates
from atomic_lib.guest.update.loopback_pull import pull_over_loopback
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.update.update_evidence import figures_of
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.commits import REF, MadeCommit, make_commit

pytestmark = pytest.mark.integration

LARGE = 6_000_000
"""More than ostree puts into a static delta, if it cannot be compressed."""
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")


@dataclass(frozen=True)
class Update:
    """Two versions, and the repository that serves them."""

    first: MadeCommit
    versions: tuple[Version, Version]
    served: Path


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


def change(root: Path) -> None:
    """A version 2: files changed, added, moved, removed and empty, one large, a link, many in one directory."""
    (root / "usr/lib/modules/1/vmlinuz").write_text("kernel of version 2\n")
    (root / "usr/lib/large").write_bytes(os.urandom(LARGE))
    (root / "usr/lib/link").symlink_to("large")
    (root / "usr/lib/empty").touch()
    os.setxattr(root / "usr/bin/busybox", "security.capability", CAPABILITY)
    (root / "usr/lib/moved").mkdir(mode=0o711)
    (root / "usr/bin/useradd").rename(root / "usr/lib/moved/useradd")
    (root / "usr/etc/shadow").unlink()
    (root / "usr/many").mkdir()
    for number in range(1500):
        (root / f"usr/many/{number}").write_text(str(number % 7))


@pytest.fixture(scope="module")
def update(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Update:
    directory = tmp_path_factory.mktemp("update")
    first = make_commit(tools, directory / "1")
    second = make_commit(tools, directory / "2", change=change)
    versions = (Version(first.repo, REF, first.commit), Version(second.repo, REF, second.commit))
    make_update_repository(tools, directory / "served", versions)
    return Update(first, versions, directory / "served")


def test_the_objects_of_both_commits_are_all_that_the_repository_has(update: Update) -> None:
    def read(one: OstreeObject) -> bytes:
        return (update.served / one.path()).read_bytes()

    of_both = {one.path() for version in update.versions for one in objects_of(version.commit, read)}
    found = {str(path.relative_to(update.served)) for path in update.served.glob("objects/??/*")}
    assert of_both == {path for path in found if not path.endswith(".commitmeta")}


def test_loose_objects_are_predicted_to_the_byte(tools: Tools, update: Update, tmp_path: Path) -> None:
    before, after = (version.commit for version in update.versions)
    check, loose = predict_check(update.served, after), predict_loose(update.served, before, after)
    pulled = pull_over_loopback(tools, update.served, update.versions[0], update.first.key, tmp_path)
    assert (pulled.check, pulled.update) == (check, loose)
    assert loose.requests > 20
    assert loose.bytes > LARGE
    assert len(objects_between(update.served, before, after)) == loose.requests - 4
    assert ServedFile("summary.sig", 0) in check.files


def test_a_static_delta_is_predicted_to_the_byte(tools: Tools, update: Update, tmp_path: Path) -> None:
    before, after = (version.commit for version in update.versions)
    served = shutil.copytree(update.served, tmp_path / "served")
    fallbacks = add_static_delta(tools, served, before, after)
    predicted = predict_delta(served, before, after, fallbacks)
    pulled = pull_over_loopback(tools, served, update.versions[0], update.first.key, tmp_path)
    assert pulled.update == predicted
    assert len(fallbacks) == 1
    assert predicted.requests < predict_loose(served, before, after).requests


def test_chunks_are_predicted_to_the_byte_and_the_same_if_they_are_made_again(
    tools: Tools, update: Update, tmp_path: Path
) -> None:
    versions, context = UpdateVersions("tiny", *update.versions), Context(tools, tmp_path, Store(tmp_path / "store"))
    found = chunk_update(versions, context)
    print(found)
    assert (found.measured, found.same_files) == (found.predicted, True)
    assert 0 < found.reused < found.chunks
    assert found.measured.requests == 1 + found.chunks - found.reused
    assert found.measured.bytes > LARGE + found.index_bytes
    shutil.rmtree(CHUNK_UPDATE.get(versions, context).path)
    assert chunk_update(versions, context) == found


def test_a_client_that_casync_gives_less_than_the_commit_is_an_error(
    tools: Tools, update: Update, tmp_path: Path
) -> None:
    def exclude(root: Path) -> None:
        change(root)
        (root / "usr/lib/.caexclude").write_text("large\n")

    made = make_commit(tools, tmp_path / "3", change=exclude)
    versions = UpdateVersions("tiny", update.versions[0], Version(made.repo, REF, made.commit))
    with pytest.raises(WorkbookError) as caught:
        chunk_update(versions, Context(tools, tmp_path, Store(tmp_path / "store")))
    assert caught.value.message == f"casync: the client's tree is not commit {made.commit[:12]}: D    /usr/lib/large"


def test_each_version_of_a_chain_is_pulled_from_the_one_before(
    tools: Tools, update: Update, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy_key(_: Tools, version: Version, file: Path) -> None:
        file.write_bytes(update.first.key.read_bytes())  # these commits do not have it in them

    def change_again(root: Path) -> None:
        change(root)
        (root / "usr/etc/issue").write_text("version 3\n")

    monkeypatch.setattr(object_chain, "write_key", copy_key)
    third = make_commit(tools, tmp_path / "3", change=change_again)
    versions = (*update.versions, Version(third.repo, REF, third.commit))
    context = Context(tools, tmp_path / "cache", Store(tmp_path / "store"))
    first, second = object_updates(ObjectVersions("tiny", versions), context)
    assert first.predicted == figures_of(predict_loose(update.served, *(version.commit for version in update.versions)))
    assert (first.measured, first.same_files) == (first.predicted, True)
    assert (second.measured, second.same_files) == (second.predicted, True)
    assert 0 < second.measured.requests < first.measured.requests


def test_a_commit_of_another_key_is_refused(tools: Tools, update: Update, tmp_path: Path) -> None:
    other = make_commit(tools, tmp_path / "other", key="another key")
    with pytest.raises(CommandError) as caught:
        pull_over_loopback(tools, update.served, update.versions[0], other.key, tmp_path)
    assert "signature" in caught.value.log
