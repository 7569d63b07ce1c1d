"""Tables of power cuts: how many states were checked, where the outcome changes, and what is not whole."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import get_args

from atomic_lib.guest.power_cuts.upgrade_recording import Control, StepOfUpgrade
from atomic_lib.measure.power_cuts.booted_states import BootedState
from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates
from atomic_lib.measure.power_cuts.replay import CutVerdict
from atomic_lib.measure.power_cuts.verdict import Outcome
from atomic_lib.report.elements.blocks import Sentences
from atomic_lib.report.elements.cells import Cell, missing, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.text import methods

CONTROL_NAMES: dict[Control, str] = {
    "none": "the upgrade",
    "no-fsync": "control: ostree with fsync off",
    "no-sync": "control: deployed without a sync",
    "dnf": "control: packages by dnf",
}
STEP_NAMES: dict[StepOfUpgrade, str] = {
    "download": "download",
    "idle": "idle, version 2 is downloaded",
    "deploy": "deploy, or install",
    "idle again": "idle, version 2 is deployed, or installed",
    "shutdown": "shutdown",
}
_PROBLEM_MOST = 160
BOUNDS = Sentences(
    (
        ("At a flush.", "All that was written before it is on the disk, and nothing since."),
        ("In order.", "The first writes since the flush are there, too."),
        ("Torn.", "The same, and of the next write its first half, to a whole block of 4 KiB."),
        ("One missing.", "All writes up to the next flush are there but one."),
        ("One alone.", "One write has overtaken all others since the flush."),
        ("At random.", "Each write since the flush is there with a chance of one half."),
    )
)
"""The ways in which writes between two flushes are missing."""
NOT_MEASURED = Sentences(
    (
        (
            "Other orders.",
            "Between two flushes any part of the writes can be on the disk; a bounded number is checked.",
        ),
        ("Parts of a block.", "A block of 4 KiB is there as a whole or not at all."),
        ("Disks that lie.", "What was flushed is taken to be on the disk."),
        ("Another kernel by dnf.", "The update by dnf leaves kernel, initramfs and menu as they are."),
        ("Another file system for /boot.", "The image has /boot in its root file system, ext4."),
        ("Staged deployments.", "The guest's ostree deploys at once, and not at shutdown."),
    )
)
"""What belongs to the question and has no figure here."""


def summary_table(recordings: Sequence[PowerCutStates]) -> Table:
    """How many states of each recording were checked, and what a machine does with them."""
    rows = tuple(_summary_row(one) for one in recordings)
    records = tuple(
        {
            "recording": one.control,
            "requests": one.requests,
            "flushes": one.flushes,
            "states": len(one.cuts),
            "states_a_minute": one.states_a_minute,
            **{outcome.replace(" ", "_"): one.outcomes[outcome] for outcome in get_args(Outcome)},
            "damaged": len(one.damaged),
        }
        for one in recordings
    )
    header = ("", "writes and flushes", "flushes", "states", "states a minute", "version 1", "version 2", "mixed",
              "unbootable", "not whole", "e2fsck")  # fmt: skip
    notes = (
        "States a minute depend on this machine and its load.",
        "Mixed: packages of both versions, or a package whose files are not those that the RPM database has. Whether "
        "such a machine starts is not said.",
        "Unbootable: the default entry of the menu does not lead to a whole deployment; with packages, to a whole "
        "kernel, initramfs and init.",
        "Not whole: it boots, but something else is damaged.",
        "In a control there must be more of these, or of those that are mixed or unbootable.",
        "e2fsck: so many of the states that it looked at were repaired, to the same blocks.",
    )
    return Table("States after a power cut", header, rows, records, notes, methods.POWER_CUTS,
                 anchor="power-cut-states", fixed=True)  # fmt: skip


def _summary_row(one: PowerCutStates) -> tuple[Cell, ...]:
    lost = one.outcomes["unbootable"]
    repaired = sum(repair.repaired and not repair.other_blocks for repair in one.repairs)
    mixed, damaged = one.outcomes["mixed"], len(one.not_whole)
    return (
        Cell(CONTROL_NAMES[one.control]),
        number(one.requests, "count"),
        number(one.flushes, "count"),
        number(len(one.cuts), "count"),
        number(round(one.states_a_minute), "count"),
        number(one.outcomes["version 1"], "count"),
        number(one.outcomes["version 2"], "count"),
        *(Cell(f"{count:,}", kind="bad" if count else "good", value=count) for count in (mixed, lost, damaged)),
        verdict(repaired == len(one.repairs), f"{repaired} of {len(one.repairs)}"),
    )  # fmt: skip


@dataclass(frozen=True)
class _Stretch:
    """Consecutive flushes after which the same can happen."""

    step: StepOfUpgrade
    at_flush: str
    between: tuple[str, ...]


def map_table(states: PowerCutStates | None) -> Table:
    """The map: from which write on a power cut leaves which version; None: of what was not recorded."""
    if states is None:
        return Table("The map of an update by dnf", (), (), (), anchor="power-cut-map-dnf",
                     empty="None was recorded; --packages NAME does so.")  # fmt: skip
    stretches = groupby(by_flush(states.cuts), key=_stretch)
    rows, records = list[tuple[Cell, ...]](), list[dict[str, object]]()
    for stretch, members in stretches:
        groups = list(members)
        first, last = groups[0][0].request, groups[-1][0].request
        count = sum(map(len, groups))
        others = Counter(_words(cut) for group in groups for cut in group if cut.kind != "at a flush")
        between = ", ".join(f"{words} ({times:,})" for words, times in sorted(others.items()))
        rows.append(
            (Cell(f"{first:,} to {last:,}"), Cell(STEP_NAMES[stretch.step]), number(count, "count"),
             Cell(stretch.at_flush), Cell(between) if between else missing("no state"))
        )  # fmt: skip
        records.append(
            {"first_request": first, "last_request": last, "step": stretch.step, "states": count,
             "at_a_flush": stretch.at_flush, "between_flushes": between}
        )  # fmt: skip
    header = ("writes", "step", "states", "cut at a flush", "cut between flushes")
    notes = ("Writes are counted from the start of the download.",)
    title = f"The map of {CONTROL_NAMES[states.control]}: cut point, state, outcome"
    return Table(title, header, tuple(rows), tuple(records), notes, methods.POWER_CUTS,
                 anchor=f"power-cut-map-{states.control}", fixed=True)  # fmt: skip


def side_by_side_table(upgrade: PowerCutStates, packages: PowerCutStates | None) -> Table:
    """Each step of the upgrade and of the update by dnf: how many states have each outcome."""
    outcomes, sides = get_args(Outcome), [one for one in (upgrade, packages) if one]
    rows, records = list[tuple[Cell, ...]](), list[dict[str, object]]()
    for step, name in STEP_NAMES.items():
        for at_flush in (True, False):
            counts = [
                Counter(
                    cut.verdict.outcome
                    for cut in one.cuts
                    if cut.step == step and (cut.kind == "at a flush") == at_flush
                )
                for one in sides
            ]
            if any(counts):
                where = "at a flush" if at_flush else "between flushes"
                cells = (number(count[outcome], "count") for count in counts for outcome in outcomes)
                rows.append((Cell(name), Cell(where), *cells))
                records += [
                    {"recording": one.control, "step": step, "cut": where,
                     **{outcome.replace(" ", "_"): count[outcome] for outcome in outcomes}}
                    for one, count in zip(sides, counts, strict=True)
                ]  # fmt: skip
    of = ("ostree", "dnf")[: len(sides)]
    header = ("step", "cut", *(f"{name}: {outcome}" for name in of for outcome in outcomes))
    return Table("What a cut in each step leaves, by ostree and by dnf", header, tuple(rows), tuple(records), (),
                 methods.POWER_CUTS, anchor="power-cut-steps", fixed=True)  # fmt: skip


def by_flush(cuts: Sequence[CutVerdict]) -> list[list[CutVerdict]]:
    """The cuts in their order, those after the same flush together."""
    return [list(group) for _, group in groupby(cuts, key=lambda cut: cut.request)]


def _stretch(group: list[CutVerdict]) -> _Stretch:
    between = tuple(sorted({_words(cut) for cut in group[1:]} - {_words(group[0])}))
    return _Stretch(group[0].step, _words(group[0]), between)


def _words(cut: CutVerdict) -> str:
    """What a machine does after this cut."""
    parts = sorted({damage.part for damage in cut.verdict.damage})
    if cut.verdict.outcome == "unbootable":
        return "unbootable"
    if cut.verdict.outcome == "mixed":
        return f"mixed: {', '.join(parts)}"
    menu = f"{cut.verdict.outcome} boots" + (", the other is in the menu" if cut.verdict.versions > 1 else "")
    return f"{menu}; not whole: {', '.join(parts)}" if parts else menu


def booted_table(booted: Sequence[BootedState]) -> Table:
    """States that were booted: what the check expected, and what the machine did."""
    rows = tuple(
        (Cell(f"after write {one.request:,}, {one.kind}"), Cell(STEP_NAMES[one.step]), Cell(one.expected),
         verdict(one.as_expected, one.found), Cell("GRUB's prompt" if one.expected == "unbootable" else one.proof))
        for one in booted
    )  # fmt: skip
    records = tuple(one.model_dump(exclude={"said"}) for one in booted)
    header = ("cut", "step", "the check says", "the machine did", "shown by")
    return Table("Booted states", header, rows, records, (), methods.POWER_CUTS, anchor="power-cut-boots", fixed=True,
                 empty="None was booted; --boots N boots N of them.")  # fmt: skip


def damage_table(recordings: Sequence[PowerCutStates]) -> Table:
    """What is not whole, and how often; one line for each part of the system."""
    rows, records = list[tuple[Cell, ...]](), list[dict[str, object]]()
    for one in recordings:
        found: dict[str, list[tuple[CutVerdict, str]]] = {}
        for cut in one.damaged:
            for part in {damage.part for damage in cut.verdict.damage}:
                problem = next(damage.problem for damage in cut.verdict.damage if damage.part == part)
                found.setdefault(part, []).append((cut, problem))
        for name, cases in sorted(found.items()):
            cut, problem = cases[0]
            rows.append(
                (Cell(CONTROL_NAMES[one.control]), Cell(name), number(len(cases), "count"),
                 Cell(f"after write {cut.request:,}, {cut.kind}"), Cell(problem[:_PROBLEM_MOST]))
            )  # fmt: skip
            records.append(
                {"recording": one.control, "part": name, "states": len(cases), "first_request": cut.request,
                 "kind": cut.kind, "problem": problem}
            )  # fmt: skip
    header = ("", "part", "states", "the first one", "what is not whole there")
    return Table("What is not whole", header, tuple(rows), tuple(records), (), methods.POWER_CUTS,
                 anchor="power-cut-damage", fixed=True, empty="Nothing: in each state all is whole.")  # fmt: skip
