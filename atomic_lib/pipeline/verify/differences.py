"""Explains why two builds differ: which artifacts, files and blocks differ, causes first."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import file_sha256
from atomic_lib.formats.disk.file_system import FileSystem, is_ostree, read_file_system, root_of
from atomic_lib.measure.build_changes import changed_packages
from atomic_lib.measure.file_system_comparison import Difference, compare
from atomic_lib.pipeline.verify.block_differences import described_blocks, differing_blocks
from atomic_lib.pipeline.verify.file_differences import content_differences
from atomic_lib.pipeline.verify.rebuild import COMMIT, CONTENT, LOCK, RPM_REPOSITORY, Built
from atomic_lib.results.verification import QCOW2, RAW, Verification
from atomic_lib.solve.lock import read_lock
from atomic_lib.tools.sandbox import Bind, Tools

_SHORT_LINES = 12
_LONGEST_LINE = 200
_CONTENTS = 5
_BLOCKS = 200
# Shown last: differences here follow from others, for example because /boot has links into the deployment.
_CONSEQUENCES = ("/boot", "/ostree")


@dataclass(frozen=True)
class Explanation:
    """``lines``: the differences, causes before consequences; details of a line are indented below it."""

    lines: tuple[str, ...]

    @property
    def full(self) -> str:
        """All lines."""
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def short(self) -> str:
        """The first lines, and the number of further lines."""
        shown = [line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…" for line in self.lines]
        more = len(shown) - _SHORT_LINES
        return "\n".join([*shown[:_SHORT_LINES], *([f"… {more} more lines"] if more > 0 else [])])


def explain(found: Verification, one: Built, other: Built, tools: Tools) -> Explanation:
    """The differences between two builds, whose files must still exist; unreadable files are reported, not raised."""
    lines: list[str] = []
    try:
        if RPM_REPOSITORY in found.differing:
            lines += _repositories(one, other, tools)
        if LOCK in found.differing:
            lines += _locks(one, other)
        if COMMIT in found.differing and CONTENT not in found.differing:
            lines += _commits(one, other, tools)
        if RAW in found.differing:
            lines += image_differences(Path(one.paths["raw"]), Path(other.paths["raw"]), tools)
        elif QCOW2 in found.differing:
            lines.append(f"{QCOW2}: the same disk, compressed differently")
    except (WorkbookError, OSError) as error:
        lines.append(f"further differences cannot be read: {error}")
    return Explanation(tuple(lines))


def _repositories(one: Built, other: Built, tools: Tools) -> Iterator[str]:
    for name in (name for name in one.paths if name.startswith("repository ")):
        left, right = ({path.name: path for path in Path(built.paths[name]).glob("*.rpm")} for built in (one, other))
        files = sorted({*left, *right})
        missing = [file for file in files if file not in left or file not in right]
        changed = [
            file for file in files if file not in missing and file_sha256(left[file]) != file_sha256(right[file])
        ]
        yield from (f"{name}: {file}: only in build {'A' if file in left else 'B'}" for file in missing)
        yield from (f"{name}: {file}: content" for file in changed)
        if changed:
            first = changed[0]
            yield from _indented(content_differences(first, left[first].read_bytes(), right[first].read_bytes(), tools))
        elif not missing:
            indexes = [Path(built.paths[name]) / "repodata/repomd.xml" for built in (one, other)]
            before, after = (index.read_bytes() for index in indexes)
            if before != after:
                yield f"{name}: its index"
                yield from _indented(content_differences("repomd.xml", before, after, tools))


def _locks(one: Built, other: Built) -> Iterator[str]:
    before, after = (read_lock(Path(built.paths["lock"])) for built in (one, other))
    changes = changed_packages(before, after)
    yield from (f"lock: {change.name}: {change.before or 'none'} ≠ {change.after or 'none'}" for change in changes)
    if not changes:
        yield "lock: build B resolved to other packages, but was built from those of build A"


def _commits(one: Built, other: Built, tools: Tools) -> Iterator[str]:
    """The differences in the metadata of two commits of the same content."""
    texts = [
        tools.run(["ostree", "show", "--raw", "--repo=/mnt/repo", built.checksums[COMMIT]],
                  binds=[Bind(Path(built.paths["commits"]), "/mnt/repo")]).stdout.encode()
        for built in (one, other)
    ]  # fmt: skip
    yield f"{COMMIT}: the same content, different metadata"
    yield from _indented(content_differences("commit", texts[0], texts[1], tools))


def image_differences(left: Path, right: Path, tools: Tools) -> list[str]:
    """The differences between two disk images: first the files, by name, then the blocks of the disk."""
    disks = read_file_system(left), read_file_system(right)
    lines = list(_files(*disks, tools))
    blocks = differing_blocks(left, right)
    seen = dict.fromkeys(described_blocks(left, right, blocks[:_BLOCKS]))
    # If files differ, later blocks of the root file system differ as a consequence.
    shown = [line for line in seen if not (lines and line.startswith("root: "))]
    lines.append(f"{len(blocks)} blocks of 4 KiB of the disk differ{':' if shown else ''}")
    return lines + [f"    {line}" for line in shown]


def _files(left: FileSystem, right: FileSystem, tools: Tools) -> Iterator[str]:
    roots = root_of(left), root_of(right)
    found = sorted(compare(*roots).differences, key=lambda one: (one.path.startswith(_CONSEQUENCES), one.path))
    yield from _described(found, *roots, tools)
    if is_ostree(left) and is_ostree(right):
        outside = [one for one in compare(left, right).differences if _is_outside(one.path)]
        yield from _described(outside, left, right, tools)


def _is_outside(path: str) -> bool:
    """Whether a path of the disk is not visible in the deployment, and not an object, which a deployment repeats."""
    parts = path.split("/")
    deployed = len(parts) > 6 and parts[1:3] == ["ostree", "deploy"] and parts[4] == "deploy"
    var = len(parts) > 4 and parts[1:3] == ["ostree", "deploy"] and parts[4] == "var"
    return not (deployed or var or path.startswith(("/ostree/repo/objects", "/boot")))


def _described(differences: list[Difference], left: FileSystem, right: FileSystem, tools: Tools) -> Iterator[str]:
    contents: set[tuple[str, str]] = set()
    for one in differences:
        yield str(one)
        pair = (one.left, one.right)
        if one.kind == "content" and pair not in contents and len(contents) < _CONTENTS:
            contents.add(pair)
            yield from _indented(content_differences(one.path, left.content(one.path), right.content(one.path), tools))


def _indented(lines: list[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)
