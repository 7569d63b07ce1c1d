"""One sentence per variant, derived from its figures and no more certain than they are."""

from atomic_lib.measure.rank_statistics import NO_DIFFERENCE
from atomic_lib.report.elements.blocks import Details, Sentences, Stack
from atomic_lib.report.elements.values import percentage, quantity
from atomic_lib.report.text import fallback_words
from atomic_lib.report.text.conclusions import conclusions, counted_shift
from atomic_lib.report.text.time_words import shift_text
from atomic_lib.results.analysis.boot_groups import BootGroup, boot_groups
from atomic_lib.results.analysis.boot_times import BootTime
from atomic_lib.results.analysis.metrics import counted_busy_seconds
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult


def in_short(study: StudyResult) -> Stack:
    """The sentences, and below them, folded away, a full paragraph for each variant."""
    sentences = Sentences(tuple((f"{result.variant}:", sentence(study, result)) for result in study.variants))
    return Stack((sentences, Details("In full: sizes, packages, boots, checks", conclusions(study))))


def sentence(study: StudyResult, result: VariantResult) -> str:
    """What matters most of one variant, and of its fallback where it failed."""
    return f"{_own(study, result)} {fallback_words.words_for(study, result)}".rstrip()


def _own(study: StudyResult, result: VariantResult) -> str:
    if result.error:
        return f"failed at the stage {result.error.stage}."
    base = study.variant(study.baseline)
    if result.tree_bytes is None:
        return "nothing was measured."
    if base is None or base is result or not base.tree_bytes:
        size = f"{quantity(result.tree_bytes, 'bytes')} in {result.package_count or 0:,} packages"
        return f"{'the baseline, ' if base is result else ''}{size}{_has(result)}{_cost(result)}."
    parts = [f"{_smaller(result.tree_bytes, base.tree_bytes)} ({quantity(result.tree_bytes, 'bytes')}){_has(result)}"]
    counted = counted_shift(result, base)
    parts += [text for text in (counted, _by_the_clock(study, result, said=bool(counted))) if text]
    return f"{'; '.join(parts)}."


def _smaller(value: int, base: int) -> str:
    percent = percentage(value, base)
    word = "smaller" if value < base else "larger"
    about = "" if value == base else "about "
    return f"{percent} {word} than the baseline" if percent else f"{about}as large as the baseline"


def _has(result: VariantResult) -> str:
    without = [kind for kind, count in result.forbidden_paths.items() if not count]
    having = [kind for kind, count in result.forbidden_paths.items() if count]
    if without:
        return f", without {' and '.join(without)}" + (f", still with {' and '.join(having)}" if having else "")
    return f", with {' and '.join(having)}" if having else ""


def _cost(result: VariantResult) -> str:
    busy_seconds = counted_busy_seconds(result)
    return "" if busy_seconds is None else f"; a counted boot costs {quantity(busy_seconds, 'counted')}"


def _by_the_clock(study: StudyResult, result: VariantResult, *, said: bool) -> str:
    """What may be said of the wall-clock time to Docker, or to the login where there is no Docker.

    That no difference is shown goes without saying where counted boots have ``said`` one.
    """
    for group in boot_groups([result]):
        for name, reached in (("docker-ready", "has Docker ready"), ("ssh-login", "accepts an ssh login")):
            verdict = BootTime(group, name).verdict(study, result)
            if verdict and not (said and verdict.word == NO_DIFFERENCE):
                return _clock_words(group, reached, verdict.word, shift_text(verdict), verdict.n_other, verdict.reason)
    return ""


def _clock_words(group: BootGroup, reached: str, word: str, shift: str, n: int, reason: str) -> str:
    if word == NO_DIFFERENCE:
        return f"by wall clock, no difference shown ({reason})"
    return f"{reached} {word}, {shift} ({group}, n = {n}, {reason})"
