"""What a worker is sent of a content, and that it takes nothing else."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.content.repositories import Content
from atomic_lib.pipeline.sweep.cluster.sent_content import SentContent, SentFile, received_content, sent_content


@pytest.fixture
def content(tmp_path: Path) -> Content:
    """A content of one repository: an index, a key and a package."""
    directory = tmp_path / "repository"
    (directory / "repodata").mkdir(parents=True)
    for name in ("repodata/repomd.xml", "repodata/primary.xml.gz", "RPM-GPG-KEY", "bash-1.rpm"):
        (directory / name).write_text(name)
    return Content("standin", "", "k", "1", "", "", "[standin]\n", {"standin": directory}, False, None)


def test_index_and_key_arrive_as_they_were_and_packages_do_not(content: Content, tmp_path: Path) -> None:
    sent = sent_content(content)
    assert sent.content.local == {}
    received = received_content(sent, tmp_path / "worker")
    assert received == replace(content, local={"standin": tmp_path / "worker/standin"})
    written = sorted(path for path in (tmp_path / "worker").rglob("*") if path.is_file())
    assert [str(path.relative_to(tmp_path / "worker/standin")) for path in written] == [
        "RPM-GPG-KEY", "repodata/primary.xml.gz", "repodata/repomd.xml",
    ]  # fmt: skip
    assert all(path.read_text() == str(path.relative_to(tmp_path / "worker/standin")) for path in written)


def test_what_was_changed_on_the_way_is_refused(content: Content, tmp_path: Path) -> None:
    sent = sent_content(content)
    first, *others = sent.files["standin"]
    changed = replace(sent, files={"standin": (replace(first, data=first.data + b"x"), *others)})
    with pytest.raises(SetupError, match="not as it was sent"):
        received_content(changed, tmp_path / "worker")


@pytest.mark.parametrize(("name", "path"), [("standin", "../outside"), ("standin", "/outside"), ("..", "outside")])
def test_nothing_is_written_elsewhere(content: Content, tmp_path: Path, name: str, path: str) -> None:
    file = SentFile(path, hashlib.sha256(b"x").hexdigest(), b"x")
    (tmp_path / "worker").mkdir()
    with pytest.raises(SetupError, match="not as it was sent"):
        received_content(SentContent(content, {name: (file,)}), tmp_path / "worker")
    assert not (tmp_path / "outside").exists()


def test_repositories_elsewhere_are_not_sent(content: Content) -> None:
    with pytest.raises(WorkbookError, match="repositories that are not on this machine"):
        sent_content(replace(content, remote=True))
