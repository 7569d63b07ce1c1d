"""Sentences about which boots there are, which are left out of medians, and which failed."""

from collections.abc import Iterable

from atomic_lib.guest.boot_record import Boot
from atomic_lib.report.elements.values import plural
from atomic_lib.results.analysis.boot_groups import boot_groups, excluded_boots
from atomic_lib.results.analysis.metrics import missing_boot_reason
from atomic_lib.results.variant_result import FailedBoot, VariantResult


def excluded_words(result: VariantResult) -> str:
    """How many boots are in no median because one of their checks failed; empty if there is none."""
    count = len(excluded_boots(result))
    its, are = ("its", "is") if count == 1 else ("their", "are")
    return f"{plural(count, 'boot')} failed {its} proof of life and {are} in no median" if count else ""


def excluded_notes(results: Iterable[VariantResult]) -> tuple[str, ...]:
    """One sentence for each variant that has such boots."""
    return tuple(f"{result.variant}: {words}." for result in results if (words := excluded_words(result)))


def not_alone(boots: Iterable[Boot]) -> str:
    """ "not timed alone", for the times of boots beside which other work of the workbook could go on; else empty."""
    return "not timed alone" if any(boot.alone is False for boot in boots) else ""


def not_alone_notes(results: Iterable[VariantResult]) -> tuple[str, ...]:
    """What that means; nothing if every boot was timed alone, or none was made by wall clock."""
    if not not_alone(boot for result in results for boot in result.boots):
        return ()
    return (
        "Not timed alone: other builds and boots of the workbook could go on beside these boots, so their times may "
        "be longer. A study that repeats its boots times each alone.",
    )


def boots_words(result: VariantResult) -> str:
    """How many boots of which kind were measured, or why none was."""
    groups = boot_groups([result])
    if not groups:
        return missing_boot_reason(result)
    counts = (f"{group}, n={len(group.boots_of(result))}" for group in groups)
    return "; ".join((*counts, *filter(None, [not_alone(result.boots), excluded_words(result)])))


def failed_boot_words(result: VariantResult) -> str:
    """ "booted 3 times, failed once: BIOS, boot 2: no ssh login within 600 s"; empty if no boot failed.

    "booted" counts the boots that passed all their checks, warm-up and counted ones included.
    """
    if not result.failed_boots:
        return ""
    passed = [boot for boot in result.boots if all(check.passed for check in boot.checks)]
    booted = len(passed) + len(result.counted_boots)
    reasons = "; ".join(_failure(boot) for boot in result.failed_boots)
    head = f"booted {_times(booted)}" if booted else "never booted"
    return f"{head}, failed {_times(len(result.failed_boots))}: {reasons}"


def failed_boot_notes(results: Iterable[VariantResult]) -> tuple[str, ...]:
    """One sentence for each variant of which a boot failed."""
    return tuple(f"{result.variant}: {words}." for result in results if (words := failed_boot_words(result)))


def _failure(boot: FailedBoot) -> str:
    how = "counted" if boot.firmware == "counted" else boot.firmware.upper()
    reason = boot.reason.strip().partition("\n")[0].rstrip(".")
    return f"{how}, {f'boot {boot.index}' if boot.index else 'warm-up boot'}: {reason}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")
