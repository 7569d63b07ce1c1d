"""What a run says, in one paragraph per variant, made from its figures and no more certain than they are."""

from collections.abc import Sequence
from statistics import median

from atomic_lib.guest.counted.counted_difference import BUSY_LIMIT, counted_difference
from atomic_lib.measure.statistics import NO_DIFFERENCE, Verdict
from atomic_lib.report.page.elements import NBSP, Alert, Sentences, Stack, plural, quantity
from atomic_lib.report.tables.boot.boot_times import BootTime, median_text
from atomic_lib.report.tables.build.package_changes import changes_between
from atomic_lib.report.text import fallback_words
from atomic_lib.results.metrics import (
    MARKS,
    BootGroup,
    boot_groups,
    counted_busy_seconds,
    median_of,
    missing_boot_reason,
)
from atomic_lib.results.variant_result import Boot, CountedBoot, CountedUnit, StudyResult, VariantResult

_MAIN_PART = 0.25
"""From which share of a difference on a unit is named as where it is."""

_TOLD_MARKS = ("ssh-login", "docker-ready")


def conclusions(study: StudyResult) -> Sentences:
    """One paragraph per variant: size against the baseline, what is gone, boots, checks."""
    return Sentences(tuple((f"{result.variant}:", sentence(study, result)) for result in study.variants))


def sentence(study: StudyResult, result: VariantResult) -> str:
    """What the figures of one variant say."""
    standing = fallback_words.words_for(study, result)
    if result.error:
        return f"failed at the stage {result.error.stage}: {_first_line(result.error.message)} {standing}".rstrip()
    base = None if result.variant == study.baseline else study.variant(study.baseline)
    parts = [
        _size(result, base, study.baseline),
        _gone(result, base),
        *(_boots(group, study, result, base) for group in boot_groups([result])),
        "" if boot_groups([result]) else _not_booted(result),
        _counted(result, base),
        _checks(result.boots),
    ]
    if result.status == "incomplete":
        parts.append("Incomplete: boots are still to be made.")
    parts.append(standing)
    return " ".join(part for part in parts if part)


def failures(study: StudyResult) -> Stack:
    """Every failed variant with its cause, next step and log; nothing if there is none."""
    return Stack(tuple(failure(result) for result in study.variants if result.error))


def failure(result: VariantResult, to_run: str = "") -> Alert:
    """The failure of one variant. ``to_run``: prefix of links, from the page to the run's directory.

    Raises ValueError for a variant that did not fail.
    """
    if result.error is None:
        raise ValueError(f"{result.variant} did not fail")
    logs = tuple(
        (f"console log of boot {boot.index} ({boot.firmware.upper()})", to_run + boot.console_log)
        for boot in result.boots
        if boot.console_log
    )
    heading = f"{result.variant} failed at the stage {result.error.stage}"
    return Alert(heading, result.error.message, result.error.hint, result.error.log, logs)


def _size(result: VariantResult, base: VariantResult | None, baseline: str) -> str:
    if result.tree_bytes is None:
        return "The size of the tree was not measured."
    tree = f"the tree holds {quantity(result.tree_bytes, 'bytes')}"
    packages = "" if result.package_count is None else f" in {plural(result.package_count, 'package')}"
    if result.variant == baseline:
        return f"baseline: {tree}{packages}."
    if base is None or base.tree_bytes is None:
        return f"{tree}{packages}; there is no figure of the baseline {baseline} to compare it with."
    than = f", {_against(result.tree_bytes, base.tree_bytes)},"
    return f"against {baseline} {tree}{than}{packages}{_moved(result, base)}{_image(result, base)}.".replace(",.", ".")


def _moved(result: VariantResult, base: VariantResult) -> str:
    """How many packages left and came in."""
    found = changes_between(base, result)
    if found is None or not (found.left or found.came_in):
        return ""
    return f" ({len(found.left)} left, {len(found.came_in)} came in)"


def _image(result: VariantResult, base: VariantResult) -> str:
    ours, theirs = result.image_compressed_bytes, base.image_compressed_bytes
    if ours is None or theirs is None:
        return ""
    return f"; the compressed image has {quantity(ours, 'bytes')}, {_against(ours, theirs)}"


def _against(value: int, base: int) -> str:
    if value == base:
        return "as much"
    percent = f" ({100 * abs(value - base) / base:.0f}{NBSP}%)" if base else ""
    return f"{quantity(abs(value - base), 'bytes')}{percent} {'less' if value < base else 'more'}"


def _gone(result: VariantResult, base: VariantResult | None) -> str:
    """What of the kinds that are looked for is no longer in the tree, what never was, and what stays."""
    before = base.forbidden_paths if base else {}
    gone = [f"{kind} ({plural(before[kind], 'file')})" for kind, count in result.forbidden_paths.items()
            if count == 0 and before.get(kind)]  # fmt: skip
    never = [kind for kind, count in result.forbidden_paths.items() if count == 0 and not before.get(kind)]
    stays = [kind for kind, count in result.forbidden_paths.items() if count]
    said = [("Gone: ", gone), ("Not in it: ", never), ("Still in it: " if base else "In it: ", stays)]
    return " ".join(f"{head}{' and '.join(names)}." for head, names in said if names)


