"""A study: which variants, in which order, and what becomes of one that fails."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.params.study_file import load_study, study_variants
from atomic_lib.pipeline.notebooks import Execution
from atomic_lib.pipeline.study import study_run, variant_rounds
from atomic_lib.results.conformance_files import read_matrix
from atomic_lib.results.result_files import RESULT_FILE, read_study_result, write_variant_result
from atomic_lib.results.variant_result import StageTime
from atomic_lib.tools import user_namespace
from tests.pipeline.study.rounds import put_execution, rounds
from tests.report.factory import variant_result


def test_a_variant_that_fails_is_shown_and_the_others_go_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "failing").write_text("atomic-min")
    assert study_run.run_study("default", variants=["atomic-min", "cloud-docker"]) == 1
    told = capsys.readouterr()
    page = Path(told.out.strip())
    assert page.name == "index.html"
    assert page.is_file()
    assert not (place / "build/runs/latest").exists()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-default", page.parent.name)
    result = read_study_result(page.parent)
    assert (result.baseline, [one.variant for one in result.variants]) == (
        "cloud-docker", ["cloud-docker", "atomic-min", "atomic-cloud-init"],
    )  # fmt: skip
    good, bad, spare = result.variants
    assert (good.status, bad.status, spare.status) == ("ok", "failed", "ok")
    assert bad.error is not None
    assert (bad.error.stage, bad.error.message) == ("notebook", "ValueError: no such luck")
    executed = (place / "executions").read_text().splitlines()
    assert sorted(executed[:2]) == ["atomic-min 100", "cloud-docker 100"]
    assert executed[2:] == ["atomic-cloud-init 100"], "the fallback only once it is needed; what failed, not again"
    assert "atomic-min failed at notebook: building its fallback atomic-cloud-init" in told.err
    assert "atomic-cloud-init, in place of atomic-min: the page has what it costs" in told.err


BOOTS = {"cloud-docker": 1, "atomic-cloud-init": 2, "atomic-min": 2}
"""How many wall-clock boots each variant asks for, besides one that is counted."""


def executed_rounds(place: Path, monkeypatch: pytest.MonkeyPatch, boots: dict[str, int]) -> list[tuple[int, list[str]]]:
    """How many notebooks a run of these variants executes at once, and which, round by round."""
    seen: list[tuple[int, list[str]]] = []
    made = dict.fromkeys(boots, 0)

    def execute(executions: Sequence[Execution], *, workers: int) -> list[WorkbookError | None]:
        seen.append((workers, [f"{one.parameters['variant']} {one.parameters['new_boots']}" for one in executions]))
        for one in executions:
            name, new_boots = str(one.parameters["variant"]), one.parameters["new_boots"]
            assert isinstance(new_boots, int)
            made[name] = min(made[name] + new_boots, boots[name] + 1)
            stages = tuple(
                StageTime(stage=each, seconds=1.0, reused=False, key=each) for each in ("resolve", "compose", "image")
            )
            status = "ok" if made[name] > boots[name] else "incomplete"
            result = variant_result(name, boots=min(made[name], boots[name]))
            changed = {
                "status": status,
                "stages": stages,
                "counted_boots": result.counted_boots[: made[name] - boots[name]],
            }
            write_variant_result(one.output.with_name(RESULT_FILE), result.model_copy(update=changed))
        return [None for _ in executions]

    put_execution(monkeypatch, execute)
    monkeypatch.setattr(variant_rounds, "variants_at_once", lambda variants: len(variants))
    directory = place / "build/runs/own"
    directory.mkdir(parents=True)
    variants = [
        variant.model_copy(update={"boots_bios": boots[variant.variant], "boots_uefi": 0, "counted_boots": 1})
        for variant in study_variants(load_study("default"))
    ]
    results = variant_rounds.VariantRounds("default", {}, directory).make(variants)
    assert [(result.variant, result.status) for result in results] == [(name, "ok") for name in boots]
    return seen


def test_variants_whose_times_are_not_compared_are_built_and_booted_side_by_side(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = executed_rounds(place, monkeypatch, dict.fromkeys(BOOTS, 1))
    assert seen == [(3, ["cloud-docker 100", "atomic-cloud-init 100", "atomic-min 100"])]


def test_boots_that_are_compared_are_made_in_turns_one_at_a_time_between_all_builds_and_all_other_boots(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert executed_rounds(place, monkeypatch, dict.fromkeys(BOOTS, 2)) == [
        (3, ["cloud-docker 0", "atomic-cloud-init 0", "atomic-min 0"]),
        (1, ["cloud-docker 1", "atomic-cloud-init 1", "atomic-min 1"]),
        (1, ["cloud-docker 1", "atomic-cloud-init 1", "atomic-min 1"]),
        (3, ["cloud-docker 100", "atomic-cloud-init 100", "atomic-min 100"]),
    ]


def test_a_variant_without_repeated_boots_is_booted_once_those_of_the_others_are_done(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert executed_rounds(place, monkeypatch, BOOTS) == [
        (3, ["cloud-docker 0", "atomic-cloud-init 0", "atomic-min 0"]),
        (1, ["atomic-cloud-init 1", "atomic-min 1"]),
        (1, ["atomic-cloud-init 1", "atomic-min 1"]),
        (3, ["cloud-docker 100", "atomic-cloud-init 100", "atomic-min 100"]),
    ]


def test_a_fallback_that_fails_too_is_not_built_twice_and_the_earlier_run_is_named(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = rounds(monkeypatch)
    assert study_run.run_study("default", variants=["atomic-min"]) == 0
    before = Path(capsys.readouterr().out.strip()).parent.name
    assert made.executed == [("atomic-min", 100)]
    unlucky = WorkbookError("ValueError: no such luck")
    made = rounds(monkeypatch, atomic_min=unlucky, atomic_cloud_init=unlucky)
    assert study_run.run_study("default", variants=["atomic-min"]) == 1
    told = capsys.readouterr()
    assert made.executed == [("atomic-min", 100), ("atomic-cloud-init", 100)]
    assert "error: atomic-min failed at notebook: ValueError: no such luck" in told.err
    assert "error: atomic-cloud-init failed at notebook: ValueError: no such luck" in told.err
    assert "atomic-min: its fallback atomic-cloud-init failed as well, nothing stands in" in told.err
    result = read_study_result(Path(told.out.strip()).parent)
    assert [(one.variant, one.status) for one in result.variants] == [
        ("atomic-min", "failed"), ("atomic-cloud-init", "failed"),
    ]  # fmt: skip
    (earlier,) = result.previous
    assert (earlier.variant, earlier.run, earlier.figures) == ("atomic-min", before, {"package_count": 190.0})


def test_a_study_that_asks_for_it_says_of_every_agent_what_faults_did_to_it(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds(monkeypatch)
    assert study_run.run_study("provisioning") == 0
    told = capsys.readouterr()
    directory = Path(told.out.strip()).parent
    matrix = read_matrix(directory)
    assert matrix is not None
    reasons = dict(matrix.not_run)
    assert list(reasons) == ["credentials", "min-cloud-agent", "ignition", "cloud-init"]
    assert reasons["cloud-init"] == "no tree with it was composed: atomic-cloud-init, atomic-cloud-init-nocloud"
    assert "cloud-init: not tested against injected faults: no tree" in told.err
    assert (directory / "conformance.csv").read_text().startswith("fault,agent,variant,outcome,why,run,")
    page = (directory / "index.html").read_text()
    assert 'href="conformance.json"' in page
    assert 'href="conformance.csv"' in page


def test_no_faults_are_put_where_the_study_does_not_ask(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds(monkeypatch)
    assert study_run.run_study("default", variants=["atomic-min"]) == 0
    directory = Path(capsys.readouterr().out.strip()).parent
    assert not list(directory.glob("conformance.*"))


def test_a_variant_that_the_study_has_not_is_named_before_anything_is_made(place: Path) -> None:
    with pytest.raises(WorkbookError) as caught:
        study_run.run_study("default", variants=["atomic-mni"])
    assert caught.value.message == "--variant atomic-mni: study 'default' has no such variant"
    assert caught.value.hint == "it has: cloud-docker, atomic-cloud-init, atomic-min"
    assert not (place / "build").exists()


@pytest.mark.parametrize(
    ("name", "overrides", "said"),
    [
        ("defualt", {}, "no such file"),
        ("default", {"boots_bois": 1}, "unknown key 'boots_bois'"),
        ("default", {"boots_bios": -1}, "boots_bios: -1 is not accepted"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(
    place: Path, name: str, overrides: dict[str, Any], said: str
) -> None:
    with pytest.raises(WorkbookError, match=said):
        study_run.run_study(name, overrides=overrides)
    assert not (place / "build").exists()


def test_outside_of_the_namespace_the_next_step_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    with pytest.raises(WorkbookError, match="needs a namespace") as caught:
        study_run.run_study("default")
    assert "start it with ./workbook" in caught.value.hint
    assert not (place / "build").exists()


@pytest.mark.parametrize(
    ("names", "kept", "baseline"),
    [
        ((), ("cloud-docker", "atomic-cloud-init", "atomic-min"), "cloud-docker"),
        (("atomic-min", "cloud-docker"), ("cloud-docker", "atomic-min"), "cloud-docker"),
        (("atomic-min",), ("atomic-min",), "atomic-min"),
    ],
)
def test_a_study_narrowed_keeps_its_order_and_has_a_baseline(
    names: tuple[str, ...], kept: tuple[str, ...], baseline: str
) -> None:
    whole = load_study("default")
    narrowed, variants = study_run._narrowed(whole, study_variants(whole), names)
    assert (narrowed.variants, narrowed.baseline) == (kept, baseline)
    assert tuple(variant.variant for variant in variants) == kept


@pytest.mark.parametrize(
    ("outcome", "executions", "message"),
    [
        ("nothing", 1, "notebooks/variant.ipynb left no result: "),
        ("damaged", 1, "notebooks/variant.ipynb left no result: "),
        ("resolved", 1, "notebooks/variant.ipynb has no cell for the stage compose"),
        ("composed", 1, "notebooks/variant.ipynb has no cell that boots the image"),
    ],
)
def test_a_notebook_that_lacks_cells_is_refused_and_not_executed_again(
    place: Path, monkeypatch: pytest.MonkeyPatch, outcome: str, executions: int, message: str
) -> None:
    made = rounds(monkeypatch, atomic_min=outcome)
    assert study_run.run_study("default", variants=["atomic-min", "cloud-docker"]) == 1
    (directory,) = (place / "build/runs").iterdir()
    good, bad = read_study_result(directory).variants
    assert (good.status, bad.status) == ("ok", "failed")
    assert bad.error is not None
    assert bad.error.message.startswith(message)
    assert bad.error.hint == "restore the notebook: git restore notebooks/variant.ipynb"
    assert [name for name, _ in made.executed].count("atomic-min") == executions


def test_of_a_fault_that_is_not_the_variants_own_no_fallback_is_built(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "workbook").touch()
    hint = "free some space, see ./x.log, or ./workbook doctor"
    made = rounds(monkeypatch, atomic_min=SetupError("the disk is full", hint=hint))
    assert study_run.run_study("default", variants=["atomic-min", "cloud-docker"]) == 1
    told = capsys.readouterr()
    assert made.executed == [("cloud-docker", 100), ("atomic-min", 100)]
    assert told.err.splitlines()[-3:] == [
        "error: atomic-min failed at notebook: the disk is full",
        f"Next step: free some space, see {Path(told.out.strip()).parent}/atomic-min/x.log, or ./workbook doctor",
        "atomic-min: the cause is not the variant itself, so no fallback is built",
    ]
    assert read_study_result(Path(told.out.strip()).parent).fallbacks == {}
