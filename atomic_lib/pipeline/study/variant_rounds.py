"""Executes the notebooks of a run's variants in rounds, and those of the fallbacks of variants that failed."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.paths import CHECKOUT, NOTEBOOKS
from atomic_lib.base.progress import Parts, say
from atomic_lib.guest.boot_stages import boot_names, is_timed_alone
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.notebooks import Execution, execute_all
from atomic_lib.pipeline.side_by_side.capacity import variants_at_once
from atomic_lib.results.analysis.fallbacks import fallbacks_to_run
from atomic_lib.results.record import failed_result
from atomic_lib.results.result_files import RESULT_FILE, read_variant_result
from atomic_lib.results.variant_result import VariantResult

_ALL_BOOTS = 100
"""As many boots as a variant may lack: what the notebook makes where nobody limits it."""
_STAGES_BEFORE_BOOT = ("resolve", "compose", "image")
_RESTORE = "restore the notebook: git restore notebooks/variant.ipynb"


@dataclass(frozen=True)
class VariantRounds:
    """The notebooks of a run, executed in rounds, in the run's directory.

    ``overrides``: parameters for all variants. ``parts``: what is counted as done. ``spare``: the parts of each
    fallback, with their expected seconds.
    ``setup_faults``: the variants that failed because of a fault of the setup.
    """

    study: str
    overrides: Mapping[str, object]
    directory: Path
    parts: Parts = field(default_factory=lambda: Parts({}))
    spare: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    setup_faults: set[str] = field(default_factory=set)

    def make(self, variants: Sequence[Variant]) -> list[VariantResult]:
        """The results of all variants, in this order, which are built and booted side by side.

        Boots that are timed alone come between: after all builds, in turns (A B C A B C), with nothing beside them.
        Each round executes the notebooks that still lack a boot again; they take finished stages
        from the store. A notebook that adds nothing in a round is not executed again.
        """
        done: dict[str, VariantResult] = {}
        at_once, incomplete = variants_at_once(variants), list(variants)
        if any(map(is_timed_alone, variants)):
            incomplete = self._round(incomplete, done, new_boots=0, workers=at_once)
            while turns := [variant for variant in incomplete if _lacks_turn(variant, done[variant.variant])]:
                self._round(turns, done, new_boots=1, workers=1)
                incomplete = [variant for variant in incomplete if done[variant.variant].status == "incomplete"]
        while incomplete:
            incomplete = self._round(incomplete, done, new_boots=_ALL_BOOTS, workers=at_once)
        return [done[variant.variant] for variant in variants]

    def _round(
        self, variants: Sequence[Variant], done: dict[str, VariantResult], *, new_boots: int, workers: int
    ) -> list[Variant]:
        """Execute the notebooks of some variants; their results are then in ``done``. Returns those that lack boots."""
        executions = [self._execution(variant, new_boots) for variant in variants]
        for variant, error in zip(variants, execute_all(executions, workers=workers), strict=True):
            before = done.get(variant.variant)
            done[variant.variant] = self._result(variant, error, _boot_count(before) if new_boots else None)
        return [variant for variant in variants if done[variant.variant].status == "incomplete"]

    def with_fallbacks(
        self, fallbacks: Mapping[str, str], variants: Mapping[str, Variant], results: Sequence[VariantResult]
    ) -> list[VariantResult]:
        """The results, each failed one followed by that of its fallback, which is made now if necessary."""
        made = list(results)
        while needed := fallbacks_to_run(self.own_faults_only(fallbacks), made):
            for failed, name in needed.items():
                if name in (result.variant for result in made):
                    continue  # just made, as the fallback of another variant
                at = next(at for at, result in enumerate(made) if result.variant == failed)
                error = made[at].error
                stage = error.stage if error else "its proof of life"
                say(f"{failed} failed at {stage}: building its fallback {name}")
                self.parts.add(self.spare.get(name, {}))
                made[at + 1 : at + 1] = self.make([variants[name]])
        return made

    def own_faults_only(self, fallbacks: Mapping[str, str]) -> dict[str, str]:
        """The fallbacks without those of variants that failed because of a fault of the setup."""
        return {variant: name for variant, name in fallbacks.items() if variant not in self.setup_faults}

    def _execution(self, variant: Variant, new_boots: int) -> Execution:
        own = self.directory / variant.variant
        own.mkdir(exist_ok=True)
        chosen = {**self.overrides, "variant": variant.variant, "study": self.study}
        chosen.pop("lock", None)  # a fallback has none
        if variant.lock:  # a copy, so that results do not contain a path of the user's
            copied = (own / "requested-lock").with_suffix(Path(variant.lock).suffix)
            shutil.copyfile(CHECKOUT / variant.lock, copied)
            chosen["lock"] = str(copied.relative_to(CHECKOUT))
        mode = {"new_boots": new_boots, "output_directory": str(own.relative_to(CHECKOUT))}
        return Execution(NOTEBOOKS / "variant.ipynb", own / "variant.ipynb", {**chosen, **mode})

    def _result(self, variant: Variant, error: WorkbookError | None, before: int | None) -> VariantResult:
        """The result of a variant whose notebook was executed.

        ``before``: how many boots it had; None if it was to make none.
        """
        own = self.directory / variant.variant
        if not error:
            try:
                result = read_variant_result(own / RESULT_FILE)
            except WorkbookError as unreadable:
                (own / RESULT_FILE).unlink(missing_ok=True)
                error = SetupError(f"notebooks/variant.ipynb left no result: {unreadable.message}", hint=_RESTORE)
            else:
                error = _refusal(result, before)
        if not error:
            return result
        result = failed_result(own, variant, CHECKOUT, error)
        self.parts.drop(f"{variant.variant}: ")
        if isinstance(error, SetupError) or (result.error and result.error.stage == "tools"):
            self.setup_faults.add(variant.variant)
        return result


def _lacks_turn(variant: Variant, result: VariantResult) -> bool:
    """Whether a wall-clock boot is missing that is timed alone."""
    wanted = sum(firmware is not None for firmware, _ in boot_names(variant))
    return is_timed_alone(variant) and len(result.boots) < wanted


def _refusal(result: VariantResult, before: int | None) -> SetupError | None:
    """The error for an executed notebook that lacks cells: without a stage, or without a boot beyond those before."""
    if result.status != "incomplete":
        return None
    stages = [stage.stage for stage in result.stages]
    missing = [name for name in _STAGES_BEFORE_BOOT if name not in stages]
    if missing:
        return SetupError(f"notebooks/variant.ipynb has no cell for the stage {missing[0]}", hint=_RESTORE)
    if before is not None and _boot_count(result) <= before:
        return SetupError("notebooks/variant.ipynb has no cell that boots the image", hint=_RESTORE)
    return None


def _boot_count(result: VariantResult | None) -> int:
    return len(result.boots) + len(result.counted_boots) if result else 0
