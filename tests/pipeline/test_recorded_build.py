"""A build with its record: which variant a notebook's parameters choose, and what a stage that fails leaves."""

import ast
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.image.disk import Image
from atomic_lib.measure.guards.guard_rules import GuardName
from atomic_lib.measure.guards.image_guards import Guard, GuardFinding
from atomic_lib.params.schema import read_yaml_mapping
from atomic_lib.params.study_file import chosen_variant, fallback_variants, load_study, study_variants
from atomic_lib.params.variant import Variant, load_variant, variant_names
from atomic_lib.pipeline import recorded_build
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.recorded_build import RecordedBuild, open_recorded_build, record_build
from atomic_lib.pipeline.study.variant_rounds import VariantRounds
from atomic_lib.results.result_files import read_variant_result
from atomic_lib.solve.lock import Lock
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools import user_namespace
from tests.contexts import put_empty_tools

STUDIES = sorted(path.stem for path in (CHECKOUT / "params/studies").glob("*.yaml"))


def notebook_parameters() -> dict[str, Any]:
    """The defaults in the parameters cell of variant.ipynb."""
    cells = json.loads((CHECKOUT / "notebooks/variant.ipynb").read_text())["cells"]
    source = next("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    return {
        ast.unparse(statement.target): ast.literal_eval(statement.value)
        for statement in ast.parse(source).body
        if isinstance(statement, ast.AnnAssign) and statement.value
    }


def given(**changed: object) -> dict[str, Any]:
    """The notebook's parameters, some of them set as by hand or by ``papermill -p``."""
    parameters = notebook_parameters()
    assert changed.keys() <= parameters.keys()
    return {**parameters, **changed}


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build directory of the test's own, as in the namespace, and a cache with a tools tree that has no tools."""
    put_empty_tools(tmp_path / "cache")
    monkeypatch.setenv("WORKBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(user_namespace, "is_inside", lambda: True)
    monkeypatch.setattr(recorded_build, "BUILD", tmp_path / "build")
    return tmp_path / "build"


def opened(directory: Path, **changed: object) -> RecordedBuild:
    return open_recorded_build(given(**changed), str(directory))


def test_the_notebook_has_exactly_the_parameters_of_a_variant() -> None:
    parameters = notebook_parameters()
    assert set(parameters) == {*Variant.model_fields, "study", "new_boots", "output_directory"}
    own = {"variant", "study", "new_boots", "output_directory"}
    assert {name for name, value in parameters.items() if value is not None} == own


@pytest.mark.parametrize("name", ["atomic-min", "cloud-docker"])
def test_a_name_alone_loads_its_file(tmp_path: Path, name: str) -> None:
    made = opened(tmp_path / "out", variant=name)
    assert made.variant == load_variant(name)
    assert made.record.result.variant == name


@pytest.mark.parametrize("name", variant_names())
def test_the_files_themselves_are_overrides_that_contradict_nothing(tmp_path: Path, name: str) -> None:
    base, own = (read_yaml_mapping(CHECKOUT / "params" / file) for file in ("base.yaml", f"variants/{name}.yaml"))
    assert opened(tmp_path / "out", **{**base, **own}).variant == load_variant(name)


def test_a_parameter_overrides_the_file(tmp_path: Path) -> None:
    made = opened(tmp_path / "out", variant="cloud-docker", boots_bios=3, last_stage="image", warm_up=False)
    assert made.variant == load_variant("cloud-docker", overrides={"boots_bios": 3, "last_stage": "image"})


def test_a_cell_of_a_study_is_what_the_study_makes_of_it(tmp_path: Path) -> None:
    cell = opened(tmp_path / "out", study="factors", variant="runtime-podman").variant
    wanted = {variant.variant: variant for variant in study_variants(load_study("factors"))}["runtime-podman"]
    assert cell == wanted
    assert (cell.parts, cell.last_stage) == ("min-cloud-agent podman", "tree")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"variant": "nosuch"}, "unknown variant 'nosuch': there is no {params}/variants/nosuch.yaml"),
        ({"variant": ""}, "unknown variant ''"),
        (
            {"variant": "cloud-docker", "method": "ostree", "recipe": "atomic-min"},
            "override: method: 'ostree' contradicts {params}/variants/cloud-docker.yaml, which says 'traditional'",
        ),
        (
            {"variant": "cloud-docker", "recipe": "atomic-min"},
            "override: recipe: 'atomic-min' contradicts {params}/variants/cloud-docker.yaml, which says 'cloud-docker'",
        ),
        (
            {"variant": "atomic", "description": "the best one"},
            "override: description: 'the best one' contradicts {params}/variants/atomic.yaml, which says ",
        ),
        ({"boots_bios": "2"}, "override: boots_bios: '2' is not accepted: must be a whole number"),
        ({"agent": 1}, "override: agent: 1 is not accepted: must be one of "),
        ({"study": "factors", "variant": "runtime-nosuch"}, "study 'factors' has no variant 'runtime-nosuch'"),
        ({"study": "nosuch"}, "{params}/studies/nosuch.yaml: no such file"),
    ],
)
def test_what_is_wrong_is_one_line_before_anything_is_written(
    tmp_path: Path, changed: Mapping[str, object], said: str
) -> None:
    there = set(tmp_path.rglob("*"))
    with pytest.raises(WorkbookError) as caught:
        opened(tmp_path / "out", **changed)
    assert caught.value.message.startswith(said.format(params=CHECKOUT / "params"))
    assert "\n" not in caught.value.message
    assert set(tmp_path.rglob("*")) == there


