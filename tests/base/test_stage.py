"""A stage: what its key is made of, where its result is kept, and what a failure leaves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from atomic_lib.base import stage as stage_module
from atomic_lib.base.code_version import code_version
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import Store, key_of


@dataclass(frozen=True)
class Around:
    """The two stores and the name of the tools."""

    store: Store
    shared: Store
    tools_key: str = "tools 1"


MADE: list[str] = []


def make(request: str, _: Around, directory: Path) -> None:
    MADE.append(request)
    (directory / "half").write_text(request)
    if request == "broken":
        raise WorkbookError("no")
    (directory / "whole").write_text(request)


def inputs(request: str, _: Around) -> Mapping[str, object]:
    return {"request": request}


STAGE: Stage[str, Around] = Stage("own", make, inputs, title=lambda request: f"make {request}")


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Around:
    """Empty stores; the code is of a version that the test can change, as this module is none of the library's."""
    MADE.clear()
    monkeypatch.setattr(stage_module, "code_version", lambda module: f"code of {module}")
    return Around(Store(tmp_path / "store"), Store(tmp_path / "shared"))


def test_a_key_has_the_inputs_the_tools_and_the_code_of_what_makes_it(around: Around) -> None:
    assert STAGE.key_inputs("a", around) == {"request": "a", "tools": "tools 1", "code": f"code of {__name__}"}
    assert STAGE.get("a", around).key == key_of(STAGE.key_inputs("a", around))


def test_the_code_is_that_of_the_module_and_of_all_that_it_imports(tmp_path: Path) -> None:
    around = Around(Store(tmp_path), Store(tmp_path))
    own = replace(STAGE, make=Store.remove_abandoned)  # type: ignore[arg-type]
    assert own.key_inputs("a", around)["code"] == code_version("atomic_lib.base.store")


def test_a_result_is_made_once_and_found_again(around: Around) -> None:
    assert not STAGE.has("a", around)
    first, second = STAGE.get("a", around), STAGE.get("a", around)
    assert (first.reused, second.reused, MADE) == (False, True, ["a"])
    assert STAGE.has("a", around)
    assert (second.path / "whole").read_text() == "a"
    kept = json.loads((second.path / "key.json").read_text())["inputs"]
    assert kept == STAGE.key_inputs("a", around)


def test_another_input_other_tools_and_other_code_have_another_key(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [STAGE.get("a", around).key, STAGE.get("b", around).key]
    keys.append(STAGE.get("a", replace(around, tools_key="tools 2")).key)
    monkeypatch.setattr(stage_module, "code_version", lambda module: "changed")
    assert not STAGE.has("a", around)
    keys.append(STAGE.get("a", around).key)
    assert len(set(keys)) == 4
    assert MADE == ["a", "b", "a", "a"]


def test_two_stages_with_the_same_inputs_are_kept_apart(around: Around) -> None:
    STAGE.get("a", around)
    assert not replace(STAGE, name="other").has("a", around)


@pytest.mark.parametrize("shared", [False, True])
def test_a_shared_result_is_kept_in_the_cache_and_nowhere_else(around: Around, shared: bool) -> None:
    stored = replace(STAGE, shared=shared).get("a", around)
    own, other = (around.shared, around.store) if shared else (around.store, around.shared)
    assert stored.path == own.path_of("own", stored.key)
    assert not other.root.exists()
    assert replace(STAGE, shared=shared).has("a", around)


def test_a_failure_publishes_nothing(around: Around) -> None:
    with pytest.raises(WorkbookError, match="no"):
        STAGE.get("broken", around)
    assert not STAGE.has("broken", around)
    assert list(around.store.root.rglob("half")) == []


def test_too_little_space_stops_before_work(around: Around) -> None:
    with pytest.raises(WorkbookError, match="make a needs 1000000000"):
        replace(STAGE, space_bytes=10**18).get("a", around)
    assert MADE == []
