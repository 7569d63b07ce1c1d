"""A session: its contents, each with a dnf that is started again, and what it does not follow of a variant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.content.demand import Demand
from atomic_lib.content.local_rpms import LocalRpms
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.explore import explorer
from atomic_lib.pipeline.explore.choices import Choices
from atomic_lib.pipeline.explore.explorer import Explorer
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.running_dnf.prediction import Prediction
from tests.contexts import own_context


@dataclass(frozen=True)
class FakeDnf:
    recipe: Recipe
    process: SimpleNamespace

    def run(self, _: list[str]) -> str:
        if not self.process.usable:
            raise CommandError("dnf, which answers questions: did not answer")
        return "bash\nhtop\n"


@dataclass
class Started:
    """What a session has started: the demand of each content, each dnf, and how many of these have ended."""

    demands: list[Demand]
    dnfs: list[FakeDnf]
    ended: list[FakeDnf]
    hangs: bool = False


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    found = Started([], [], [])

    def open_content(name: str, _: object, demand: Demand, params: Path) -> Mock:
        found.demands.append(demand)
        content = Mock(stands_in=True, missing=(), comps=lambda _: [])
        content.name = name
        return content

    @contextmanager
    def running_dnf(_: object, content: object, recipe: Recipe) -> Iterator[FakeDnf]:
        dnf = FakeDnf(recipe, SimpleNamespace(usable=not found.hangs))
        found.dnfs.append(dnf)
        try:
            yield dnf
        finally:
            dnf.process.usable = False
            found.ended.append(dnf)

    def predict(dnf: FakeDnf, *_: object, excluded: tuple[str, ...]) -> Prediction:
        dnf.run([])
        return Prediction(dnf.recipe, {}, {}, ())

    monkeypatch.setattr(explorer, "open_content", open_content)
    monkeypatch.setattr(explorer, "running_dnf", running_dnf)
    monkeypatch.setattr(explorer, "predict", predict)
    monkeypatch.setattr(explorer, "predicted_guards", lambda *_: ())
    return found


def session(directory: Path, **parameters: object) -> Explorer:
    variant = load_variant("atomic-min").model_copy(update=parameters)
    return Explorer(variant, own_context(directory))


def test_what_does_not_answer_ends_and_the_next_question_starts_another(started: Started, tmp_path: Path) -> None:
    with session(tmp_path) as opened:
        opened.answer()
        started.dnfs[0].process.usable = False
        opened.answer(documentation=True)
        assert started.ended == started.dnfs[:1]
        assert len(started.dnfs) == 2
        assert started.demands[0] == started.demands[1]
        opened.answer(documentation=False)
        assert len(started.dnfs) == 2
    assert started.ended == started.dnfs


def test_of_several_only_the_one_that_ended_is_started_again(started: Started, tmp_path: Path) -> None:
    with session(tmp_path) as opened:
        opened.answer()
        opened.answer(content="fedora")
        started.dnfs[1].process.usable = False
        opened.answer()
        assert started.ended == started.dnfs[1:2]
        assert len(started.dnfs) == 2
        opened.answer(content="fedora")
        assert len(started.dnfs) == 3
        assert started.demands[1] == started.demands[2]


def test_a_dnf_that_cannot_be_asked_at_once_ends_and_may_start_later(started: Started, tmp_path: Path) -> None:
    started.hangs = True
    with session(tmp_path) as opened:
        with pytest.raises(CommandError, match="did not answer"):
            opened.answer()
        assert started.ended == started.dnfs
        started.hangs = False
        opened.answer()


def test_local_rpms_are_in_every_content(started: Started, tmp_path: Path) -> None:
    with session(tmp_path, local_rpms="mine", local_rpms_key="mine/key") as opened:
        opened.explore(Choices(add=("tmux",)))
        opened.explore(Choices(content="fedora"))
    assert len(started.demands) == 3
    local = LocalRpms(CHECKOUT / "mine", CHECKOUT / "mine/key")
    assert [demand.local for demand in started.demands] == [local] * 3


def test_an_answer_says_whose_packages_these_are_and_that_the_lock_is_not_followed(
    started: Started, tmp_path: Path
) -> None:
    with session(tmp_path, lock="mine/lock.json") as opened:
        standin, lock = opened.answer().notes
        assert lock.startswith("lock: mine/lock.json is not followed: ")
    with session(tmp_path) as opened:
        assert opened.answer().notes == (standin,)
        assert standin.startswith("These are Debian packages, not Fedora's")


@pytest.mark.parametrize(("name", "read"), [
    ("params/kickstarts/own.ks", f"{CHECKOUT}/params/kickstarts/own.ks"), ("/srv/host.yaml", "/srv/host.yaml"),
    ("atomic-min", "atomic-min"),
])  # fmt: skip
def test_a_recipe_is_found_wherever_the_kernel_was_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, read: str
) -> None:
    monkeypatch.chdir(tmp_path)
    named = Mock(side_effect=WorkbookError("read"))
    monkeypatch.setattr(explorer, "variants_named", named)
    with pytest.raises(WorkbookError, match="read"):
        explorer.open_explorer(name)
    named.assert_called_once_with([read])
