"""A variant saved from choices: its files are read again, and say what was explored."""

import errno
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.params.study_file import load_study
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.explore import saved_variant
from atomic_lib.pipeline.explore.choices import Choices, changed_recipe
from atomic_lib.pipeline.explore.explorer import Exploration
from atomic_lib.pipeline.explore.saved_variant import save_variant
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.explain.without import reduced_recipe
from atomic_lib.solve.running_dnf.prediction import PredictedChanges, Prediction


@pytest.fixture
def params(tmp_path: Path) -> Path:
    """A copy of the parameters."""
    return Path(shutil.copytree(PARAMS_DIRECTORY, tmp_path / "params"))


def explored(name: str, choices: Choices, params: Path, lifted: tuple[str, ...] = ()) -> Exploration:
    """An answer without packages: what is excluded is no entry's requirement, but may be an entry."""
    variant = load_variant(name, params)
    recipe = changed_recipe(load_recipe(variant, params), variant, choices, params)
    removed = tuple(word for word in recipe.packages if word in choices.exclude)
    reduced = reduced_recipe(recipe, choices.exclude, removed, ())
    before = Prediction(recipe, {}, {}, ())
    after = Prediction(reduced, {}, {}, (), removed=removed, lifted=lifted)
    return Exploration(variant, choices, PredictedChanges(before, after), (), (), 0.1)


def saved(choices: Choices, params: Path, *, base: str = "atomic-min", lifted: tuple[str, ...] = ()) -> Recipe:
    save_variant("mine", explored(base, choices, params, lifted), params)
    assert load_study("mine", params).variants == (base, "mine")
    return load_recipe(load_variant("mine", params), params)


def test_additions_need_no_copy_of_the_base(params: Path) -> None:
    recipe = saved(Choices(add=("htop", "tmux"), documentation=True), params)
    own = load_recipe(load_variant("atomic-min", params), params)
    assert recipe.packages == (*own.packages, "htop", "tmux")
    assert recipe.documentation
    text = (params / "treefiles/mine.yaml").read_text()
    assert "include:\n- atomic-min.yaml\n" in text
    assert [path.name for path in (params / "treefiles").glob("mine*")] == ["mine.yaml"]


def test_an_entry_of_an_included_file_is_left_out_of_a_copy(params: Path) -> None:
    recipe = saved(Choices(exclude=("sudo",)), params)
    assert "sudo" not in recipe.packages
    assert "sudo" in recipe.excludes
    assert "less vim-minimal procps-ng tzdata" in (params / "treefiles/mine-base.yaml").read_text()
    assert "sudo" in (params / "treefiles/base.yaml").read_text()


def test_another_agent_and_runtime_are_other_parts_and_parameters(params: Path) -> None:
    recipe = saved(
        Choices(agent="cloud-init", runtime="none"), params, lifted=("python3*", "libpython3*", "cloud-init")
    )
    variant = load_variant("mine", params)
    assert (variant.agent, variant.runtime, variant.data_source) == ("cloud-init", "none", "ec2")
    assert "cloud-init" in recipe.packages
    assert not {"moby-engine", "min-cloud-agent"} & set(recipe.packages)
    assert set(recipe.excludes) == {"dnf*", "libdnf*", "yum"}
    assert "parts/cloud-init.yaml" in (params / "treefiles/mine.yaml").read_text()


def test_parts_of_the_variant_stay(params: Path) -> None:
    recipe = saved(Choices(add=("htop",)), params, base="atomic-dnf")
    assert {"htop", "dnf", "cloud-init", "moby-engine"} <= set(recipe.packages)


def test_a_kickstart_gets_one_more_section(params: Path) -> None:
    recipe = saved(Choices(add=("htop",), exclude=("sudo",)), params, base="cloud-docker")
    own = load_recipe(load_variant("cloud-docker", params), params)
    assert set(recipe.packages) == {*own.packages, "htop"} - {"sudo"}
    assert "sudo" in recipe.excludes
    assert recipe.documentation == own.documentation


def test_nothing_is_overwritten(params: Path) -> None:
    (params / "studies/mine.yaml").write_text("mine\n")
    with pytest.raises(WorkbookError, match=r"studies/mine.yaml exists already"):
        saved(Choices(add=("htop",)), params)
    assert (params / "studies/mine.yaml").read_text() == "mine\n"
    assert not (params / "treefiles/mine.yaml").exists()
    assert not (params / "variants/mine.yaml").exists()


@pytest.mark.parametrize("name", ["", "../x", "A B", "-x"])
def test_a_bad_name_is_refused_and_nothing_written(params: Path, name: str) -> None:
    before = sorted(params.rglob("*"))
    with pytest.raises(WorkbookError):
        save_variant(name, explored("atomic-min", Choices(), params), params)
    assert sorted(params.rglob("*")) == before


def test_files_that_cannot_be_read_again_are_not_kept(params: Path) -> None:
    before = sorted(params.rglob("*"))
    treefile = params / "treefiles/atomic-min.yaml"
    treefile.write_text(
        treefile.read_text() + 'conditional-include:\n  - if: basearch == "x86_64"\n    include: extra.yaml\n'
    )
    (params / "treefiles/extra.yaml").write_text("packages: [nano]\n")
    with pytest.raises(WorkbookError, match="nano is in packages and in exclude-packages"):
        saved(Choices(exclude=("nano",)), params)
    assert sorted(params.rglob("*")) == sorted([*before, params / "treefiles/extra.yaml"])


def test_on_a_full_disk_nothing_is_left(params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, opened = sorted(params.rglob("*")), list[Path]()

    def open_until_full(path: Path, mode: str, encoding: str) -> Any:
        opened.append(path)
        if len(opened) == 3:
            path.touch()
            return open("/dev/full", "w")
        return open(path, mode, encoding=encoding)

    monkeypatch.setattr(saved_variant, "open", open_until_full, raising=False)
    with pytest.raises(OSError, match="No space left") as caught:
        saved(Choices(add=("htop",)), params)
    assert caught.value.errno == errno.ENOSPC
    assert len(opened) == 3
    assert sorted(params.rglob("*")) == before


@pytest.mark.parametrize(("name", "said"), [
    ("../mine", "variant '../mine': variant: '../mine' is not accepted: must match"),
    ("host.yaml", "variant 'host.yaml': ./workbook takes it for the path of a recipe"),
    ("cloud.ks", "variant 'cloud.ks': ./workbook takes it for the path of a recipe"),
])  # fmt: skip
def test_a_name_that_no_command_would_find_is_refused(params: Path, name: str, said: str) -> None:
    before = sorted(params.rglob("*"))
    with pytest.raises(WorkbookError, match=re.escape(said)):
        save_variant(name, explored("atomic-min", Choices(exclude=("sudo",)), params), params)
    assert sorted(params.rglob("*")) == before
