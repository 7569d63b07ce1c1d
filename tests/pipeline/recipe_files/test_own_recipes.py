"""Recipes from anywhere: the variants that they become, and the copies that results are made from."""

import os
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.scrub import scrubber, without_copies
from atomic_lib.cli import main
from atomic_lib.params.study_file import chosen_variant, load_study
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.recipe_files import own_recipes
from atomic_lib.pipeline.recipe_files.own_recipes import is_recipe, study_of_recipes, variants_named
from atomic_lib.recipe.load import load_recipe, read_recipe


@pytest.fixture
def recipes(tmp_path: Path) -> list[str]:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/base.yaml").write_text("packages: [bash, docker.io, min-cloud-agent]\n")
    (tmp_path / "My Host.yaml").write_text("ref: own\ninclude: parts/base.yaml\npostprocess-script: script.sh\n")
    (tmp_path / "script.sh").write_text("#!/bin/sh\ntrue\n")
    (tmp_path / "other.ks").write_text("%packages\n@core\npodman\n%end\n")
    return [str(tmp_path / "My Host.yaml"), str(tmp_path / "other.ks")]


@pytest.mark.parametrize(("word", "expected"), [
    ("default", False), ("atomic-min", False), ("host.yaml", True), ("a.ks", True), ("./x", True), ("d/x.json", True),
])  # fmt: skip
def test_a_path_is_told_from_a_name(word: str, expected: bool) -> None:
    assert is_recipe(word) == expected


def test_each_recipe_is_a_variant_with_defaults_compared_with_the_first(recipes: list[str], tmp_path: Path) -> None:
    params = study_of_recipes(recipes, build=tmp_path / "build")
    study = load_study("recipes", params)
    assert (study.variants, study.baseline) == (("my-host", "other"), "my-host")
    one, other = (load_variant(name, params) for name in study.variants)
    assert (one.method, one.agent, one.data_source, one.runtime) == ("ostree", "min-cloud-agent", "ec2", "docker")
    assert (other.method, other.agent, other.data_source) == ("traditional", "credentials", "credentials")
    assert (other.runtime, other.counted_boots, other.content) == ("podman", 0, "standin")
    assert load_recipe(one).packages == ("bash", "docker.io", "min-cloud-agent")
    assert load_recipe(one).post_scripts[0].text == "#!/bin/sh\ntrue\n"
    assert load_recipe(other).groups == ("core",)


def test_an_agent_that_comes_with_a_group_is_known_by_its_units(tmp_path: Path) -> None:
    (tmp_path / "base.ks").write_text("services --enabled=sshd,cloud-init,cloud-final\n%packages\n@core\n%end\n")
    params = study_of_recipes([str(tmp_path / "base.ks")], build=tmp_path / "build")
    variant = load_variant("base", params)
    assert (variant.agent, variant.data_source) == ("cloud-init", "ec2")


def test_a_kickstart_that_deploys_a_commit_is_an_ostree_variant(tmp_path: Path) -> None:
    path = tmp_path / "own.ks"
    path.write_text("ostreesetup --osname=own --url=https://own.example/repo --ref=a/b\n")
    variant = load_variant("own", study_of_recipes([str(path)], build=tmp_path / "build"))
    assert (variant.method, variant.agent, variant.runtime) == ("ostree", "credentials", "none")
    assert load_recipe(variant).ref == "a/b"


def test_the_copy_stays_as_it_was_and_has_no_path_of_the_user(recipes: list[str], tmp_path: Path) -> None:
    params = study_of_recipes(recipes, build=tmp_path / "build")
    for path in tmp_path.rglob("*.y*ml"):
        if not path.is_relative_to(params):
            path.write_text("changed: true\n")
    variant = load_variant("my-host", params)
    assert "bash" in load_recipe(variant).packages
    assert CHECKOUT / variant.recipe_file == CHECKOUT / os.path.relpath(params / "files/my-host/My Host.yaml", CHECKOUT)


def test_another_content_has_another_place_and_the_same_content_the_same(recipes: list[str], tmp_path: Path) -> None:
    first = study_of_recipes(recipes, build=tmp_path / "build")
    assert study_of_recipes(recipes, build=tmp_path / "build") == first
    (tmp_path / "parts/base.yaml").write_text("packages: [bash]\n")
    assert study_of_recipes(recipes, build=tmp_path / "build") != first


def test_repositories_and_last_programs_are_copied_with_all_that_these_see(recipes: list[str], tmp_path: Path) -> None:
    directory = Path(recipes[0]).parent
    for name, text in {"own.repo": "[own]\nbaseurl=https://a.example/\n", "finalize.d/10-own": "#!/bin/sh\n",
                       "data/motd": "hello\n"}.items():  # fmt: skip
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text)
    for name in ("finalize.d/10-own", "data/motd"):
        (directory / name).chmod(0o755)
    Path(recipes[0]).write_text(f"{Path(recipes[0]).read_text()}add-files: [[data/motd, /etc/motd]]\n")
    params = study_of_recipes(recipes, build=tmp_path / "build")
    (file,) = (params / "files").rglob("My Host.yaml")
    copied = read_recipe(file)
    assert [one.name for one in copied.repositories] == ["own"]
    assert copied.finalization is not None
    assert [one.path for one in copied.finalization.programs] == ["10-own"]
    assert b"hello\n" in [one.content for one in copied.finalization.files]


