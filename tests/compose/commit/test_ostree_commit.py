"""The commit itself: what ostree is given."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.commit import ostree_commit
from atomic_lib.compose.commit.ostree_commit import commit_tree
from atomic_lib.content.keyring import Keyring
from atomic_lib.solve.lock import Lock
from atomic_lib.tools.sandbox import Tools


@dataclass(frozen=True)
class CommitTools(Tools):
    """Notes the arguments of each command."""

    lines: list[list[str]]

    def run(self, words: Sequence[Any], **_: Any) -> Completed:
        self.lines.append([str(word) for word in words])
        return Completed("checksum\n", "")


def test_the_commit_has_the_recipes_metadata(tmp_path: Path) -> None:
    tools = CommitTools(tmp_path, "", [])
    keyring = Keyring(tools, tmp_path, "AB")
    metadata = (("own.production", "false"), ("own.stream", '"devel"'))
    commit_tree(keyring, tmp_path, tmp_path / "repo", Lock("own", ()), ref="a", version="1", epoch=0, metadata=metadata)
    words = next(line for line in tools.lines if line[1] == "commit")
    assert "--add-metadata=own.production=false" in words
    assert '--add-metadata=own.stream="devel"' in words


@dataclass(frozen=True)
class InitializingTools(CommitTools):
    """Notes what is in the repository when ostree is started; "ostree init" makes the directory of its objects."""

    def run(self, words: Sequence[Any], **_: Any) -> Completed:
        objects = self.root / "repo/objects"
        if words[1] == "init":
            objects.mkdir()
        self.lines.append([words[1], *(path.name for path in objects.iterdir())])
        return Completed("checksum\n", "")


def test_the_repository_has_the_known_objects_before_the_commit_and_only_its_own_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[tuple[Path, str]] = []
    lines: list[list[str]] = []
    monkeypatch.setattr(ostree_commit, "remove_other_objects", lambda *args: removed.append(args))
    (tmp_path / "known/ab").mkdir(parents=True)
    (tmp_path / "root").mkdir()
    keyring, repo = Keyring(InitializingTools(tmp_path, "", lines), tmp_path, "AB"), tmp_path / "repo"
    commit_tree(keyring, tmp_path / "root", repo, Lock("own", ()), ref="a", version="1", epoch=0,
                known=tmp_path / "known")  # fmt: skip
    assert lines == [["init"], ["commit", "ab"]]
    assert removed == [(repo, "checksum")]


def test_what_is_no_file_directory_or_link_is_named_before_the_commit(tmp_path: Path) -> None:
    tools = CommitTools(tmp_path, "", [])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WorkbookError, match=r"^/pipe: a commit contains only files, directories and links"):
        commit_tree(Keyring(tools, tmp_path, "AB"), tmp_path, tmp_path / "repo", Lock("own", ()), ref="a", version="1",
                    epoch=0)  # fmt: skip
    assert tools.lines == []
