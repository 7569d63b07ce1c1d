"""The pages of a run."""

from pathlib import Path

import pytest

from atomic_lib.base.paths import CHECKOUT
from atomic_lib.params.study_file import Step
from atomic_lib.report.page import export as pages
from atomic_lib.results.result_files import write_study_results
from atomic_lib.results.variant_result import ContentSummary
from tests.made_once import made_once
from tests.report import factory
from tests.report.enriched import enriched
from tests.report.page.notebook_factory import executed, write_variant_notebook


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its executed notebooks and pages, which no test changes."""
    return made_once(tmp_path_factory.getbasetemp(), "run", _make_run)


def _make_run(directory: Path) -> None:
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", str(CHECKOUT))
    patch.setenv("IPYTHONDIR", str(directory / "ipython"))
    standin = ContentSummary(title="stand-in content (Debian 13 as RPMs)", releasever="13", standin=True)
    made = [result.model_copy(update={"content_summary": standin}) for result in factory.all_results()]
    booted = [enriched(result) if result.boots else result for result in made]
    steps = tuple(Step(decision=f"take {name}", variant=name) for name in ("atomic-cloud-init", "atomic-min"))
    write_study_results(directory, factory.STUDY.model_copy(update={"steps": steps}), booted)
    executed(directory, directory / "compare.ipynb")
    patch.undo()
    for name in ("atomic-min", "atomic-broken"):
        (directory / name).mkdir()
        write_variant_notebook(directory / name / "variant.ipynb", factory.variant_result("atomic-min", uefi=1))
        (directory / name / "console-uefi-1.log").write_text("Linux version\n")
    pages.write_pages(directory)