def _boots(group: BootGroup, study: StudyResult, result: VariantResult, base: VariantResult | None) -> str:
    """The times of one kind of boot, and the words that the statistics allow for them."""
    n = len(group.boots_of(result))
    times = [BootTime(group, name) for name in _TOLD_MARKS]
    if times[0].summary(result) is None:
        return f"By {group}: no ssh login in {plural(n, 'boot')}."
    told = [(clause, time.verdict(study, result)) for time in times if (clause := _time(time, result, base))]
    clauses, verdicts = [clause for clause, _ in told], [verdict for _, verdict in told if verdict]
    if base is None or not verdicts:
        return f"By {group}: {', '.join(clauses)} ({'one boot, no statistics' if n == 1 else f'medians, n = {n}'})."
    head = f"By {group}, n = {n} against {len(group.boots_of(base))}"
    reasons = {verdict.reason for verdict in verdicts}
    if len(reasons) == 1 and all(verdict.word == NO_DIFFERENCE for verdict in verdicts):
        return f"{head}: {', '.join(clauses)}: {NO_DIFFERENCE} ({reasons.pop()})."
    return f"{head}: {'; '.join(clause + _word(verdict) for clause, verdict in told)}."


def _time(time: BootTime, result: VariantResult, base: VariantResult | None) -> str:
    """ "ssh login after 48.2 s against 74.0 s"; where not every boot came so far, how many did."""
    title, summary = MARKS[time.name], time.summary(result)
    if summary is None:
        # a variant without Docker is not late with it
        return f"{title}: never" if result.parameters.get("runtime", "docker") == "docker" else ""
    boots = len(time.group.boots_of(result))
    some = f" (in {summary.n} of {plural(boots, 'boot')})" if summary.n < boots else ""
    theirs = time.summary(base) if base else None
    against = f" against {median_text(theirs)}" if theirs else ""
    return f"{title} after {median_text(summary)}{some}{against}"


def _word(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    shift = "" if verdict.word == NO_DIFFERENCE else f" by {quantity(abs(verdict.shift_seconds), 'seconds')}"
    return f", {verdict.word}{shift} ({verdict.reason})"


def _not_booted(result: VariantResult) -> str:
    return "" if result.status == "incomplete" else f"Boot: {missing_boot_reason(result)}."


def _counted(result: VariantResult, base: VariantResult | None) -> str:
    if not result.counted_boots:
        return ""
    if base is None or not base.counted_boots:
        return f"A counted boot costs {quantity(_median_boot(result).busy_seconds, 'counted')}."
    text = counted_shift(result, base)
    return f"{text[0].upper()}{text[1:]}."


def counted_shift(result: VariantResult, base: VariantResult) -> str:
    """What a counted boot costs more or less than the baseline's; nothing where one of both was not counted.

    They are compared by what chance can do to a count, never by a rank test of times.
    """
    if not (result.counted_boots and base.counted_boots):
        return ""
    ours, theirs = _median_boot(result), _median_boot(base)
    text = f"a counted boot costs {quantity(ours.busy_seconds, 'counted')}"
    against = f"{text} against {quantity(theirs.busy_seconds, 'counted')}"
    if _ways(result) != _ways(base):
        return f"{against}, but counted in another way: not compared"
    found = {cost.what: cost for cost in counted_difference(theirs, ours).costs}
    if "boot" not in found:
        return f"{against}: {NO_DIFFERENCE} (chance moves a boot by up to {100 * BUSY_LIMIT:g}{NBSP}%)"
    shift = found.pop("boot").seconds
    # one that explains little of the whole would only mislead
    same_way = [cost for cost in found.values() if cost.seconds * shift > _MAIN_PART * shift**2]
    most = "".join(f", most of all {one.what} ({quantity(abs(one.seconds), 'counted')})" for one in same_way[:1])
    return f"{against}, {quantity(abs(shift), 'counted')} {'less' if shift < 0 else 'more'}{most}"


def _ways(result: VariantResult) -> set[tuple[int, str | None]]:
    """In which ways the boots were counted."""
    return {(boot.shift, boot.qemu_version) for boot in result.counted_boots}


def _median_boot(result: VariantResult) -> CountedBoot:
    """The counted boots as one, each figure the median of theirs, as the tables have them."""
    boots = result.counted_boots
    seconds: dict[str, list[float]] = {}
    for unit in (unit for boot in boots for unit in boot.units):
        seconds.setdefault(unit.unit, []).append(unit.cpu_seconds)
    return CountedBoot(
        busy_seconds=counted_busy_seconds(result) or 0.0,
        outside_units_seconds=median_of(boot.outside_units_seconds for boot in boots) or 0.0,
        units=tuple(CountedUnit(unit=name, cpu_seconds=median(of)) for name, of in seconds.items()),
        shift=boots[0].shift,
        qemu_version=boots[0].qemu_version,
    )


def _checks(boots: Sequence[Boot]) -> str:
    checks = [check for boot in boots for check in boot.checks]
    failed = list(dict.fromkeys(check.name for check in checks if not check.passed))
    if not checks:
        return ""
    if failed:
        return f"Checks that failed: {', '.join(failed)}."
    return f"All {plural(len(checks), 'check')} passed." if len(checks) > 1 else "The one check passed."


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no message"
