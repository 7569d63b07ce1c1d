"""The root file system inside a disk image, read with debugfs: neither mounted nor unpacked."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from atomic_lib.tools.sandbox import Bind, Tools

_ROOT_INODE = 2
_SEPARATOR = "debugfs: "


@dataclass(frozen=True)
class Inode:
    """One path of the file system. ``mode`` has the type of the file in its upper bits."""

    number: int
    mode: int
    uid: int
    gid: int

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.mode >> 12 == 0o04


@dataclass(frozen=True)
class DiskReader:
    """The partition named ``root`` of a raw disk image."""

    tools: Tools
    raw: Path

    @cached_property
    def target(self) -> str:
        """The partition's file system as e2fsprogs takes it, once the image is bound to /mnt/disk.raw."""
        table = json.loads(self.run(["sfdisk", "--json", "/mnt/disk.raw"]))["partitiontable"]
        start = next(entry["start"] for entry in table["partitions"] if entry["name"] == "root")
        return f"/mnt/disk.raw?offset={start * table['sectorsize']}"

    def run(self, words: list[str], input: str = "") -> str:
        """Run a command that sees the image; its standard output."""
        return self.tools.run(words, binds=[Bind(self.raw, "/mnt/disk.raw")], input=input).stdout

    @cached_property
    def listing(self) -> dict[str, Inode]:
        """Every path of the file system, read one depth after another."""
        found: dict[str, Inode] = {}
        level = {_ROOT_INODE: ""}
        while level:
            answers = self._ask([f"ls -p <{number}>" for number in level])
            below: dict[int, str] = {}
            for base, answer in zip(level.values(), answers, strict=True):
                for name, inode in _entries(answer):
                    found[f"{base}/{name}"] = inode
                    if inode.is_directory:
                        below[inode.number] = f"{base}/{name}"
            level = below
        return found

    def text(self, path: str) -> str:
        """The content of a file."""
        return self._ask([f"cat <{self.listing[path].number}>"])[0]

    def _ask(self, requests: list[str]) -> list[str]:
        output = self.run(["debugfs", "-f", "-", self.target], "\n".join(requests) + "\n")
        answers = []
        for request, following in zip(requests, [*requests[1:], None], strict=True):
            _, _, output = output.partition(f"{_SEPARATOR}{request}\n")
            answers.append(output.partition(f"{_SEPARATOR}{following}\n")[0] if following else output)
        return answers


def _entries(answer: str) -> list[tuple[str, Inode]]:
    """The entries of one directory: lines ``/inode/mode/uid/gid/name/size/``."""
    rows = [line.split("/") for line in answer.splitlines() if line.startswith("/")]
    return [
        (row[5], Inode(int(row[1]), int(row[2], 8), int(row[3]), int(row[4])))
        for row in rows
        if row[5] not in (".", "..")
    ]