def test_a_name_without_a_file_makes_no_directory_in_build_either() -> None:
    there = CHECKOUT / "build/variants/nosuch"
    with pytest.raises(WorkbookError, match="unknown variant 'nosuch'"):
        open_recorded_build(given(variant="nosuch"))
    assert not there.exists()


def test_other_names_of_a_notebook_are_not_looked_at(tmp_path: Path) -> None:
    values = {**given(), "In": ["cells"], "get_ipython": None, "pd": object()}
    assert open_recorded_build(values, str(tmp_path / "out")).variant == load_variant("atomic-min")


def test_results_go_below_the_checkout_where_the_path_is_relative(tmp_path: Path) -> None:
    relative = Path("build") / ".." / ".." / os.path.relpath(tmp_path, CHECKOUT.parent)
    assert opened(relative).directory == CHECKOUT / relative


def test_where_results_go_is_a_note_and_no_step_that_would_have_an_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened(tmp_path / "out", variant="atomic-min")
    assert f"! atomic-min: results go to {tmp_path / 'out'}" in capsys.readouterr().err.splitlines()


def test_outside_of_the_namespace_the_next_step_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_namespace, "is_inside", lambda: False)
    with pytest.raises(WorkbookError, match="needs a namespace") as caught:
        opened(tmp_path / "out")
    assert "./workbook lab" in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("overrides", [{}, {"boots_bios": 2, "guest_cpus": 1}], ids=["no override", "overrides"])
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_hands_its_notebooks_exactly_the_variants_that_it_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, overrides: dict[str, Any]
) -> None:
    monkeypatch.setattr("atomic_lib.pipeline.study.variant_rounds.CHECKOUT", tmp_path)
    study = load_study(name)
    run = VariantRounds(name, overrides, tmp_path)
    loaded = study_variants(study, overrides=overrides)
    spares = fallback_variants(study, overrides=overrides)
    assert {*study.names, *study.fallbacks.values()} == {variant.variant for variant in (*loaded, *spares.values())}
    for variant in (*loaded, *spares.values()):
        parameters = run._execution(variant, 1).parameters
        assert parameters.keys() <= notebook_parameters().keys()
        values = {**notebook_parameters(), **parameters}
        chosen = {key: values[key] for key in Variant.model_fields if key != "variant" and values[key] is not None}
        assert chosen_variant(values["variant"], values["study"], chosen) == variant


def test_a_stage_that_fails_is_recorded_with_its_cause(tmp_path: Path) -> None:
    own = load_variant("atomic-min").model_copy(update={"recipe": "none-such"})
    made = record_build(own, tmp_path / "out")
    with pytest.raises(WorkbookError, match="no recipe 'none-such'"):
        made.resolve()
    result = read_variant_result(tmp_path / "out/result.json")
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.stage == "recipe"
    assert "no recipe 'none-such'" in result.error.message
    assert result.error.hint


@pytest.mark.parametrize("given_as", ["absolute", "relative"])
def test_an_error_does_not_say_where_the_user_keeps_files(tmp_path: Path, given_as: str) -> None:
    kept = tmp_path / "customers/rpms"
    path = str(kept) if given_as == "absolute" else os.path.relpath(kept, CHECKOUT)
    own = load_variant("atomic-min", overrides={"local_rpms": path, "local_rpms_trusted": True})
    made = record_build(own, tmp_path / "out")

    def fail() -> None:
        place = CHECKOUT / path
        raise WorkbookError(f"local_rpms: {place}: no such directory", hint=f"make {place}", log=f"ls: {place}/x")

    with pytest.raises(WorkbookError) as caught:
        made._stage("resolve", fail)
    error = read_variant_result(tmp_path / "out/result.json").error
    assert error is not None
    assert error.message == caught.value.message == "local_rpms: rpms: no such directory"
    assert (error.hint, error.log) == (caught.value.hint, caught.value.log) == ("make rpms", "ls: rpms/x")


