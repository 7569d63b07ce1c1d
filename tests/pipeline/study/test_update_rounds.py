"""A study that updates its variants: its rounds, their pages, and what becomes of one that fails."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.params.study_file import load_study
from atomic_lib.params.variant import Variant
from atomic_lib.pipeline.notebooks import Execution
from atomic_lib.pipeline.schedule import run_inputs
from atomic_lib.pipeline.schedule.run_inputs import Locks
from atomic_lib.pipeline.side_by_side import capacity
from atomic_lib.pipeline.study import study_run
from atomic_lib.pipeline.study.update_rounds import planned_rounds, require_rounds
from atomic_lib.results.history.database import read_history
from atomic_lib.results.tables.csv_updates import update_headers
from atomic_lib.results.update.update_results import UPDATES_FILE, read_updates
from tests.contexts import own_context
from tests.pipeline.small_notebooks import notebook
from tests.pipeline.study.rounds import CONTAINER_LOCKED, LOCKED, Rounds, put_execution
from tests.results.update.study_updates import write_figures

CUTS = ("power-cuts", "atomic-min")
FAULTS = [("automatic-return", "atomic-min-return"), ("refused-updates", "atomic-min")]
UPDATES = [("update", "cloud-docker"), ("update", "atomic-min"), CUTS, *FAULTS]
BAD = WorkbookError("1 byte more than predicted", hint="run it again", log="loose objects: 2, 1 predicted")


class UpdateRounds(Rounds):
    """In place of all notebooks; those of updates leave their figures, too. ``failing``: kinds that fail."""

    def __init__(self, *failing: str, **outcomes: WorkbookError | str) -> None:
        super().__init__(**outcomes)
        self.failing, self.updated = failing, list[tuple[str, object]]()
        self.parameters: list[dict[str, object]] = []
        self.workers = 0

    def __call__(
        self, executions: Sequence[Execution], *, workers: int, ended: Callable[..., object] = lambda *_: None
    ) -> list[WorkbookError | None]:
        if executions[0].notebook.stem in ("variant", "compare"):
            return super().__call__(executions, workers=workers)
        self.workers = workers
        errors = [self._update(execution) for execution in executions]
        for number in reversed(range(len(errors))):  # in any order
            ended(number, errors[number])
        return errors

    def _update(self, execution: Execution) -> WorkbookError | None:
        kind, run = execution.notebook.stem, execution.output.parent
        self.updated.append((kind, execution.parameters["variant"]))
        self.parameters.append(dict(execution.parameters))
        execution.output.write_text(json.dumps(notebook([f"'{kind}'"])))
        write_figures(run.parent if kind == "update" else run)
        return BAD if kind in self.failing else None


@pytest.fixture
def updates(place: Path, monkeypatch: pytest.MonkeyPatch) -> UpdateRounds:
    """Rounds that go well; both versions of each variant have a lock."""
    monkeypatch.setattr(run_inputs, "open_any_update", lambda *_: update_of("1" * 64, "2" * 64))
    return put(monkeypatch, UpdateRounds())


def update_of(first: str, second: str) -> SimpleNamespace:
    """An update between packages with these identities."""
    before, after = (
        SimpleNamespace(rpm_set=SimpleNamespace(lock=SimpleNamespace(sha256=one))) for one in (first, second)
    )
    return SimpleNamespace(before=before, after=after)


def put(monkeypatch: pytest.MonkeyPatch, made: UpdateRounds) -> UpdateRounds:
    put_execution(monkeypatch, made)
    return made


def run_directory(place: Path) -> Path:
    return max(path for path in (place / "build/runs").iterdir() if not path.is_symlink())


def test_updates_are_made_side_by_side(
    place: Path, updates: UpdateRounds, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(capacity, "available_memory_bytes", lambda: 64 << 30)
    put(monkeypatch, updates)
    assert study_run.run_study("update") == 0
    assert updates.workers == 4
    monkeypatch.setattr(capacity, "available_memory_bytes", lambda: 7 << 30)
    assert study_run.run_study("update", variants=["atomic-min"]) == 0
    assert updates.workers == 2, "there is memory for two guests"


def test_each_variant_is_updated_and_then_what_can_go_wrong_is_made(place: Path, updates: UpdateRounds) -> None:
    assert study_run.run_study("update") == 0
    assert updates.updated == UPDATES
    directory = run_directory(place)
    first, second, cuts, returned, refused = updates.parameters
    own = {"changes": "package config", "study": "update"}
    assert first == {
        **own,
        "variant": "cloud-docker",
        "output_directory": f"{directory.relative_to(place)}/cloud-docker",
    }
    assert second["output_directory"] == f"{directory.relative_to(place)}/atomic-min"
    assert cuts == {"variant": "atomic-min", "packages": "cloud-docker", "states": 1000, "boots": 2, "study": "update",
                    "output_directory": str(directory.relative_to(place))}  # fmt: skip
    of_run = {"output_directory": cuts["output_directory"]}
    assert returned == {"variant": "atomic-min-return", "faults": "unit", **of_run}
    assert refused == {"variant": "atomic-min", "cases": "unsigned other-key older dies full-disk", **of_run}
    assert (place / "build/runs/latest-update").resolve() == directory
    found = read_updates(directory)
    assert found
    assert (found.failed, [one.variant for one in found.updates]) == ((), ["cloud-docker", "atomic-min"])
    assert found.power_cuts
    assert found.returns
    assert found.refusals
    page = (directory / "atomic-min/update.html").read_text()
    for link in ("../index.html", "../updates.html", "../power-cuts.html", "../cloud-docker/update.html",
                 "../automatic-return.html", "../refused-updates.html", "update.json"):  # fmt: skip
        assert f'href="{link}"' in page
    assert 'href="atomic-min/update.html"' in (directory / "power-cuts.html").read_text()
    index = (directory / "index.html").read_text()
    assert all(f'href="{name}"' in index for name in (UPDATES_FILE, *update_headers()))
    assert "- cloud-docker, package config: check " in (directory / "summary.md").read_text()


def test_an_update_that_is_not_as_it_must_be_fails_the_run_and_the_others_go_on(
    place: Path, updates: UpdateRounds, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = put(monkeypatch, UpdateRounds("update"))
    assert study_run.run_study("update") == 1
    assert made.updated == UPDATES
    said = capsys.readouterr().err
    assert "error: atomic-min: update: 1 byte more than predicted\nNext step: run it again" in said
    directory = run_directory(place)
    found = read_updates(directory)
    assert found
    assert [one.variant for one in found.failed] == ["cloud-docker", "atomic-min"]
    assert len(found.updates) == 2, "its figures are shown all the same"
    page = (directory / "atomic-min/update.html").read_text()
    assert "update: atomic-min: failed, or not as it must be" in page
    assert "loose objects: 2, 1 predicted" in page
    assert not (place / "build/runs/latest-update").exists()
    with read_history(place / "build/history.sqlite") as history:
        assert history.execute("SELECT status FROM runs").fetchall() == [("failed",)], "so it is never a site's latest"


def test_a_variant_that_failed_is_not_updated(
    place: Path, updates: UpdateRounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = put(monkeypatch, UpdateRounds(cloud_docker=WorkbookError("no such luck")))
    assert study_run.run_study("update") == 1
    assert made.updated == [("update", "atomic-min"), *FAULTS]
    found = read_updates(run_directory(place))
    assert found
    assert [(one.kind, one.error) for one in found.rounds] == [
        ("update", "not made: cloud-docker failed"), ("update", ""), ("power-cuts", "not made: cloud-docker failed"),
        ("automatic-return", ""), ("refused-updates", ""),
    ]  # fmt: skip
    assert not (run_directory(place) / "power-cuts.html").exists()


def test_updates_with_a_fault_are_not_offered_to_a_variant_that_failed(
    place: Path, updates: UpdateRounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = put(monkeypatch, UpdateRounds(atomic_min=WorkbookError("no such luck")))
    assert study_run.run_study("update") == 1
    assert made.updated == [("update", "cloud-docker"), FAULTS[0]]


def test_an_error_names_no_directory_of_this_machine(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found_at = cache_directory() / "x"
    bad = WorkbookError(f"{found_at} is odd\nand more", hint=f"remove {found_at}", log=f"{found_at}: odd")
    monkeypatch.setattr(sys.modules[__name__], "BAD", bad)
    put(monkeypatch, UpdateRounds("refused-updates"))
    assert study_run.run_study("update") == 1
    found = read_updates(run_directory(place))
    assert found
    (failed,) = found.failed
    assert (failed.error, failed.hint, failed.log) == ("CACHE/x is odd\nand more", "remove CACHE/x", "CACHE/x: odd")
    text = (run_directory(place) / "summary.md").read_text()
    assert "- updates with a fault of atomic-min: failed: CACHE/x is odd\n" in text
    assert "and more" not in text


def test_a_part_of_the_study_makes_what_its_variants_allow(place: Path, updates: UpdateRounds) -> None:
    assert study_run.run_study("update", variants=["atomic-min"]) == 0
    assert updates.updated == [("update", "atomic-min"), *FAULTS]


def recorded(variant: Variant, _: object) -> Locks:
    """The locks of a variant, as ``Rounds`` writes them into its result."""
    return Locks(LOCKED, CONTAINER_LOCKED if variant.container else None)


def unchanged(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> bool:
    """Whether a further run says that nothing has changed."""
    monkeypatch.setattr(study_run, "is_kept", lambda *_: True)
    monkeypatch.setattr(run_inputs, "resolved_locks", recorded)
    capsys.readouterr()
    study_run.run_study("update")
    return "nothing has changed since" in capsys.readouterr().err


def test_an_unchanged_run_is_not_made_again(
    place: Path, updates: UpdateRounds, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert study_run.run_study("update") == 0
    assert unchanged(place, monkeypatch, capsys)
    assert updates.updated == UPDATES


def test_a_run_is_made_again_if_an_update_failed_or_other_packages_of_a_version_are_resolved(
    place: Path, updates: UpdateRounds, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(monkeypatch, UpdateRounds("power-cuts"))
    assert study_run.run_study("update") == 1
    put(monkeypatch, updates)
    assert not unchanged(place, monkeypatch, capsys)
    assert unchanged(place, monkeypatch, capsys)
    for locks in (("1" * 64, "3" * 64), ("4" * 64, "3" * 64)):
        monkeypatch.setattr(run_inputs, "open_any_update", lambda *_, locks=locks: update_of(*locks))
        assert not unchanged(place, monkeypatch, capsys)


def test_a_treefile_decides_what_version_2_is(tmp_path: Path, updates: UpdateRounds) -> None:
    (tmp_path / "params/treefiles/parts").mkdir(parents=True)
    part = tmp_path / "params/treefiles/parts/update-config.yaml"
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "params/budgets.yaml").touch()
    digests = []
    for text, name in (("a", "update"), ("b", "update"), ("a", "default"), ("b", "default")):
        part.write_text(text)
        digests.append(run_inputs.inputs_of_run(load_study(name), (), {}, own_context(tmp_path), tmp_path))
    assert digests[0] != digests[1]
    assert digests[2] == digests[3], "other studies have no version 2"


@pytest.mark.parametrize("name", ["cloud-docker", "atomic-min", "atomic-min-return"])
def test_another_lock_of_any_version_2_is_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "params").mkdir()
    (tmp_path / "params/budgets.yaml").touch()
    opened = list[tuple[str, str]]()

    def digest(*changed: str) -> str:
        def open_update(variant: str, _: str, study: str) -> SimpleNamespace:
            opened.append((variant, study))
            sha256 = ("3" if variant in changed else "2") * 64
            return update_of("1" * 64, sha256)

        monkeypatch.setattr(run_inputs, "open_any_update", open_update)
        return run_inputs.inputs_of_run(load_study("update"), (), {}, own_context(tmp_path), tmp_path)

    assert digest() == digest()
    assert digest() != digest(name)
    assert {("cloud-docker", "update"), ("atomic-min", "update"), ("atomic-min-return", "")} <= {*opened}


@pytest.mark.parametrize("overrides", [{"content": "fedora"}, {"selinux": "permissive", "lock": "lock.json"}])
def test_overrides_would_not_reach_version_2_and_are_refused(place: Path, overrides: dict[str, object]) -> None:
    with pytest.raises(WorkbookError) as caught:
        study_run.run_study("update", overrides=overrides)
    assert caught.value.message == (
        f"study 'update' updates its variants as its file has them: {', '.join(overrides)} cannot be overridden"
    )
    assert not (place / "build").exists()


def test_what_is_asked_for_is_planned() -> None:
    assert planned_rounds(load_study("default"), "default") == ()
    study = load_study("update")
    assert study.updates
    asked = type(study.updates).model_validate(
        {"changes": "package", "automatic_return": {"variant": "atomic-min-return", "faults": "all"},
         "refusals": {"variant": "atomic-min", "cases": "dies older"}}
    )  # fmt: skip
    planned = planned_rounds(study.model_copy(update={"updates": asked}), "update")
    assert [(one.round.kind, one.round.variant) for one in planned[2:]] == [
        ("automatic-return", "atomic-min-return"), ("refused-updates", "atomic-min"),
    ]  # fmt: skip
    assert planned[2].parameters["faults"] == "unit kernel-argument kernel-panic docker nothing"
    assert planned[3].parameters["cases"] == "dies older"
    assert (planned[2].built, planned[3].built) == ((), ("atomic-min",)), "only the latter is a variant of the study"


@pytest.mark.parametrize(
    ("updates", "said"),
    [
        ({"changes": "colour"}, "colour: no such change for version 2"),
        ({"changes": "kernel"}, "cloud-docker: version 2 has another kernel"),
        ({"automatic_return": {"variant": "atomic-min", "faults": "unit"}}, "atomic-min: automatic_return is 0"),
        ({"refusals": {"variant": "atomic-min", "cases": "hacked"}}, "hacked: no such case"),
        ({"power_cuts": {"variant": "cloud-docker", "packages": "cloud-docker"}}, "only the commit of a treefile"),
        ({"power_cuts": {"variant": "atomic-min", "packages": "atomic-min"}}, "dnf updates a traditional variant"),
    ],
)
def test_what_cannot_be_updated_is_said_before_anything_is_built(
    place: Path, updates: dict[str, object], said: str
) -> None:
    study = load_study("update")
    assert study.updates
    asked = type(study.updates).model_validate({"changes": "package", **updates})
    with pytest.raises(WorkbookError, match=said):
        require_rounds(study.model_copy(update={"updates": asked}), "update")
