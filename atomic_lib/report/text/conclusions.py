"""What a run shows, in one paragraph per variant, derived from its figures without overstating them."""

from collections.abc import Sequence

from atomic_lib.guest.boot_record import Boot
from atomic_lib.guest.counted.counted_difference import OUTSIDE_UNITS
from atomic_lib.measure.rank_statistics import NO_DIFFERENCE, Verdict
from atomic_lib.report.elements.blocks import Alert, Sentences, Stack
from atomic_lib.report.elements.values import NBSP, percentage, plural, quantity
from atomic_lib.report.text import fallback_words
from atomic_lib.report.text.boot_words import failed_boot_words
from atomic_lib.report.text.time_words import median_text
from atomic_lib.results.analysis.boot_groups import MILESTONES, BootGroup, boot_groups
from atomic_lib.results.analysis.boot_times import BootTime
from atomic_lib.results.analysis.counted_comparison import CHANCE_SHARE, compare_counted
from atomic_lib.results.analysis.metrics import counted_busy_seconds, missing_boot_reason
from atomic_lib.results.analysis.package_changes import package_changes
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_REPORTED = ("ssh-login", "docker-ready")


def conclusions(study: StudyResult) -> Sentences:
    """One paragraph per variant: size against the baseline, what was removed, boots, checks."""
    return Sentences(tuple((f"{result.variant}:", sentence(study, result)) for result in study.variants))


def sentence(study: StudyResult, result: VariantResult) -> str:
    """What the figures of one variant show."""
    fallback = fallback_words.words_for(study, result)
    if result.error:
        return f"failed at the stage {result.error.stage}: {_first_line(result.error.message)} {fallback}".rstrip()
    base = None if result.variant == study.baseline else study.variant(study.baseline)
    parts = [
        _size(result, base, study.baseline),
        _kinds(result, base),
        *(_boots(group, study, result, base) for group in boot_groups([result])),
        "" if boot_groups([result]) else _not_booted(result),
        _counted(result, base),
        _checks(result.boots),
        _failed(result),
    ]
    if result.status == "incomplete":
        parts.append("Incomplete: not all boots have been made.")
    parts.append(fallback)
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
        return f"{tree}{packages}; the baseline {baseline} has no figure to compare with."
    equal = result.tree_bytes == base.tree_bytes
    than = f"as much as {baseline}" if equal else f"{_against(result.tree_bytes, base.tree_bytes)} than {baseline}"
    return f"{tree}{packages}{_changes(result, base)}, {than}{_image(result, base)}."


def _changes(result: VariantResult, base: VariantResult) -> str:
    """How many packages were removed and added."""
    found = package_changes(base, result)
    if found is None or not (found.removed or found.added):
        return ""
    return f" ({len(found.removed)} removed, {len(found.added)} added)"


def _image(result: VariantResult, base: VariantResult) -> str:
    ours, theirs = result.image_compressed_bytes, base.image_compressed_bytes
    if ours is None or theirs is None:
        return ""
    return f"; the compressed image has {quantity(ours, 'bytes')}, {_against(ours, theirs)}"


def _against(value: int, base: int) -> str:
    if value == base:
        return "as much"
    percent = percentage(value, base)
    size = quantity(abs(value - base), "bytes") + (f" ({percent})" if percent else "")
    return f"{size} {'less' if value < base else 'more'}"


def _kinds(result: VariantResult, base: VariantResult | None) -> str:
    """Which of the kinds of files that are looked for were removed, which are absent in both, and which remain."""
    before = base.forbidden_paths if base else {}
    gone = [f"{kind} ({plural(before[kind], 'file')})" for kind, count in result.forbidden_paths.items()
            if count == 0 and before.get(kind)]  # fmt: skip
    never = [kind for kind, count in result.forbidden_paths.items() if count == 0 and not before.get(kind)]
    stays = [kind for kind, count in result.forbidden_paths.items() if count]
    kinds = [("Removed: ", gone), ("Absent: ", never), ("Still present: " if base else "Present: ", stays)]
    return " ".join(f"{head}{' and '.join(names)}." for head, names in kinds if names)


def _boots(group: BootGroup, study: StudyResult, result: VariantResult, base: VariantResult | None) -> str:
    """The times of one kind of boot, and what the statistics allow to say of them."""
    n = len(group.boots_of(result))
    times = [BootTime(group, name) for name in _REPORTED]
    if times[0].summary(result) is None:
        return f"Booted by {group}: no ssh login in {plural(n, 'boot')}."
    timed = [(clause, time.verdict(study, result)) for time in times if (clause := _time(time, result, base))]
    clauses, verdicts = [clause for clause, _ in timed], [verdict for _, verdict in timed if verdict]
    if base is None or not verdicts:
        return (
            f"Booted by {group}: {', '.join(clauses)} ({'one boot, no statistics' if n == 1 else f'medians, n = {n}'})."
        )
    head = f"Booted by {group}, n = {n} against {len(group.boots_of(base))}"
    reasons = {verdict.reason for verdict in verdicts}
    if len(reasons) == 1 and all(verdict.word == NO_DIFFERENCE for verdict in verdicts):
        return f"{head}: {', '.join(clauses)}: {NO_DIFFERENCE} ({reasons.pop()})."
    return f"{head}: {'; '.join(clause + _word(verdict) for clause, verdict in timed)}."


def _time(time: BootTime, result: VariantResult, base: VariantResult | None) -> str:
    """ "ssh login after 48.2 s against 74.0 s"; where not every boot got that far, how many did."""
    title, summary = MILESTONES[time.name], time.summary(result)
    if summary is None:
        # a variant without Docker never has it ready
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
    busy_seconds = counted_busy_seconds(result)
    if busy_seconds is None:
        return ""
    if base is None or not base.counted_boots:
        return f"A counted boot costs {quantity(busy_seconds, 'counted')}."
    text = counted_shift(result, base)
    return f"{text[0].upper()}{text[1:]}."


def counted_shift(result: VariantResult, base: VariantResult) -> str:
    """What a counted boot costs more or less than the baseline's; empty if one of the two was not counted."""
    found = compare_counted(result, base)
    if found is None:
        return ""
    busy, theirs = quantity(found.busy_seconds, "counted"), quantity(found.base_seconds, "counted")
    against = f"a counted boot costs {busy} against {theirs}"
    if not found.same_method:
        return f"{against}, but counted with other settings: not compared"
    if found.shift_seconds is None:
        return f"{against}: {NO_DIFFERENCE} (chance changes a boot by up to {100 * CHANCE_SHARE:g}{NBSP}%)"
    where = "outside all units, in the kernel" if found.cause == OUTSIDE_UNITS else f"in {found.cause}"
    most = f", mostly {where} ({quantity(abs(found.cause_seconds), 'counted')})" if found.cause else ""
    return f"{against}, {quantity(abs(found.shift_seconds), 'counted')} {_less_or_more(found.shift_seconds)}{most}"


def _less_or_more(difference: float) -> str:
    return "less" if difference < 0 else "more"


def _checks(boots: Sequence[Boot]) -> str:
    checks = [check for boot in boots for check in boot.checks]
    failed = list(dict.fromkeys(check.name for check in checks if not check.passed))
    if not checks:
        return ""
    if failed:
        return f"Checks that failed: {', '.join(failed)}."
    return f"All {plural(len(checks), 'check')} passed." if len(checks) > 1 else "The one check passed."


def _failed(result: VariantResult) -> str:
    words = failed_boot_words(result)
    return f"{words[0].upper()}{words[1:]}." if words else ""


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no message"
