"""What a variant had in the newest earlier run in which it succeeded."""

from pathlib import Path

from atomic_lib.errors import WorkbookError
from atomic_lib.report.fallback import has_failed
from atomic_lib.report.metrics import unclocked_metrics
from atomic_lib.report.model import EarlierFigures, VariantResult
from atomic_lib.report.results import RESULT_FILE, read_variant_result


def earlier_figures(run_directory: Path, failed: VariantResult) -> EarlierFigures | None:
    """The figures of the newest run beside ``run_directory``, and before it, in which the variant did not fail.

    Runs are ordered by name, which begins with the time. None where no run made it of the same recipe.
    """
    runs = sorted(path for path in run_directory.parent.glob(f"*/{failed.variant}/{RESULT_FILE}"))
    for path in reversed(runs):
        run = path.parent.parent
        if run.is_symlink() or run.name >= run_directory.name:
            continue
        try:
            result = read_variant_result(path)
        except WorkbookError:
            continue  # written by another version of the workbook
        if result.status == "ok" and not has_failed(result) and _made_of(result) == _made_of(failed):
            values = {metric.name: metric.value(result) for metric in unclocked_metrics([result])}
            figures = {name: value for name, value in values.items() if value is not None}
            return EarlierFigures(variant=failed.variant, run=run.name, figures=figures)
    return None


def _made_of(result: VariantResult) -> tuple[object, ...]:
    return result.method, result.content, result.recipe, result.parameters.get("parts", "")
