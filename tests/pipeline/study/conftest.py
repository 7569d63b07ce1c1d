"""A checkout in which studies run small notebooks."""

import json
from pathlib import Path

import pytest

from atomic_lib.results.history import database
from atomic_lib.tools import user_namespace
from tests.contexts import put_empty_tools
from tests.pipeline.small_notebooks import notebook
from tests.pipeline.study.rounds import put_checkout

# In place of the real notebook: it says that it ran, and leaves what the real one would.
PARAMETERS = ("variant", "study", "output_directory")
VARIANT = """
from pathlib import Path
from atomic_lib.params.study_file import chosen_variant
from atomic_lib.results.variant_result import StageTime, VariantResult
from atomic_lib.results.result_files import write_variant_result
top = Path({top!r})
with open(top / "executions", "a") as file:
    file.write(f"{{variant}} {{new_boots}}\\n")
failing = top / "failing"
if failing.exists() and variant in failing.read_text().split():
    raise ValueError("no such luck")
chosen = chosen_variant(variant, study)
stages = tuple(StageTime(stage=name, seconds=1, reused=False, key=name) for name in ("resolve", "compose", "image"))
write_variant_result(top / output_directory / "result.json", VariantResult(
    variant=variant, status="ok" if new_boots else "incomplete", method=chosen.method, content=chosen.content,
    recipe=chosen.recipe, agent=chosen.agent, package_count=190, stages=stages))
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with small notebooks, an empty build directory and a tools tree that has no tools."""
    top = tmp_path / "checkout"
    (top / "notebooks").mkdir(parents=True)
    parameters = "".join(f'{name}: str = ""\n' for name in PARAMETERS) + "new_boots: int = 0\n"
    variant = notebook([parameters, VARIANT.format(top=str(top))])
    (top / "notebooks/variant.ipynb").write_text(json.dumps(variant))
    compare = notebook(['run_directory: str = ""\n', "print(run_directory)\n"])
    (top / "notebooks/compare.ipynb").write_text(json.dumps(compare))
    put_empty_tools(tmp_path / "cache")
    monkeypatch.setenv("WORKBOOK_CACHE", str(tmp_path / "cache"))
    put_checkout(monkeypatch, top)
    monkeypatch.setattr(user_namespace, "is_inside", lambda: True)
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.1)
    return top
