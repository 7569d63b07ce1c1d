"""An update by casync: what a client downloads is as predicted, and it has version 2 then."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.chunk_store import ATTRIBUTES, predict_chunks
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.formats.chunk_index import chunk_path
from atomic_lib.guest.chunks import chunk_update as module
from atomic_lib.guest.chunks.chunk_update import CHUNK_UPDATE, chunk_update
from atomic_lib.guest.update.update_downloads import UpdateVersions
from tests.contexts import on_disk, own_context
from tests.formats.chunk_indices import index_of
from tests.guest.chunks.casync import Casync, chunk_of, version

NO_ROOT = Path("/nonexistent")


@pytest.fixture(autouse=True)
def not_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "in_memory", on_disk)


@pytest.fixture
def versions(tmp_path: Path) -> UpdateVersions:
    return UpdateVersions(
        "tiny", version(tmp_path / "1", "one", "two"), version(tmp_path / "2", "two", "three", "four")
    )


def test_a_client_downloads_the_index_and_the_new_chunks(versions: UpdateVersions, tmp_path: Path) -> None:
    update = chunk_update(versions, own_context(tmp_path, Casync(NO_ROOT, "none")))
    index_bytes = len(index_of(["00" * 32] * 3))
    assert update.same_files
    assert update.measured == update.predicted
    assert (update.predicted.requests, update.predicted.bytes) == (3, index_bytes + len("three") + len("four"))
    assert (update.chunks, update.reused, update.index_bytes) == (3, 1, index_bytes)
    assert (update.way.name, update.way.exact, update.way.loopback) == ("casync chunks", True, update.measured)


def test_a_chunk_that_is_there_twice_is_downloaded_once(tmp_path: Path) -> None:
    (tmp_path / chunk_path(chunk_of("one"))).parent.mkdir(parents=True)
    (tmp_path / chunk_path(chunk_of("one"))).write_text("one")
    before, after = Version(tmp_path, "ref", "1"), Version(tmp_path, "ref", "2")
    (tmp_path / "1.caidx").write_bytes(index_of([]))
    (tmp_path / "2.caidx").write_bytes(index_of([chunk_of("one")] * 2))
    predicted = predict_chunks(tmp_path, before, after)
    assert [file.path for file in predicted.files] == ["2.caidx", chunk_path(chunk_of("one"))]


def test_a_prediction_that_is_wrong_is_seen(
    versions: UpdateVersions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "predict_chunks", lambda served, before, after: predict_chunks(served, after, after))
    update = chunk_update(versions, own_context(tmp_path, Casync(NO_ROOT, "none")))
    assert not update.same_files
    assert update.model_copy(update={"measured": update.predicted}).way.exact is False


def test_a_client_that_does_not_have_version_2_then_is_an_error(versions: UpdateVersions, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="the client's tree is not commit commit-2: A    spoiled"):
        chunk_update(versions, own_context(tmp_path, Casync(NO_ROOT, "none", spoil=True)))


def test_all_commands_keep_the_same_of_a_file_and_only_the_client_has_a_network(
    versions: UpdateVersions, tmp_path: Path
) -> None:
    tools = Casync(NO_ROOT, "none")
    chunk_update(versions, own_context(tmp_path, tools))
    lines = [(line, rest) for line, rest in tools.lines if line[0] == "casync"]
    assert [line[1] for line, _ in lines] == ["make", "make", "extract"]
    assert all(tuple(line[2 : 2 + len(ATTRIBUTES)]) == ATTRIBUTES for line, _ in lines)
    assert [rest.get("network", False) for _, rest in lines] == [False, False, True]


def test_each_version_is_part_of_the_key(versions: UpdateVersions, tmp_path: Path) -> None:
    context = own_context(tmp_path, Casync(NO_ROOT, "none"))
    other = Version(tmp_path / "2", "ref", "another")
    keys = [
        str(CHUNK_UPDATE.key_inputs(one, context))
        for one in (
            versions,
            UpdateVersions("tiny", versions.before, other),
            UpdateVersions("tiny", other, versions.after),
        )
    ]
    assert len({*keys}) == 3
