"""The recipe of a variant is found by method, content and name."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.variant import Variant, load_variant
from atomic_lib.recipe.load import load_container_recipe, load_recipe, load_recipes


def variant(method: str) -> Variant:
    return Variant.model_validate({"variant": "x", "method": method, "recipe": "small", "agent": "cloud-init"})


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["small.yaml", "small.json"])
def test_an_ostree_variant_reads_a_treefile(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "treefiles" / name, '{"ref": "a/b", "packages": ["bash"]}')
    recipe = load_recipe(variant("ostree"), tmp_path)
    assert (recipe.files, recipe.ref, recipe.packages) == ((path,), "a/b", ("bash",))


def test_a_traditional_variant_reads_a_kickstart(tmp_path: Path) -> None:
    path = write(tmp_path / "kickstarts" / "small.ks", "%packages --nocore\nbash\n%end\n")
    recipe = load_recipe(variant("traditional"), tmp_path)
    assert (recipe.files, recipe.packages) == ((path,), ("bash",))


def test_the_kickstart_is_read_in_the_syntax_version_of_the_variant(tmp_path: Path) -> None:
    write(tmp_path / "kickstarts" / "small.ks", "%packages --nocore --inst-langs=en\nbash\n%end\n")
    old = variant("traditional").model_copy(update={"kickstart_version": "F21"})
    recipe = load_recipe(variant("traditional"), tmp_path)
    assert (recipe.languages, recipe.notes) == (("en",), ())
    assert "because that of F21 does not accept" in load_recipe(old, tmp_path).notes[0]


def test_a_traditional_root_may_come_from_a_treefile_too(tmp_path: Path) -> None:
    path = write(tmp_path / "treefiles" / "small.yaml", '{"ref": "a/b", "packages": ["bash"]}')
    recipe = load_recipe(variant("traditional"), tmp_path)
    assert (recipe.files, recipe.packages) == ((path,), ("bash",))


def test_parts_lie_over_the_recipe_the_later_over_the_earlier(tmp_path: Path) -> None:
    top = tmp_path / "treefiles"
    write(top / "small.yaml", '{"ref": "a/b", "packages": ["bash"], "documentation": false, "recommends": false}')
    write(top / "parts/one.yaml", '{"packages": ["one"], "documentation": true, "recommends": true}')
    write(top / "parts/two.yaml", '{"packages": ["two"], "recommends": false}')
    recipe = load_recipe(variant("ostree").model_copy(update={"parts": "one two"}), tmp_path)
    assert recipe.packages == ("bash", "one", "two")
    assert (recipe.documentation, recipe.weak_dependencies) == (True, False)
    assert recipe.files[0] == top / "small.yaml"


def test_a_variant_decides_on_weak_dependencies_if_it_says_so(tmp_path: Path) -> None:
    write(tmp_path / "treefiles" / "small.yaml", '{"ref": "a/b", "packages": ["bash"], "recommends": true}')
    own = variant("ostree")
    decided = [own.model_copy(update={"weak_dependencies": value}) for value in ("", "omit", "install")]
    assert [load_recipe(one, tmp_path).weak_dependencies for one in decided] == [True, False, True]


def test_the_base_beside_a_treefile_is_its_layer(tmp_path: Path) -> None:
    top = tmp_path / "treefiles"
    write(top / "base.yaml", '{"packages": ["bash grep"]}')
    write(top / "small.yaml", '{"ref": "a/b", "include": "base.yaml", "packages": ["sed"]}')
    recipe = load_recipe(variant("ostree"), tmp_path)
    assert (recipe.packages, recipe.layer) == (("bash", "grep", "sed"), ("bash", "grep"))


def test_a_container_has_a_treefile_of_its_own_kind(tmp_path: Path) -> None:
    write(tmp_path / "treefiles/small.yaml", "packages: [bash]\nref: a/b\n")
    path = write(tmp_path / "treefiles/base.yaml", "container: true\npackages: [bash]\n")
    own = variant("ostree").model_copy(update={"container": "base"})
    assert load_container_recipe(own, tmp_path).files == (path,)
    with pytest.raises(WorkbookError, match=r"small\.yaml: container: is not set"):
        load_container_recipe(own.model_copy(update={"container": "small"}), tmp_path)
    with pytest.raises(WorkbookError, match=r"'x': container: there is no .*/nosuch\.yaml"):
        load_container_recipe(own.model_copy(update={"container": "nosuch"}), tmp_path)
    with pytest.raises(WorkbookError, match=r"base\.yaml: container: variant 'x' boots"):
        load_recipe(own.model_copy(update={"recipe": "base"}), tmp_path)


def test_a_part_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    top = tmp_path / "treefiles"
    write(top / "small.yaml", '{"ref": "a/b", "packages": ["bash"]}')
    write(top / "parts/docker.yaml", "{}")
    with pytest.raises(WorkbookError, match=r"parts: no such file: .*parts/dockr\.yaml") as caught:
        load_recipe(variant("ostree").model_copy(update={"parts": "dockr"}), tmp_path)
    assert "docker.yaml" in caught.value.hint


def test_parts_over_a_kickstart_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "kickstarts" / "small.ks", "%packages --nocore\nbash\n%end\n")
    with pytest.raises(WorkbookError, match=r"parts: .*small\.ks is a kickstart"):
        load_recipe(variant("traditional").model_copy(update={"parts": "docker"}), tmp_path)


def test_the_automatic_return_is_one_more_part_of_any_treefile(tmp_path: Path) -> None:
    top, own = tmp_path / "treefiles", tmp_path / "elsewhere/own.yaml"
    for path in (top / "small.yaml", own):
        write(path, '{"ref": "a/b", "packages": ["bash"]}')
    write(top / "parts/automatic-return.yaml", '{"add-files": [["files/check", "/usr/libexec/check"]]}')
    write(top / "parts/files/check", "#!/bin/sh\n")
    for changed in ({"recipe_file": ""}, {"recipe_file": str(own)}):
        of_variant = variant("ostree").model_copy(update=changed)
        assert load_recipe(of_variant, tmp_path).added_files == ()
        returning = of_variant.model_copy(update={"automatic_return": 2})
        assert [file.path for file in load_recipe(returning, tmp_path).added_files] == ["usr/libexec/check"]


def test_the_automatic_return_of_a_kickstart_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "own.ks", "%packages --nocore\nbash\n%end\n")
    changed = {"recipe_file": str(tmp_path / "own.ks"), "automatic_return": 2}
    with pytest.raises(WorkbookError, match=r"automatic_return: .*own\.ks is a kickstart"):
        load_recipe(variant("ostree").model_copy(update=changed), tmp_path)


def test_a_treefile_and_a_kickstart_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "kickstarts" / "small.ks", "")
    write(tmp_path / "treefiles" / "small.yaml", "{}")
    with pytest.raises(WorkbookError, match="recipe 'small' is ambiguous"):
        load_recipe(variant("traditional"), tmp_path)


DEPLOYED = "ostreesetup --osname=own --url=https://own.example/repo --ref=a/b\n"


def deploying(tmp_path: Path, **changed: str) -> Variant:
    write(tmp_path / "own.ks", DEPLOYED)
    return variant("ostree").model_copy(update={"recipe_file": str(tmp_path / "own.ks"), **changed})


def test_a_commit_is_pulled_from_where_the_variant_says_and_updates_stay_the_kickstarts(tmp_path: Path) -> None:
    recipe = load_recipe(deploying(tmp_path, ostree_url="file:///srv/mirror"), tmp_path)
    assert recipe.ostree_source is not None
    assert (recipe.ostree_source.url, recipe.ostree_source.pulled_from) == (
        "https://own.example/repo", "file:///srv/mirror",
    )  # fmt: skip
    assert recipe.notes == ("own.ks:1: ostreesetup: the commit is pulled from elsewhere (ostree_url)",)


def test_a_commit_is_no_traditional_root(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError) as caught:
        load_recipe(deploying(tmp_path, method="traditional"), tmp_path)
    assert caught.value.message == f"{tmp_path}/own.ks:1: ostreesetup: variant 'x' has method: traditional"
    assert caught.value.hint == "set method: ostree in the variant"


@pytest.mark.parametrize("name", ["ostree_url", "ostree_variant", "ostree_key"])
def test_what_is_for_a_commit_is_refused_without_ostreesetup(tmp_path: Path, name: str) -> None:
    write(tmp_path / "treefiles" / "small.yaml", '{"ref": "a/b", "packages": ["bash"]}')
    with pytest.raises(WorkbookError, match=r"ostree_variant, ostree_key: there is no ostreesetup in .*small\.yaml"):
        load_recipe(variant("ostree").model_copy(update={name: "file:///srv/mirror"}), tmp_path)


def test_a_missing_recipe_names_the_paths_and_what_is_there(tmp_path: Path) -> None:
    write(tmp_path / "kickstarts" / "smal.ks", "")
    with pytest.raises(WorkbookError) as caught:
        load_recipe(variant("traditional"), tmp_path)
    directory = tmp_path / "kickstarts"
    assert caught.value.message.startswith("variant 'x': no recipe 'small' (traditional): ")
    assert caught.value.message.endswith(f"or {directory / 'small.ks'}")
    assert caught.value.hint == f"{directory} has: smal.ks"


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError) as caught:
        load_recipe(variant("ostree"), tmp_path)
    assert caught.value.hint == f"there is no directory {tmp_path / 'treefiles'}"


def test_two_treefiles_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("small.yaml", "small.json"):
        write(tmp_path / "treefiles" / name, "{}")
    with pytest.raises(WorkbookError, match="recipe 'small' is ambiguous"):
        load_recipe(variant("ostree"), tmp_path)


@pytest.mark.parametrize(
    ("given", "recipe", "becomes"),
    [
        ("", "selinux: true", "enforcing"),
        ("", "selinux: false", "disabled"),
        ("permissive", "selinux: true", "permissive"),
        ("disabled", "selinux: true", "disabled"),
        ("enforcing", "selinux: false", "enforcing"),
    ],
)
def test_what_the_variant_says_of_selinux_wins_over_a_treefile(
    tmp_path: Path, given: str, recipe: str, becomes: str
) -> None:
    write(tmp_path / "treefiles" / "small.yaml", f"ref: a/b\npackages: [bash]\n{recipe}\n")
    assert load_recipe(variant("ostree").model_copy(update={"selinux": given}), tmp_path).selinux == becomes


@pytest.mark.parametrize(("given", "becomes"), [("", "permissive"), ("enforcing", "enforcing")])
def test_what_the_variant_says_of_selinux_wins_over_a_kickstart(tmp_path: Path, given: str, becomes: str) -> None:
    text = "selinux --permissive\n%packages --nocore\nbash\n%end\n"
    write(tmp_path / "kickstarts" / "small.ks", text)
    assert load_recipe(variant("traditional").model_copy(update={"selinux": given}), tmp_path).selinux == becomes


@pytest.mark.parametrize("name", ["atomic-min", "cloud-docker"])
def test_what_is_read_again_is_the_same(name: str) -> None:
    first = repr(load_recipes(load_variant(name)))
    assert repr(load_recipes(load_variant(name))) == first