def test_tools_that_cannot_be_had_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise WorkbookError("no mirror")

    monkeypatch.setattr(recorded_build, "open_context", refuse)
    with pytest.raises(WorkbookError, match="no mirror"):
        opened(tmp_path / "out")
    error = read_variant_result(tmp_path / "out/result.json").error
    assert error is not None
    assert (error.stage, error.message) == ("tools", "no mirror")


def with_image(made: RecordedBuild, directory: Path) -> RecordedBuild:
    """The build, with an image that was made already, and no packages."""
    build = Build(made.variant, made.build.context)
    vars(build)["image"] = Image("key", directory, 1, 1, 1, 0.0, True)
    vars(build).update({"rpm_set": RpmSet("key", Lock("standin", ()), directory, (), 0.0, True), "licenses": {}})
    return replace(made, build=build)


def test_the_packages_of_the_container_image_are_recorded_before_the_image(tmp_path: Path) -> None:
    made = opened(tmp_path / "out")
    own = RpmSet("own-key", Lock("standin", ()), tmp_path, (), 2.0, False)
    vars(made.build)["container_packages"] = Mock(rpm_set=own)
    vars(made.build).update({"container": None, "container_figures": None})
    made.build_container()
    result = read_variant_result(tmp_path / "out/result.json")
    assert result.container_lock_sha256 == own.lock.sha256
    assert [(stage.stage, stage.key) for stage in result.stages] == [("container-resolve", "own-key")]


def test_where_the_container_image_is_stands_in_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = opened(tmp_path / "out")
    image = SimpleNamespace(directory=CHECKOUT / "build/store/container/KEY", name="container-base")
    vars(made.build).update({"container_packages": None, "container": image, "container_figures": Mock()})
    vars(made.record)["add_container"] = Mock()
    made.build_container()
    assert "! atomic-min: container-base is in build/store/container/KEY: oci" in capsys.readouterr().err


def test_boots_that_may_not_be_made_now_leave_the_variant_incomplete(tmp_path: Path) -> None:
    made = with_image(opened(tmp_path / "out", accelerator="tcg", boots_uefi=2), tmp_path)
    assert made.boot(0).boots == ()
    assert read_variant_result(tmp_path / "out/result.json").status == "incomplete"


def test_a_variant_that_is_not_to_be_booted_is_done(tmp_path: Path) -> None:
    made = with_image(opened(tmp_path / "out", boots_bios=0, boots_uefi=0), tmp_path)
    assert made.boot(0).boots == ()
    assert read_variant_result(tmp_path / "out/result.json").status == "ok"


@pytest.mark.parametrize(
    ("guard", "reason", "status"),
    [
        ("private-keys", "", "failed"),
        ("private-keys", "It is a key of the self-tests.", "ok"),
        ("set-uid", "", "ok"),
        ("world-writable", "", "ok"),
    ],
)
def test_an_image_with_an_unexplained_private_key_is_never_ok(
    tmp_path: Path, guard: GuardName, reason: str, status: str
) -> None:
    made = with_image(opened(tmp_path / "out", last_stage="image"), tmp_path)
    (tmp_path / "entries.jsonl").touch()
    finding = GuardFinding(found="/etc/found", detail="detail", reason=reason)
    found = Guard(guard=guard, found=1, unexplained=0 if reason else 1, findings=(finding,))
    vars(made.build).update({"image_footprint": None, "labels": None, "guards": (found,)})
    if status == "failed":
        with pytest.raises(WorkbookError, match=r"a private key is in the image, .*: /etc/found"):
            made.measure_image()
    else:
        made.measure_image()
    result = read_variant_result(tmp_path / "out/result.json")
    assert (result.status, result.guards) == (status, (found,))
    assert (result.error.stage if result.error else "") == ("guards" if status == "failed" else "")


@pytest.mark.parametrize("last_stage", ["tree", "image", "boot"])
def test_a_build_has_an_sbom_before_it_is_booted(tmp_path: Path, last_stage: str) -> None:
    made = with_image(opened(tmp_path / "out", last_stage=last_stage), tmp_path)
    (tmp_path / "entries.jsonl").touch()
    vars(made.build).update({"image_footprint": None, "labels": None, "guards": ()})
    made.measure_image()
    sbom = json.loads((tmp_path / "out/atomic-min.cdx.json").read_text())
    assert sbom["metadata"]["component"]["name"] == "atomic-min"


def test_an_sbom_that_does_not_add_up_fails_the_variant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise WorkbookError("the parts have 1 tree_bytes")

    made = with_image(opened(tmp_path / "out", last_stage="tree"), tmp_path)
    monkeypatch.setattr(recorded_build, "write_sbom", refuse)
    with pytest.raises(WorkbookError):
        made.measure_image()
    error = read_variant_result(tmp_path / "out/result.json").error
    assert error is not None
    assert error.stage == "sbom"
