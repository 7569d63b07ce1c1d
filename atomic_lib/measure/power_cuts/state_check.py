"""Whether a machine comes up after a power cut, and with what: one state of its disk, checked without booting it.

The boot loader reads the file system as it is: GRUB does not replay ext4's journal. The kernel replays it when it
mounts the root. So the menu, kernel and initramfs must be whole before the replay, and all else after it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Model
from atomic_lib.formats.disk.ext4_inode import FILE
from atomic_lib.formats.disk.ext4_layout import Layout
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState, Source
from atomic_lib.formats.disk_states.ext4_journal import Journal
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.measure.power_cuts.boot_menu import MENU, MenuEntry, commit_of, deployed_commits, menu_entries
from atomic_lib.measure.power_cuts.whole_tree import WholeTree
from atomic_lib.measure.power_cuts.whole_version import WholeVersion, refs_of

Outcome = Literal["version 1", "version 2", "unbootable"]
Part = Literal["boot", "deployment", "/etc", "/var", "boot entries", "repository"]
GRUB_CONFIGURATION = "/boot/grub/grub.cfg"


class Damage(Model):
    """One thing that is not whole: which part of the system it belongs to, and what is wrong."""

    part: Part
    problem: str


class StateVerdict(Model):
    """What a machine does with this disk: the version that the default entry starts, and what is not whole.

    ``unbootable``: the default entry does not lead to a whole deployment. ``versions``: how many versions can be
    started from the menu.
    """

    outcome: Outcome
    versions: int
    damage: tuple[Damage, ...] = ()


@dataclass
class StateChecker:
    """Checks states of one recorded upgrade. ``kept``: the files of /var that must be there."""

    layout: Layout
    journal: Journal
    versions: tuple[WholeVersion, WholeVersion]
    kept: WholeTree
    grub_configuration: str
    _digests: dict[tuple[object, ...], str] = field(default_factory=dict, repr=False)

    def check(self, state: DiskState) -> StateVerdict:
        """What a machine does with a disk in this state."""
        try:
            blocks = {**state.blocks, **self.journal.replay(state)}
        except WorkbookError as error:
            return StateVerdict(outcome="unbootable", versions=0, damage=(_boot(error.message),))
        loader = FileView(state, self.layout)
        mounted = _Mounted(FileView(DiskState(state.recorded, blocks), self.layout), blocks)
        try:
            entries = self._menu(loader)
        except WorkbookError as error:
            return StateVerdict(outcome="unbootable", versions=0, damage=(_boot(error.message),))
        started = [self._start(entry, loader, mounted) for entry in entries]
        whole = [one for one in started if isinstance(one, WholeVersion)]
        first = started[0]
        if not isinstance(first, WholeVersion):
            return StateVerdict(outcome="unbootable", versions=len(whole), damage=(first,))
        outcome: Outcome = "version 1" if first is self.versions[0] else "version 2"
        return StateVerdict(outcome=outcome, versions=len(whole), damage=tuple(self._damage(first, mounted)))

    def _menu(self, loader: FileView) -> list[MenuEntry]:
        """The entries of the menu; raises WorkbookError if there is none."""
        if loader.text(GRUB_CONFIGURATION) != self.grub_configuration:
            raise WorkbookError(f"{GRUB_CONFIGURATION}: not as it was")
        text = loader.text(MENU)
        entries = menu_entries(text or "")
        if not entries:
            raise WorkbookError(f"{MENU}: {'missing' if text is None else 'no entry'}")
        return entries

    def _start(self, entry: MenuEntry, loader: FileView, mounted: "_Mounted") -> WholeVersion | Damage:
        """The version that an entry starts, or why it does not come up."""
        try:
            digests = tuple(self._digest(loader, path) for path in (entry.kernel, entry.initramfs))
            commit = commit_of(mounted.view.real_path(entry.deployment))
            version = next((one for one in self.versions if one.commit == commit), None)
            if version is None:
                return _boot(f"{entry.deployment}: leads to no deployment once the journal is replayed")
            if digests != version.boot:
                return _boot(
                    f"{entry.kernel} or {entry.initramfs}: missing, or not whole, before the journal is replayed"
                )
            problems = mounted.problems(version.deployment)
        except WorkbookError as error:
            return _boot(error.message)
        return Damage(part="deployment", problem=problems[0]) if problems else version

    def _digest(self, loader: FileView, path: str) -> str:
        """The digest of a file; empty if there is no such file. The same blocks are read once."""
        inode = loader.lookup(path)
        if inode is None or inode.kind != FILE:
            return ""
        disk = loader.disk
        first = self.layout.start // BLOCK_BYTES
        blocks = [first + block for _, start, count, _ in inode.data for block in range(start, start + count)]
        sources = tuple(disk.blocks.get(block) for block in blocks) if isinstance(disk, DiskState) else ()
        key = (inode.size_bytes, inode.data, sources)
        if key not in self._digests:
            self._digests[key] = loader.digest(inode)
        return self._digests[key]

    def _damage(self, version: WholeVersion, mounted: "_Mounted") -> Iterator[Damage]:
        """What is not whole although the machine comes up."""
        try:
            yield from (Damage(part="/etc", problem=problem) for problem in mounted.problems(version.etc))
            yield from (Damage(part="/var", problem=problem) for problem in mounted.problems(self.kept))
            deployed, problems = deployed_commits(mounted.view)
            yield from (Damage(part="boot entries", problem=problem) for problem in problems)
            named = {**refs_of(mounted.view), **{f"deployment {commit[:12]}": commit for commit in deployed}}
            for name, commit in named.items():
                yield from (
                    Damage(part="repository", problem=problem) for problem in self._named(name, commit, mounted)
                )
        except WorkbookError as error:
            yield Damage(part="repository", problem=error.message)

    def _named(self, name: str, commit: str, mounted: "_Mounted") -> list[str]:
        """What is not whole of a commit that a ref or a deployment names."""
        known = next((one for one in self.versions if one.commit == commit), None)
        if known is None:
            return [f"{name}: names no commit of the upgrade: {commit[:64]!r}"]
        return [f"{name} names {known.name}: {problem}" for problem in mounted.problems(known.objects)]


@dataclass
class _Mounted:
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


def _boot(problem: str) -> Damage:
    return Damage(part="boot", problem=problem)
