"""Files that must be whole, as one state of a disk has them, and whether another state still has them.

Only what differs between the two states is looked at: a file is as it was if its inode and its blocks are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property

from atomic_lib.formats.disk.ext4_inode import DIRECTORY, FILE, Inode
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, Source
from atomic_lib.formats.disk_states.file_view import FileView

_PROBLEMS_MOST = 5
"""More than these are not looked for: the tree is not whole in any case."""
# The fields of an inode that are not times, link count, version or checksum: see INODE_FIELDS.
_LASTING = ((0x00, 0x08), (0x18, 0x1A), (0x20, 0x24), (0x28, 0x64), (0x68, 0x70), (0x74, 0x7C))
_EXTRA_SIZE = 0x80


@dataclass(frozen=True)
class WholeTree:
    """Files of one state. ``view`` and ``blocks`` are of that state; ``items``: the inode of each path.

    ``children``: of each directory, the names that must be there.
    """

    view: FileView
    blocks: Mapping[int, Source]
    items: Mapping[str, Inode]
    children: Mapping[str, Mapping[str, int]]
    _unlike: dict[tuple[int, Source | None], tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _by_table_block(self) -> dict[int, list[str]]:
        found = defaultdict(list)
        for path, inode in self.items.items():
            found[self._on_disk(self.view.layout.inode_block(inode.number))].append(path)
        return found

    @cached_property
    def _by_block(self) -> dict[int, list[str]]:
        """The paths whose content, extents or attributes are in a block of the disk."""
        found = defaultdict(list)
        for path, inode in self.items.items():
            runs = [(first, count) for _, first, count, _ in inode.data]
            runs += [(block, 1) for block in self.view.metadata_blocks(inode.number)[1:]]
            for first, count in runs:
                for block in range(first, first + count):
                    found[self._on_disk(block)].append(path)
        return found

    def problems(self, view: FileView, blocks: Mapping[int, Source], changed: Set[int]) -> list[str]:
        """What is not whole in another state; at most five lines, each with a path.

        ``view`` and ``blocks`` are of that state, ``changed`` are the blocks of the disk in which it differs from this
        one. Raises WorkbookError if its file system is damaged where it is looked at.
        """
        suspects: set[str] = set()
        for block in self._by_table_block.keys() & changed:
            suspects.update(self._unlike_in(block, blocks.get(block), view))
        for block in self._by_block.keys() & changed:
            suspects.update(self._by_block[block])
        found: list[str] = []
        for path in sorted(suspects):
            found += [problem for problem in self._problems_of(path, view, changed) if problem not in found]
            if len(found) >= _PROBLEMS_MOST:
                break
        return found[:_PROBLEMS_MOST]

    def _unlike_in(self, block: int, source: Source | None, view: FileView) -> tuple[str, ...]:
        """The paths whose inodes, in one block of a table, are not as they were."""
        key = (block, source)
        if key not in self._unlike:
            self._unlike[key] = tuple(
                path
                for path in self._by_table_block[block]
                if _lasting(view.inode(self.items[path].number).raw) != _lasting(self.items[path].raw)
            )
        return self._unlike[key]

    def _problems_of(self, path: str, view: FileView, changed: Set[int]) -> list[str]:
        before, now = self.items[path], view.lookup(path, follow=False)
        if now is None:
            return [f"{path}: missing"]
        if now.kind != DIRECTORY or before.kind != DIRECTORY:
            return self._file_problems(path, before, now, view, changed)
        if (now.mode, now.uid, now.gid) != (before.mode, before.uid, before.gid):
            return [f"{path}: another owner or mode"]
        names, found = view.names(now.number), []
        for name, number in self.children[path].items():
            if names.get(name) != number and f"{path}/{name}" in self.items:
                found += self._problems_of(f"{path}/{name}", view, changed)
        return found

    def _file_problems(self, path: str, before: Inode, now: Inode, view: FileView, changed: Set[int]) -> list[str]:
        facts = [(one.kind, one.mode, one.uid, one.gid, one.device) for one in (before, now)]
        if facts[0] != facts[1]:
            return [f"{path}: another type, owner or mode"]
        if now.size_bytes != before.size_bytes:
            return [f"{path}: {now.size_bytes} bytes, not {before.size_bytes}"]
        if self.view.attributes(before) != view.attributes(now):
            return [f"{path}: other extended attributes"]
        if self._same_blocks(before, now, changed):
            return []
        same = view.content(now) == self.view.content(before) if now.kind != FILE else (
            view.digest(now) == self.view.digest(before))  # fmt: skip
        return [] if same else [f"{path}: another content of the same size"]

    def _same_blocks(self, before: Inode, now: Inode, changed: Set[int]) -> bool:
        if before.data != now.data or before.inline_target != now.inline_target:
            return False
        blocks = (range(first, first + count) for _, first, count, _ in now.data)
        return not any(self._on_disk(block) in changed for run in blocks for block in run)

    def _on_disk(self, block: int) -> int:
        return block + self.view.layout.start // BLOCK_BYTES


def whole_tree(view: FileView, blocks: Mapping[int, Source], tops: Iterable[str]) -> WholeTree:
    """The files below ``tops`` as ``view`` has them, and the directories that lead there.

    A top that is missing is left out, so that it counts as whole; the caller asks for it by its name.
    """
    items: dict[str, Inode] = {}
    children: dict[str, dict[str, int]] = defaultdict(dict)
    for top in tops:
        for path, inode in view.below(top):
            items[path] = inode
            if inode.kind == DIRECTORY:
                children[path] = dict(view.names(inode.number))
        way = [part for part in top.split("/") if part]
        for depth in range(len(way)):
            path, child = "/" + "/".join(way[:depth]), "/" + "/".join(way[: depth + 1])
            above, below = view.lookup(path, follow=False), view.lookup(child, follow=False)
            if above is not None and below is not None:
                items.setdefault(path.rstrip("/"), above)
                children[path.rstrip("/")].setdefault(way[depth], below.number)
    return WholeTree(view, blocks, items, children)


def _lasting(raw: bytes) -> tuple[bytes, ...]:
    extra = int.from_bytes(raw[_EXTRA_SIZE : _EXTRA_SIZE + 2], "little") if len(raw) > _EXTRA_SIZE else 0
    return (*(raw[start:end] for start, end in _LASTING), raw[_EXTRA_SIZE + extra :])
