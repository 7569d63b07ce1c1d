"""The tree of mkosi: how it is made, and what a command in it sees of the host."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.tools import mirror
from atomic_lib.tools.sandbox import Bind
from benchmarks.mkosi_tree import command_line, open_mkosi_tree, version_of


def made_by(calls: list[list[str]], directory: str = "root") -> Any:
    """A ``command.run`` that records what it is asked, and makes the tree where mmdebstrap would."""

    def run(words: Sequence[str | Path], **_: object) -> command.Completed:
        calls.append([str(word) for word in words])
        if "mmdebstrap" in calls[-1]:
            Path(calls[-1][-2], directory).mkdir(parents=True)
        return command.Completed("25.3-7", "")

    return run


def test_the_tree_is_made_once_of_the_same_suite_as_the_tools_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []
    monkeypatch.setenv("WORKBOOK_MIRROR", "http://mirror.example/debian/")
    monkeypatch.setattr(command, "run", made_by(calls, "usr"))
    monkeypatch.setattr("benchmarks.mkosi_tree._SPACE_BYTES", 0)
    root = open_mkosi_tree(tmp_path)
    assert (root / "usr").is_dir()
    assert open_mkosi_tree(tmp_path) == root
    (line,) = calls
    assert line[-3] == "trixie"
    assert line[-1].endswith("] http://mirror.example/debian trixie main")
    assert "--include=mkosi,dnf,rpm" in line


def test_without_a_mirror_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBOOK_MIRROR", raising=False)
    monkeypatch.setattr(mirror, "_apt_targets", str)
    monkeypatch.setattr("benchmarks.mkosi_tree._SPACE_BYTES", 0)
    with pytest.raises(WorkbookError, match="no Debian mirror"):
        open_mkosi_tree(tmp_path)
    assert list(tmp_path.glob("mkosi-tree/*")) == []


def test_a_command_sees_only_what_it_is_given_and_no_network() -> None:
    binds = [Bind(Path("/a"), "/mnt/config"), Bind(Path("/b"), "/mnt/out", writable=True)]
    line = command_line(Path("/tree"), ["mkosi", "build"], binds)
    text = " ".join(line)
    assert "--unshare-net" in line
    assert "--ro-bind /tree / " in text
    assert text.endswith("--ro-bind /a /mnt/config --bind /b /mnt/out --cap-add ALL -- mkosi build")
    assert text.count("bind ") == 3
    assert "--dev-bind" not in line


def test_the_version_is_that_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(command, "run", made_by(calls))
    assert version_of(Path("/tree")) == "25.3-7"
    assert calls[0][-5:] == ["dpkg-query", "-W", "-f", "${Version}", "mkosi"]
