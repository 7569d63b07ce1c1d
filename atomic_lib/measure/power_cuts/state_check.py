"""Whether a machine comes up after a power cut, and with what: one state of its disk, checked without booting it.

The boot loader reads the file system as it is: GRUB does not replay ext4's journal. The kernel replays it when it
mounts the root. So the menu, kernel and initramfs must be whole before the replay, and all else after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.ext4_layout import Layout
from atomic_lib.formats.disk_states.disk_state import DiskState
from atomic_lib.formats.disk_states.ext4_journal import Journal
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.measure.power_cuts.boot_menu import MENU, MenuEntry, commit_of, deployed_commits, menu_entries
from atomic_lib.measure.power_cuts.mounted_state import FileDigests, MountedState, mount_state
from atomic_lib.measure.power_cuts.verdict import (
    GRUB_CONFIGURATION,
    Damage,
    Outcome,
    RecordedEnds,
    StateVerdict,
    boot_damage,
    unbootable,
)
from atomic_lib.measure.power_cuts.whole_tree import WholeTree, whole_tree
from atomic_lib.measure.power_cuts.whole_version import WholeVersion, refs_of, whole_version
from atomic_lib.tools.sandbox import Tools


@dataclass(frozen=True)
class CommitVersions:
    """The commits of both versions; ``kept``: the files of /var that must be whole."""

    commits: tuple[str, str]
    kept: tuple[str, ...]

    @property
    def inputs(self) -> dict[str, object]:
        """What identifies them; the commits are those of the recording."""
        return {"kept": [*self.kept]}

    def checker(self, ends: RecordedEnds, _: Tools) -> "StateChecker":
        """The checker of states between the ends; raises WorkbookError if a version is not whole where it should be."""
        first, last = ends.first, ends.last
        names = zip(("version 1", "version 2"), self.commits, (first, last), strict=True)
        before, after = (whole_version(name, commit, moment.view, moment.blocks) for name, commit, moment in names)
        missing = [path for path in (*self.kept, GRUB_CONFIGURATION) if first.view.lookup(path) is None]
        if missing:
            raise WorkbookError(f"{ends.name}: not on the disk when the upgrade begins: {missing[0]}")
        kept = whole_tree(first.view, first.blocks, self.kept)
        configuration = str(first.view.text(GRUB_CONFIGURATION))
        return StateChecker(ends.layout, ends.journal, (before, after), kept, configuration)


@dataclass
class StateChecker:
    """Checks states of one recorded upgrade. ``kept``: the files of /var that must be there."""

    layout: Layout
    journal: Journal
    versions: tuple[WholeVersion, WholeVersion]
    kept: WholeTree
    grub_configuration: str

    def __post_init__(self) -> None:
        self._digests = FileDigests(self.layout)

    @property
    def whole_counts(self) -> tuple[int, int]:
        """How many objects each version has in the repository, all of them checked."""
        before, after = self.versions
        return before.object_count, after.object_count

    def check(self, state: DiskState) -> StateVerdict:
        """What a machine does with a disk in this state."""
        loader = FileView(state, self.layout)
        try:
            mounted = mount_state(state, self.layout, self.journal)
            entries = self._menu(loader)
        except WorkbookError as error:
            return unbootable(error.message)
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

    def _start(self, entry: MenuEntry, loader: FileView, mounted: MountedState) -> WholeVersion | Damage:
        """The version that an entry starts, or why it does not come up."""
        try:
            digests = tuple(self._digests.digest(loader, path) for path in (entry.kernel, entry.initramfs))
            commit = commit_of(mounted.view.real_path(entry.deployment))
            version = next((one for one in self.versions if one.commit == commit), None)
            if version is None:
                return boot_damage(f"{entry.deployment}: leads to no deployment once the journal is replayed")
            if digests != version.boot:
                return boot_damage(
                    f"{entry.kernel} or {entry.initramfs}: missing, or not whole, before the journal is replayed"
                )
            problems = mounted.problems(version.deployment)
        except WorkbookError as error:
            return boot_damage(error.message)
        return Damage(part="deployment", problem=problems[0]) if problems else version

    def _damage(self, version: WholeVersion, mounted: MountedState) -> Iterator[Damage]:
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

    def _named(self, name: str, commit: str, mounted: MountedState) -> list[str]:
        """What is not whole of a commit that a ref or a deployment names."""
        known = next((one for one in self.versions if one.commit == commit), None)
        if known is None:
            return [f"{name}: names no commit of the upgrade: {commit[:64]!r}"]
        return [f"{name} names {known.name}: {problem}" for problem in mounted.problems(known.objects)]
