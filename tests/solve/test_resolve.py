"""What dnf is asked to install; resolving itself is an integration test."""

from pathlib import Path

from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.dnf_run import install_words
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet


def recipe(packages: str, excludes: str = "") -> Recipe:
    return Recipe(files=(), packages=tuple(packages.split()), excludes=tuple(excludes.split()))


def test_packages_and_groups_are_named_once_in_a_fixed_order() -> None:
    assert install_words(recipe("b a"), ["c", "a"]) == ["install", "a", "b", "c"]


def test_what_is_excluded_is_left_out_of_groups_and_forbidden_to_dnf() -> None:
    words = install_words(recipe("a", "python3* dnf"), ["python3-libs", "dnf", "dnf-data"])
    assert words == ["--exclude=python3*,dnf", "install", "a", "dnf-data"]


def test_a_package_both_named_and_excluded_stays_so_that_dnf_refuses_it() -> None:
    assert install_words(recipe("dnf", "dnf"), []) == ["--exclude=dnf", "install", "dnf"]


def test_the_download_is_the_sum_of_the_files() -> None:
    packages = tuple(LockedPackage(name, 0, "1", "1", "noarch", name * 64, 1000, "r") for name in "ab")
    assert RpmSet("k", Lock("c", packages), Path(), (), 0.0, True).download_bytes == 2000
