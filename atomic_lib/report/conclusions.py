"""What a run says, in one paragraph per variant, made from its figures and no more certain than they are."""

from collections.abc import Sequence

from atomic_lib.report.metrics import BootGroup, boot_groups, median_of
from atomic_lib.report.model import Boot, StudyResult, VariantResult
from atomic_lib.report.show import NBSP, Alert, Sentences, Stack, plural, quantity


def conclusions(study: StudyResult) -> Sentences:
    """One paragraph per variant: size against the baseline, boots, checks."""
    return Sentences(tuple((f"{result.variant}:", sentence(study, result)) for result in study.variants))


def sentence(study: StudyResult, result: VariantResult) -> str:
    """What the figures of one variant say."""
    if result.error:
        return f"failed at the stage {result.error.stage}: {_first_line(result.error.message)}"
    base = study.variant(study.baseline)
    parts = [
        _size(result, base, study.baseline),
        _forbidden(result),
        *(_boots(group, result) for group in boot_groups([result])),
        _checks(result.boots),
    ]
    if result.status == "incomplete":
        parts.append("Incomplete: boots are still to be made.")
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
    if result.package_count is not None:
        tree += f" in {plural(result.package_count, 'package')}"
    if result.variant == baseline:
        return f"baseline: {tree}."
    if base is None or base.tree_bytes is None:
        return f"{tree}; there is no figure of the baseline {baseline} to compare it with."
    return f"against {baseline}: {tree}, {_against(result.tree_bytes, base.tree_bytes)}{_image(result, base)}."


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


def _forbidden(result: VariantResult) -> str:
    none = [kind for kind, count in result.forbidden_paths.items() if count == 0]
    return f"Files of {' and of '.join(none)} in the tree: none." if none else ""


def _boots(group: BootGroup, result: VariantResult) -> str:
    boots = group.boots_of(result)
    ssh = median_of(boot.ssh_login_seconds for boot in boots)
    docker = median_of(boot.docker_ready_seconds for boot in boots)
    if ssh is None:
        return f"By {group}: no ssh login in {plural(len(boots), 'boot')}."
    times = f"ssh login after {quantity(ssh, 'seconds')}"
    times += f", Docker ready after {quantity(docker, 'seconds')}" if docker is not None else ", Docker not ready"
    hedge = "one boot, no statistics" if len(boots) == 1 else f"median of {len(boots)} boots"
    return f"By {group}: {times} ({hedge})."


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
