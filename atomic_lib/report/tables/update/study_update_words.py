"""The updates of a study in a few sentences, for the front page and for ``summary.md``."""

from collections.abc import Iterator

from atomic_lib.report.elements.blocks import Section, Sentences
from atomic_lib.report.elements.values import plural, quantity
from atomic_lib.report.tables.update.power_cut_tables import CONTROL_NAMES
from atomic_lib.report.tables.update.study_update_tables import ROUND_NAMES
from atomic_lib.results.update.update_results import PowerCutsResult, UpdateResult, UpdateResults


def section(updates: UpdateResults | None) -> Section:
    """What the updates cost, and what power cuts leave; without parts if the study updates nothing."""
    sentences = tuple(_sentences(updates)) if updates else ()
    text = "Each variant is updated to a version 2 and goes back. The page Updates has all figures."
    return Section("What an update costs", text, (Sentences(sentences),) if sentences else ())


def summary_lines(updates: UpdateResults | None) -> str:
    """The bytes of each way, the outcome of power cuts, and what else went as it must or not, as a list in Markdown.

    Empty if the study updates nothing.
    """
    if updates is None:
        return ""
    lines = [f"{one.variant}, {_ways(one)}" for one in updates.updates]
    if updates.power_cuts:
        lines.append(f"power cuts: {_power_cuts(updates.power_cuts)}")
    if found := updates.returns:
        good = sum(not one.problems for one in found.outcomes)
        guests = plural(len(found.outcomes), "guest")
        lines.append(f"automatic return of {found.variant}: {good} of {guests} as it must be")
    if refused := updates.refusals:
        results = refused.guest.results
        good = sum(not one.problems for one in results)
        lines.append(f"updates with a fault: {good} of {plural(len(results), 'attempt')} treated as they must be")
    lines += [
        f"{ROUND_NAMES[one.kind]} of {one.variant}: failed: {one.error.splitlines()[0]}" for one in updates.failed
    ]
    return "\n".join(["Updates to a version 2:", *(f"- {line}" for line in lines)])


def _ways(one: UpdateResult) -> str:
    """What each way downloads, measured where it was."""
    figures = [(way.name, way.guest or way.loopback, way.predicted) for way in one.ways]
    words = [
        f"{name} {quantity((measured or predicted).bytes, 'bytes')}{'' if measured else ' (predicted)'}"
        for name, measured, predicted in figures
    ]
    return f"{one.changes}: {', '.join(words)}"


def _sentences(updates: UpdateResults) -> Iterator[tuple[str, str]]:
    yield from ((f"{one.variant}.", _update(one)) for one in updates.updates)
    if updates.power_cuts:
        yield "Power cuts.", _power_cuts(updates.power_cuts)
    yield from ((f"{ROUND_NAMES[one.kind].capitalize()} of {one.variant}.", f"✗ {one.error}") for one in updates.failed)


def _update(one: UpdateResult) -> str:
    steps = {step.name: step for step in one.guest.steps}
    download, down, back = steps["download"].download, steps["reboot"].docker_seconds, steps["rollback"].download
    tool = "dnf" if one.guest.by_dnf else "ostree"
    words = [f"{tool} downloaded {download.bytes:,} bytes in {plural(download.requests, 'request')}."]
    if down is not None:
        words.append(f"From the command to reboot until Docker answered it took {quantity(down, 'seconds')}.")
    words.append(f"To undo it {f'downloads {back.bytes:,} bytes' if back.bytes else 'downloads nothing'}.")
    return " ".join(words)


def _power_cuts(found: PowerCutsResult) -> str:
    upgrade = found.upgrade
    states = sum(len(one.cuts) for one in found.recordings)
    seconds = sum(one.check_seconds for one in found.recordings)
    pace = f", {60 * states / seconds:,.0f} a minute" if seconds else ""
    lost, worn = upgrade.outcomes["unbootable"], len(upgrade.not_whole)
    controls = "; ".join(
        f"{CONTROL_NAMES[one.control].removeprefix('control: ')}: {len(one.damaged):,} of {len(one.cuts):,}"
        for one in found.recordings[1:]
    )
    return (
        f"{plural(states, 'state')} checked{pace}. Of {len(upgrade.cuts):,} that a cut during the upgrade of "
        f"{found.variant} can leave, {lost:,} do not boot, and {worn:,} boot with something that is not whole. "
        f"Damaged in the controls: {controls}."
    )
