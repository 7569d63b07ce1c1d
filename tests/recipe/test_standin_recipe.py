"""What of a recipe stand-in content can do, and what is said of the rest."""

from pathlib import Path

from atomic_lib.content.demand import MissingPackage
from atomic_lib.content.yum_repository import YumRepository
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.standin_recipe import standin_recipe

RECIPE = Recipe((Path("own/host.yaml"),), ("bash", "flannel", "atomic", "dokcer"), layer=("bash", "atomic"))
MISSING = (
    MissingPackage("flannel", "host.yaml:2"),
    MissingPackage("atomic", "host.yaml:3"),
    MissingPackage("dokcer", "host.yaml:4", ("docker", "docker-cli")),
)


def test_what_has_no_counterpart_is_left_out_and_counted() -> None:
    recipe = standin_recipe(RECIPE, (*MISSING, MissingPackage("biosdevname", "a group of host.yaml")), "standin")
    assert (recipe.packages, recipe.layer) == (("bash",), ("bash",))
    assert recipe.left_out == ("flannel", "atomic", "dokcer")
    assert recipe.optional_settings
    assert not standin_recipe(RECIPE, (), "standin", strict=True).optional_settings
    assert recipe.notes == (
        "entries without a counterpart in content 'standin', left out (3 of 4): "
        "flannel, atomic, dokcer (similar: docker, docker-cli)",
        "packages of groups without one, left out (1): biosdevname",
    )


def test_repositories_and_release_are_the_contents_own() -> None:
    whole = Recipe(
        (Path("own/host.yaml"),),
        ("bash",),
        repos=("fedora-22", "brought"),
        repositories=(YumRepository("brought", "own/a.repo:1", baseurl=("https://a.example/",)),),
        repo_packages=(("pinned", ("bash",)),),
        lockfile_repos=("pool",),
        releasever="22",
        notes=("of its own",),
    )
    recipe = standin_recipe(whole, (), "standin")
    assert (recipe.repos, recipe.repositories, recipe.repo_packages, recipe.lockfile_repos) == ((), (), (), ())
    assert (recipe.releasever, recipe.left_out, recipe.packages) == (None, (), ("bash",))
    assert recipe.notes == (
        "of its own",
        "a.repo:1: repository 'brought' is not used: content 'standin' has packages of its own",
        "host.yaml: repository 'fedora-22' is not used: content 'standin' has packages of its own",
        "host.yaml: repository 'pinned' is not used: content 'standin' has packages of its own",
        "host.yaml: repository 'pool' is not used: content 'standin' has packages of its own",
        "releasever '22' is not used: content 'standin' has a release of its own",
    )
