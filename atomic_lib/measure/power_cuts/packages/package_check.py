"""Whether a system that packages are made of comes up after a power cut, and with which of them: ``rpm -V`` of a state.

Each package that the update changes must be wholly old or wholly new: its files must be those that the RPM database
has, which must name it once. Version 1 is as the disk has it when the update begins, version 2 as the disk has it when
the guest has powered off; both are compared with the digests in the headers of their packages.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk_states.disk_state import DiskState
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.measure.power_cuts.mounted_state import FileDigests, MountedState, mount_state
from atomic_lib.measure.power_cuts.packages.changed_packages import (
    ChangedPackage,
    Packages,
    changed_packages,
    lasting_below,
    lasting_files,
    tree_of,
)
from atomic_lib.measure.power_cuts.packages.database_in_state import RpmDatabases, require_whole
from atomic_lib.measure.power_cuts.verdict import (
    GRUB_CONFIGURATION,
    Damage,
    Outcome,
    Part,
    RecordedEnds,
    StateVerdict,
    unbootable,
)
from atomic_lib.measure.power_cuts.whole_tree import WholeTree
from atomic_lib.tools.sandbox import Tools

_BOOTED = re.compile(r"^\s*(?:linux|initrd)\s+(/\S+)", re.MULTILINE)
INIT = "/sbin/init"
Side = Literal["old", "new", "neither"]


@dataclass(frozen=True)
class PackageVersions:
    """The packages of both versions; ``identities`` of them; ``kept``: the files of /var that must be whole."""

    identities: tuple[str, str]
    kept: tuple[str, ...]

    @property
    def inputs(self) -> dict[str, object]:
        """What identifies them."""
        return {"packages": [*self.identities], "kept": [*self.kept]}

    def checker(self, ends: RecordedEnds, tools: Tools) -> "PackageChecker":
        """The checker of states between the ends; raises WorkbookError if a version is not whole where it should be."""
        digests = FileDigests(ends.layout)
        databases = RpmDatabases(tools, digests)
        first, last = (databases.read(moment.view) for moment in (ends.first, ends.last))
        for name, database in (("version 1", first), ("version 2", last)):
            require_whole(name, database)
        files = tuple(databases.files(moment.view) for moment in (ends.first, ends.last))
        changes = changed_packages(ends, (first.packages, last.packages), (files[0], files[1]))
        if not changes:
            raise WorkbookError(f"{ends.name}: no package has changed in the recorded update")
        names = {nevra for change in changes for nevra, _ in (*change.old, *change.new)}
        changed = {one.path for listing in files for one in listing if one.nevra in names}
        rest = [one for one in files[0] if one.nevra not in names and one.path not in changed]
        etc = [path for path in lasting_below("/etc", ends) if path not in changed]
        return PackageChecker(
            ends,
            databases,
            changes,
            {name: found for name, found in first.packages.items() if name not in {one.name for one in changes}},
            rest=tree_of(ends.first, lasting_files(rest, ends)),
            etc=tree_of(ends.first, etc),
            kept=tree_of(ends.first, self.kept),
            file_counts=(len(files[0]), len(files[1])),
        )


@dataclass
class PackageChecker:
    """Checks states of one recorded update of packages.

    ``unchanged``: the packages that stay, ``rest``: their files; ``etc``: the files of /etc that are of no package that
    changes.
    """

    ends: RecordedEnds
    databases: RpmDatabases
    changes: tuple[ChangedPackage, ...]
    unchanged: Packages
    rest: WholeTree
    etc: WholeTree
    kept: WholeTree
    file_counts: tuple[int, int]

    def __post_init__(self) -> None:
        self._booted = self._boot_files(self.ends.first.view)
        self._inits = {self._digests.digest(moment.view, INIT) for moment in (self.ends.first, self.ends.last)}
        if not all(self._booted.values()) or self._boot_files(self.ends.last.view) != self._booted:
            raise WorkbookError(f"{self.ends.name}: another kernel, initramfs or menu: only one that stays is checked")

    @property
    def _digests(self) -> FileDigests:
        return self.databases.digests

    @property
    def whole_counts(self) -> tuple[int, int]:
        """How many files the packages of each version have."""
        return self.file_counts

    def check(self, state: DiskState) -> StateVerdict:
        """What a machine does with a disk in this state; raises CommandError if rpm cannot be started."""
        try:
            mounted = mount_state(state, self.ends.layout, self.ends.journal)
            booted = self._boot_files(FileView(state, self.ends.layout))
            lost = [path for path, digest in self._booted.items() if booted.get(path) != digest]
            if lost:
                return unbootable(f"{lost[0]}: missing, or not whole, before the journal is replayed")
            if self._digests.digest(mounted.view, INIT) not in self._inits:
                return unbootable(f"{INIT}: missing, or not whole")
            return self._verdict(mounted)
        except CommandError:  # says nothing about the state
            raise
        except WorkbookError as error:
            return unbootable(error.message)

    def _boot_files(self, view: FileView) -> dict[str, str]:
        """The digests of GRUB's configuration, and of the kernel and the initramfs that it starts."""
        paths = _BOOTED.findall(view.text(GRUB_CONFIGURATION) or "")
        return {path: self._digests.digest(view, path) for path in (GRUB_CONFIGURATION, *paths)}

    def _verdict(self, mounted: MountedState) -> StateVerdict:
        database = self.databases.read(mounted.view)
        damage = [Damage(part="RPM database", problem=database.problem)] if database.problem else []
        sides = set[Side]()
        for change in self.changes:
            side, problem = _side(change, database.packages, mounted)
            sides.add(side)
            damage += [Damage(part="packages", problem=problem)] if problem else []
        damage += self._rest(database.packages, mounted)
        outcome: Outcome = "mixed"
        if len(sides) == 1 and "neither" not in sides and not database.problem:
            outcome = "version 1" if sides == {"old"} else "version 2"
        elif not any(one.part in ("packages", "RPM database") for one in damage):
            damage += [Damage(part="packages", problem=f"of both versions: {self._new_ones(database.packages)}")]
        return StateVerdict(outcome=outcome, versions=1, damage=tuple(damage))

    def _new_ones(self, packages: Packages) -> str:
        new = [one.name for one in self.changes if tuple(packages.get(one.name, ())) == one.new]
        return f"{', '.join(new)} new, {len(self.changes) - len(new)} old"

    def _rest(self, packages: Packages, mounted: MountedState) -> Iterator[Damage]:
        """What is not whole of all that the update does not change."""
        known = {one.name for one in self.changes}
        others = {name: tuple(found) for name, found in packages.items() if name not in known}
        for name in sorted(self.unchanged.keys() | others.keys()):
            if tuple(self.unchanged.get(name, ())) != others.get(name, ()):
                yield Damage(part="RPM database", problem=f"{name}: not as it was")
        trees: tuple[tuple[Part, WholeTree], ...] = (("packages", self.rest), ("/etc", self.etc), ("/var", self.kept))
        for part, tree in trees:
            yield from (Damage(part=part, problem=problem) for problem in mounted.problems(tree))


def _side(change: ChangedPackage, packages: Packages, mounted: MountedState) -> tuple[Side, str]:
    """Which one is there as a whole, and otherwise what is wrong with it."""
    named = tuple(packages.get(change.name, ()))
    if named == change.old:
        problems = mounted.problems(change.old_files) or [
            f"{path}: of the new one" for path in change.added if mounted.view.lookup(path, follow=False)
        ]
        return ("old", "") if not problems else ("neither", _wrong(change, "old", problems, mounted))
    if named == change.new:
        problems = mounted.problems(change.new_files)
        return ("new", "") if not problems else ("neither", _wrong(change, "new", problems, mounted))
    names = ", ".join(nevra for nevra, _ in named)
    return "neither", f"{change.name}: the database has {names or 'none of it'}"


def _wrong(change: ChangedPackage, side: Side, problems: Sequence[str], mounted: MountedState) -> str:
    other, files = ("old", change.old_files) if side == "new" else ("new", change.new_files)
    whole = not mounted.problems(files) and (other == "new" or bool(change.old))
    what = f"all files are of the {other} one" if whole else problems[0]
    return f"{change.name}: the database has the {side} one, {what}"
