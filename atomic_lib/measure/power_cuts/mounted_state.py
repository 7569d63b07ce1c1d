"""A state as the boot loader and as the kernel see it, with what has been looked at already."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from atomic_lib.formats.disk.ext4_inode import FILE, Inode
from atomic_lib.formats.disk.ext4_layout import Layout
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState, Source
from atomic_lib.formats.disk_states.ext4_journal import Journal
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.measure.power_cuts.whole_tree import WholeTree


@dataclass
class MountedState:
    """A state after the replay of the journal."""

    view: FileView
    blocks: Mapping[int, Source]
    _changed: dict[int, set[int]] = field(default_factory=dict)
    _found: dict[int, list[str]] = field(default_factory=dict)

    def problems(self, tree: WholeTree) -> list[str]:
        """What is not whole of a tree; it is looked at once."""
        if id(tree) not in self._found:
            key = id(tree.blocks)
            if key not in self._changed:
                before = tree.blocks.get
                changed = {number for number, source in self.blocks.items() if before(number) != source}
                self._changed[key] = changed | (tree.blocks.keys() - self.blocks.keys())
            self._found[id(tree)] = tree.problems(self.view, self.blocks, self._changed[key])
        return self._found[id(tree)]


def mount_state(state: DiskState, layout: Layout, journal: Journal) -> MountedState:
    """The state as the kernel mounts it; raises WorkbookError where the journal is damaged."""
    blocks = {**state.blocks, **journal.replay(state)}
    return MountedState(FileView(DiskState(state.recorded, blocks), layout), blocks)


@dataclass
class FileDigests:
    """Digests of files in many states: the same blocks are read once."""

    layout: Layout
    _known: dict[tuple[object, ...], str] = field(default_factory=dict, repr=False)

    def digest(self, view: FileView, path: str) -> str:
        """The sha256 of a file, in hex; empty if there is no such file."""
        inode = view.lookup(path)
        if inode is None or inode.kind != FILE:
            return ""
        key = self.identity(view, inode)
        if key not in self._known:
            self._known[key] = view.digest(inode)
        return self._known[key]

    def identity(self, view: FileView, inode: Inode) -> tuple[object, ...]:
        """What is the same for equal contents in the same blocks."""
        disk, first = view.disk, self.layout.start // BLOCK_BYTES
        blocks = [first + block for _, start, count, _ in inode.data for block in range(start, start + count)]
        sources = tuple(disk.blocks.get(block) for block in blocks) if isinstance(disk, DiskState) else ()
        return inode.size_bytes, inode.data, sources
