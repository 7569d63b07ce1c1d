"""What becomes of the values of an included treefile."""

from atomic_lib.recipe.treefile_rules.merging import merge


def test_own_single_values_win_and_included_entries_come_first() -> None:
    own = {"ref": "own", "packages": ["a"], "add-commit-metadata": {"a": 1, "b": 1}}
    included = {"ref": "base", "releasever": 3, "packages": ["b"], "add-commit-metadata": {"b": 2, "c": 2}}
    assert merge(own, included) == {
        "ref": "own",
        "releasever": 3,
        "packages": ["b", "a"],
        "add-commit-metadata": {"a": 1, "b": 1, "c": 2},
    }


def test_a_command_is_one_value_although_it_is_a_list() -> None:
    assert merge({"container-cmd": ["/bin/sh", "-l"]}, {"container-cmd": ["/sbin/init"], "units": ["a"]}) == {
        "container-cmd": ["/bin/sh", "-l"], "units": ["a"],
    }  # fmt: skip


def test_a_package_comes_from_the_repository_of_the_including_treefile() -> None:
    own = {"repo-packages": [("one", ["a", "b"])]}
    included = {"repo-packages": [("two", ["b", "c"]), ("three", ["a"])]}
    assert merge(own, included)["repo-packages"] == [("two", ["c"]), ("one", ["a", "b"])]
