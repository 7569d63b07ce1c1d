"""One variant at work: its parameters, its record, and what a stage that fails leaves."""

import ast
import json
import os
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, PARAMS_DIRECTORY
from atomic_lib.base.store import Store
from atomic_lib.image.disk import Image
from atomic_lib.params.variant import Variant, load_variant, parameter_values
from atomic_lib.pipeline.workbench import Workbench, open_workbench
from atomic_lib.results.result_files import read_variant_result
from atomic_lib.tools.tools_tree import tools_inputs

VALUES = {
    "variant": "own", "method": "ostree", "recipe": "none-such", "agent": "cloud-init", "accelerator": "tcg",
}  # fmt: skip


def notebook_parameters() -> dict[str, Any]:
    """The defaults in the parameters cell of variant.ipynb."""
    cells = json.loads((CHECKOUT / "notebooks/variant.ipynb").read_text())["cells"]
    source = next("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    return {
        ast.unparse(statement.target): ast.literal_eval(statement.value)
        for statement in ast.parse(source).body
        if isinstance(statement, ast.AnnAssign) and statement.value
    }


@pytest.fixture(autouse=True)
def _as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a tools tree that is there, but has no tools."""

    def make(directory: Path) -> None:
        (directory / "root").mkdir()
        (directory / "versions").write_text("none 0\n")

    Store(tmp_path / "cache").get_or_make("tools", tools_inputs(), make, what="tools tree for a test")
    monkeypatch.setenv("WORKBOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def workbench(directory: Path, **changed: Any) -> Workbench:
    return open_workbench({**VALUES, **changed}, str(directory))


def test_the_notebook_has_exactly_the_parameters_of_a_variant() -> None:
    parameters = notebook_parameters()
    assert set(parameters) == {*Variant.model_fields, "new_boots", "output_directory"}


def test_the_notebook_as_it_is_makes_atomic_min(tmp_path: Path) -> None:
    bench = open_workbench(notebook_parameters(), str(tmp_path))
    values = parameter_values(load_variant("atomic-min"))
    assert {**parameter_values(bench.variant), "boots_uefi": 0} == {**values, "boots_uefi": 0}
    assert (PARAMS_DIRECTORY / "atomic-min.yaml").is_file()


def test_other_names_of_a_notebook_are_not_looked_at(tmp_path: Path) -> None:
    assert workbench(tmp_path, In=["cells"], get_ipython=None, pd=object()).variant.variant == "own"


def test_results_go_below_the_checkout_where_the_path_is_relative(tmp_path: Path) -> None:
    relative = Path("build") / ".." / ".." / tmp_path.relative_to("/")
    assert workbench(relative).directory == CHECKOUT / relative


def test_without_root_the_next_step_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(WorkbookError, match="needs root") as caught:
        workbench(tmp_path / "out")
    assert "sudo" in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"boots_bios": "2"}, "parameters of own: boots_bios: '2' is not accepted: must be a whole number"),
        ({"method": "bootc"}, "parameters of own: method: 'bootc' is not accepted: one of ostree, traditional"),
        ({"agent": 1}, "parameters of own: agent"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        workbench(tmp_path / "out", **changed)
    assert caught.value.message.startswith(said)
    assert not (tmp_path / "out").exists()


def test_a_stage_that_fails_is_recorded_with_its_cause(tmp_path: Path, cache: Path) -> None:
    bench = workbench(tmp_path / "out")
    with pytest.raises(WorkbookError, match="no recipe 'none-such'"):
        bench.resolve()
    result = read_variant_result(tmp_path / "out/result.json")
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.stage == "recipe"
    assert "no recipe 'none-such'" in result.error.message
    assert result.error.hint


def test_boots_that_may_not_be_made_now_leave_the_variant_incomplete(tmp_path: Path, cache: Path) -> None:
    image = Image("key", tmp_path, 1, 1, 1, 0.0, True)
    bench = workbench(tmp_path / "out", recipe="atomic-min", boots_bios=1, boots_uefi=2)
    assert bench.boot(image, new_boots=0) == []
    assert read_variant_result(tmp_path / "out/result.json").status == "incomplete"


def test_a_variant_that_is_not_to_be_booted_is_done(tmp_path: Path, cache: Path) -> None:
    image = Image("key", tmp_path, 1, 1, 1, 0.0, True)
    assert workbench(tmp_path / "out", recipe="atomic-min", boots_bios=0).boot(image, new_boots=0) == []
    assert read_variant_result(tmp_path / "out/result.json").status == "ok"