def test_layers_and_files_that_a_recipe_adds_are_copied_too(recipes: list[str], tmp_path: Path) -> None:
    layer = tmp_path / "overlay.d/05own/usr/lib/own"
    layer.mkdir(parents=True)
    (layer / "file").write_text("of the layer\n")
    (tmp_path / "motd").write_text("hello\n")
    (tmp_path / "motd").chmod(0o755)
    text = Path(recipes[0]).read_text()
    Path(recipes[0]).write_text(f"{text}ostree-layers: [overlay/05own]\nadd-files: [[motd, /usr/etc/motd]]\n")
    params = study_of_recipes(recipes, build=tmp_path / "build")
    copied = load_recipe(load_variant("my-host", params))
    assert b"of the layer\n" in [file.content for file in copied.overlays]
    assert [file.content for file in copied.added_files] == [b"hello\n"]
    (layer / "file").write_text("another\n")
    assert study_of_recipes(recipes, build=tmp_path / "build") != params


def test_a_recipe_that_a_copy_cannot_stand_for_is_refused_and_nothing_stays(
    recipes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_recipes, "_said", lambda recipe: {"files": recipe.files})
    with pytest.raises(WorkbookError, match="a copy of it says something else"):
        study_of_recipes(recipes, build=tmp_path / "build")
    assert list((tmp_path / "build/recipes").iterdir()) == []


def test_two_recipes_of_one_name_are_told_apart(recipes: list[str], tmp_path: Path) -> None:
    (tmp_path / "parts/other.ks").write_text("%packages\nbash\n%end\n")
    params = study_of_recipes([recipes[1], str(tmp_path / "parts/other.ks")], build=tmp_path / "build")
    assert load_study("recipes", params).variants == ("other", "other-copy1")


def test_a_recipe_with_an_error_writes_nothing(recipes: list[str], tmp_path: Path) -> None:
    Path(recipes[1]).write_text("%packages\n")
    with pytest.raises(WorkbookError, match="has no %end"):
        study_of_recipes(recipes, build=tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_notebooks_find_the_variant_by_the_path_of_the_study(
    recipes: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    params = study_of_recipes(recipes, build=tmp_path / "build")
    variant = chosen_variant("other", str(params / "studies/recipes.yaml"), {"version": "7"})
    assert (variant.variant, variant.version) == ("other", "7")
    monkeypatch.setattr(own_recipes, "BUILD", tmp_path / "build")
    named, own = variants_named(["atomic-min", recipes[1]], None, {"version": "8"})
    assert (named.recipe_file, own.variant, named.version, own.version) == ("", "other", "8", "8")


def test_copies_that_were_made_stand_for_recipes_that_cannot_be_read_any_more(
    recipes: list[str], tmp_path: Path
) -> None:
    copies = study_of_recipes(recipes, build=tmp_path / "build")
    for path in tmp_path.glob("*.*"):
        path.unlink()
    variants = variants_named([*recipes, "atomic-min"], copies)
    assert [variant.variant for variant in variants] == ["my-host", "other", "atomic-min"]
    assert load_recipe(variants[0]).post_scripts[0].text == "#!/bin/sh\ntrue\n"


def test_two_variants_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_recipes, "BUILD", tmp_path / "build")
    (tmp_path / "atomic-min.yaml").write_text("ref: own\npackages: [bash]\n")
    with pytest.raises(WorkbookError, match="both are called atomic-min"):
        variants_named(["atomic-min", str(tmp_path / "atomic-min.yaml")])


def test_errors_name_the_recipe_and_not_its_copy(recipes: list[str], tmp_path: Path) -> None:
    copy = CHECKOUT / "build/recipes/0123456789abcdef/files/my-host"
    text = f"{copy}/parts/base.yaml:1: no\nand {copy}/My Host.yaml"
    assert without_copies(text) == "parts/base.yaml:1: no\nand My Host.yaml"
    assert scrubber(tmp_path)(text) == without_copies(text)
    assert study_of_recipes(recipes).parent == copy.parents[2]


@pytest.mark.parametrize("words", [["default", "a.yaml"], ["default", "factors"]])
def test_a_study_and_recipes_are_not_mixed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *words]) == 1
    assert "give one study, or recipes only" in capsys.readouterr().err


def test_a_copy_of_a_lock_keeps_the_suffix_that_says_how_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "overrides.yaml").write_text("packages: {own: {evr: 1-1}}\n")
    copy = own_recipes.copied_lock(tmp_path / "overrides.yaml", build=tmp_path / "build")
    assert copy.suffix == ".yaml"
    assert copy.read_text() == "packages: {own: {evr: 1-1}}\n"
