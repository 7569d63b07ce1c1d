"""A stand-in for ostree and casync: each file is one chunk, and what is missing is really fetched from the server."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from atomic_lib.base.command import Completed
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.formats.chunk_index import chunk_path, chunks_of
from atomic_lib.tools.sandbox import Bind, Tools
from tests.formats.chunk_indices import index_of


@dataclass(frozen=True)
class Casync(Tools):
    """``spoil``: the client ends up with a file more. ``lines``: the commands, with what they may do."""

    spoil: bool = False
    lines: list[tuple[list[str], dict[str, Any]]] = field(default_factory=list)

    def run(self, words: Sequence[Any], *, binds: Sequence[Bind] = (), **rest: Any) -> Completed:
        line = [str(word) for word in words]
        self.lines.append((line, rest))
        if line[1] == "checkout":
            shutil.copytree(binds[0].source, binds[1].source / Path(line[-1]).name)
        elif line[1] == "make":
            _make(binds[0].source, Path(line[-2]).name, binds[1].source)
        elif line[1] == "extract":
            _extract(line, binds[0].source, spoil=self.spoil)
        elif line[1] == "diff":
            more = {*_files(binds[1].source / Path(line[-1]).name)} ^ {*_files(binds[0].source)}
            return Completed("".join(f"A    {name}\n" for name in more), "")
        return Completed("", "")


def version(directory: Path, *contents: str) -> Version:
    """A version whose repository is a directory with a file of each content."""
    directory.mkdir()
    for content in contents:
        (directory / content).write_text(content)
    return Version(directory, "ref", f"commit-{directory.name}")


def chunk_of(content: str) -> str:
    """The identifier of a chunk."""
    return hashlib.sha256(content.encode()).hexdigest()


def _files(tree: Path) -> list[str]:
    return sorted(path.read_text() for path in tree.iterdir())


def _make(served: Path, index: str, tree: Path) -> None:
    for content in _files(tree):
        file = served / chunk_path(chunk_of(content))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (served / index).write_bytes(index_of([chunk_of(content) for content in _files(tree)]))


def _extract(line: Sequence[str], memory: Path, *, spoil: bool) -> None:
    seed = next(word for word in line if word.startswith("--seed="))
    held = {chunk_of(content): content for content in _files(memory / Path(seed).name)}
    url, _, _ = line[-2].rpartition("/")
    client = memory / Path(line[-1]).name
    client.mkdir()
    for chunk in chunks_of(_fetched(line[-2])):
        if chunk not in held:
            held[chunk] = _fetched(f"{url}/{chunk_path(chunk)}").decode()
        (client / held[chunk]).write_text(held[chunk])
    if spoil:
        (client / "spoiled").write_text("spoiled")


def _fetched(url: str) -> bytes:
    with build_opener(ProxyHandler({})).open(url, timeout=10) as answer:
        body: bytes = answer.read()
    return body
