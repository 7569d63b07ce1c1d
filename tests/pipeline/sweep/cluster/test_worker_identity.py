"""Workers with other tools or other code are refused, and no question goes to them."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.sweep.cluster import worker_identity as module
from atomic_lib.pipeline.sweep.cluster.worker_identity import identity, needed, require_same, resources

OWN = {"tools": "t1", "code": "c1"}


def test_a_worker_offers_what_a_question_needs() -> None:
    assert needed(OWN).keys() == resources(OWN).keys()
    assert all(resources(OWN)[name] >= 1000 * amount for name, amount in needed(OWN).items())
    assert needed({**OWN, "code": "c2"}).keys() != resources(OWN).keys()


@pytest.mark.parametrize(
    ("other", "named"),
    [({"tools": "t2"}, "other build tools"), ({"code": "c2"}, "other code"),
     ({"tools": "t2", "code": "c2"}, "other build tools and other code")],
)  # fmt: skip
def test_a_worker_of_another_identity_is_refused(other: dict[str, str], named: str) -> None:
    workers = {"tcp://127.0.0.1:1": resources(OWN), "tcp://127.0.0.1:2": resources({**OWN, **other})}
    with pytest.raises(WorkbookError, match=f"worker tcp://127.0.0.1:2 has {named} than this checkout"):
        require_same(OWN, workers)


def test_workers_of_the_same_identity_are_accepted() -> None:
    require_same(OWN, {"a": resources(OWN), "b": resources(OWN)})


def test_a_worker_that_says_nothing_is_refused() -> None:
    with pytest.raises(WorkbookError, match="other build tools and other code"):
        require_same(OWN, {"a": {}})


def test_the_packages_of_the_environment_are_part_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity("t1")
    assert before["tools"] == "t1"
    assert identity("t1") == before
    (tmp_path / module.LOCK_FILE).write_text("distributed==1\n")
    monkeypatch.setattr(module, "CHECKOUT", tmp_path)
    assert identity("t1")["code"] != before["code"]
