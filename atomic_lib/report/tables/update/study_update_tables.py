"""The updates of several variants side by side: what became of each, and what each cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from atomic_lib.guest.update.update_evidence import GuestUpdate, StepName, UpdateStep, etc_outcomes
from atomic_lib.guest.update.update_ways import UpdateWay
from atomic_lib.report.elements.blocks import Shown, Stack
from atomic_lib.report.elements.cells import Cell, missing, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.tables.update.update_tables import downloads_table
from atomic_lib.report.text import methods
from atomic_lib.results.analysis.metrics import Unit
from atomic_lib.results.update.update_results import RoundKind, UpdateResult, UpdateResults

UPDATES_PAGE = "updates.html"
"""The page of a run that begins with the heading "Updates"."""
ROUND_NAMES: dict[RoundKind, str] = {
    "update": "update",
    "power-cuts": "power cuts",
    "automatic-return": "automatic return",
    "refused-updates": "updates with a fault",
}
_INSTALL: tuple[StepName, ...] = ("check", "download", "deploy")
NOTHING = Stack(())


def rounds_table(updates: UpdateResults | None) -> Shown:
    """What was made, what became of it, and its page; nothing if the study updates nothing."""
    if updates is None:
        return NOTHING
    rows = tuple(
        (
            Cell(f"{ROUND_NAMES[one.kind]}: {one.variant}", link="" if _not_made(one.error) else one.file(".html")),
            verdict(not one.error, one.error or "as it must be"),
        )
        for one in updates.rounds
    )
    records = tuple(
        {"made": one.kind, "variant": one.variant, "as_it_must_be": not one.error, "error": one.error}
        for one in updates.rounds
    )
    notes = ("Each has a page of its own, with all of its tables.",)
    return Table("What was made", ("", "outcome"), rows, records, notes, anchor="update-rounds", fixed=True)


def _not_made(error: str) -> bool:
    return error.startswith("not made: ")


def downloads_tables(updates: UpdateResults | None) -> Shown:
    """What each way costs to download: one table for each variant."""
    made = updates.updates if updates else ()
    return Stack(tuple(_named(downloads_table(one.ways), one.variant) for one in made))


def _named(table: Table, variant: str) -> Table:
    return replace(table, caption=f"{table.caption}: {variant}", anchor=f"{table.anchor}-{variant}")


@dataclass(frozen=True)
class _Figure:
    """A row of the comparison; ``value``: None if it was not measured."""

    name: str
    title: str
    unit: Unit
    value: Callable[[UpdateResult], float | None]


def compared_table(updates: UpdateResults | None) -> Shown:
    """One column for each variant: what its update cost on the way to version 2, and back."""
    made = updates.updates if updates else ()
    if not made:
        return NOTHING
    rows = [
        (Cell(one.title), *(number(one.value(update), one.unit) for update in made)) for one in _FIGURES
    ]  # fmt: skip
    rows += [(Cell(title), *(cell(update) for update in made)) for title, cell in _FACTS]
    records = tuple(
        {"variant": update.variant, "figure": one.name, "value": one.value(update)}
        for one in _FIGURES
        for update in made
    )
    notes = (
        "One guest of each variant, beside other ones; one sample each. Seconds and processor time depend on this "
        "machine and its load. Written, processor time and bytes are those of looking for the update, downloading and "
        "installing it.",
        "Predicted from the locks: before version 2 is composed. The prediction from both versions is in the tables of "
        "the ways.",
    )
    return Table(
        "An update by each variant", ("", *(one.variant for one in made)), tuple(rows), records, notes,
        methods.GUEST_UPDATE, anchor="updates-compared", fixed=True,
    )  # fmt: skip


def _step(guest: GuestUpdate, name: StepName) -> UpdateStep:
    return next(step for step in guest.steps if step.name == name)


def _sum(update: UpdateResult, names: Sequence[StepName], value: Callable[[UpdateStep], float | None]) -> float | None:
    """The sum of some steps; None if it is not known of one of them."""
    values = [value(_step(update.guest, name)) for name in names]
    known = [one for one in values if one is not None]
    return sum(known) if len(known) == len(values) else None


def _taken(update: UpdateResult) -> UpdateWay | None:
    """The way that the guest took."""
    return update.way("RPM files") or update.way("loose objects")


def _used_bytes(update: UpdateResult, name: StepName) -> float | None:
    after = _step(update.guest, name).after
    return after.disk_used_bytes if after else None


def _locks_bytes(update: UpdateResult) -> float | None:
    way = _taken(update)
    return way.from_locks_bytes if way else None


_FIGURES = (
    _Figure("bytes", "downloaded", "bytes", lambda one: _sum(one, _INSTALL, lambda step: step.download.bytes)),
    _Figure("requests", "requests", "count", lambda one: _sum(one, _INSTALL, lambda step: step.download.requests)),
    _Figure("from_locks_bytes", "of it the update, predicted from the locks", "bytes", _locks_bytes),
    _Figure("download_bytes", "of it the update, in the guest", "bytes",
            lambda one: _step(one.guest, "download").download.bytes),
    _Figure("written_bytes", "written to the disk", "bytes",
            lambda one: _sum(one, _INSTALL, lambda step: step.written_bytes)),
    _Figure("processor_seconds", "processor time", "seconds",
            lambda one: _sum(one, _INSTALL, lambda step: step.processor_seconds)),
    _Figure("used_before_bytes", "disk used before", "bytes", lambda one: one.guest.states[0].disk_used_bytes),
    _Figure("used_download_bytes", "disk used once it is downloaded", "bytes",
            lambda one: _used_bytes(one, "download")),
    _Figure("used_after_bytes", "disk used once version 2 is there", "bytes", lambda one: _used_bytes(one, "deploy")),
    _Figure("login_seconds", "down until the login to version 2", "seconds",
            lambda one: _step(one.guest, "reboot").seconds),
    _Figure("docker_seconds", "down until Docker answers in version 2", "seconds",
            lambda one: _step(one.guest, "reboot").docker_seconds),
    _Figure("back_bytes", "to go back: downloaded", "bytes", lambda one: _step(one.guest, "rollback").download.bytes),
    _Figure("back_written_bytes", "to go back: written to the disk", "bytes",
            lambda one: _step(one.guest, "rollback").written_bytes),
    _Figure("back_processor_seconds", "to go back: processor time", "seconds",
            lambda one: _step(one.guest, "rollback").processor_seconds),
    _Figure("back_docker_seconds", "to go back: down until Docker answers", "seconds",
            lambda one: _step(one.guest, "reboot back").docker_seconds),
)  # fmt: skip


def _undone(update: UpdateResult) -> Cell:
    guest = update.guest
    back = guest.states[2]
    words = "the transaction: dnf history undo last" if guest.by_dnf else "all but /var: ostree admin set-default 1"
    known = back.packages if guest.by_dnf else back.commit
    return verdict(known == update.expected[3], words)


def _etc(update: UpdateResult) -> Cell:
    outcomes = etc_outcomes(update.guest)
    merged = sum(one.expected for one in outcomes)
    return Cell(f"{merged} of {len(outcomes)}", kind="number", value=merged)


def _kept(update: UpdateResult) -> Cell:
    guest = update.guest
    facts = [
        fact
        for state in (*guest.states, guest.deployed)
        for fact in (state.var_kept, state.container_running, state.volume_kept)
        if fact is not None
    ]
    return verdict(all(facts), "kept" if all(facts) else "not all of it")


def _usr(update: UpdateResult) -> Cell:
    guest = update.guest
    states = (*guest.states, guest.deployed)
    if guest.by_dnf:
        return Cell("read-only" if all(state.usr_read_only for state in states) else "writable")
    return verdict(all(state.usr_read_only for state in states), "read-only throughout")


def _selinux(update: UpdateResult) -> Cell:
    modes = {state.selinux for state in (*update.guest.states, update.guest.deployed)}
    return verdict(modes == {"enforcing"}, ", ".join(sorted(mode or "unknown" for mode in modes)))


def _proofs(update: UpdateResult) -> Cell:
    passed = [all(check.passed for check in boot.checks) for boot in update.guest.boots]
    return verdict(all(passed), f"{sum(passed)} of {len(passed)} boots")


def _exact(update: UpdateResult) -> Cell:
    measured = [way.exact for way in update.ways if way.exact is not None]
    return verdict(all(measured), f"{sum(measured)} of {len(measured)} to the byte") if measured else missing("none")


_FACTS: tuple[tuple[str, Callable[[UpdateResult], Cell]], ...] = (
    ("what can be undone", _undone),
    ("files of /etc as a three-way merge has them", _etc),
    ("/usr", _usr),
    ("SELinux", _selinux),
    ("/var, a container and its volume", _kept),
    ("proof of life", _proofs),
    ("ways as predicted", _exact),
)
