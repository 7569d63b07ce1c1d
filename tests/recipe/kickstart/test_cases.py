"""Kickstarts that were once read or refused wrongly, from a collection of such cases beside the checkout."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.comps import expand_groups, read_comps
from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.recipe import Recipe

CASES = Path(__file__).parents[3].parent / "shared/data/cases/recipes"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason=f"the collection of cases is not at {CASES}")


def read(name: str) -> Recipe:
    (directory,) = CASES.glob(f"{name}-*")
    return read_kickstart(directory / "host.ks", "F41")


def test_a_group_of_an_environment_with_a_minus() -> None:
    assert read("K01").groups == ("core", "^cloud-server-environment", "-standard")


def test_the_log_of_a_script_is_noted() -> None:
    recipe = read("K03")
    assert len(recipe.post_scripts) == 1
    assert recipe.notes == (
        "host.ks:4: %post --log has no effect: the output of the script is in the log of the build, and not in the "
        "tree",
    )


def test_a_time_source_that_is_disabled() -> None:
    assert read("K04").disabled_units == ("chronyd.service",)


def test_addresses_of_packages_are_the_only_repositories() -> None:
    recipe = read("K06")
    assert recipe.repos == tuple(one.name for one in recipe.repositories)
    assert [one.source.rpartition("/")[2] for one in recipe.repositories] == ["host.ks:1", "host.ks:2"]


def test_a_form_feed_and_a_line_separator_in_a_script() -> None:
    assert [one.text for one in read("K07").post_scripts] == ["printf 'page one\x0cpage two\u2028end'\n"]


def test_a_space_before_the_name_of_a_group() -> None:
    assert read("K09").groups == ("core",)


def test_two_lists_of_services() -> None:
    recipe = read("K10")
    assert (recipe.enabled_units, recipe.disabled_units) == (("foo.socket",), ("network.service",))


def test_a_graphical_target() -> None:
    assert read("K12").default_target == "graphical.target"


def test_a_null_byte_in_the_name_of_an_included_file() -> None:
    with pytest.raises(WorkbookError, match=r"host\.ks:1: %include: the name of a file has a null byte"):
        read("K13")


def test_packages_of_another_architecture() -> None:
    (file,) = CASES.glob("C01-*/comps.xml")
    comps = read_comps(file.read_text(), file.name)
    assert expand_groups([comps], ["core"], "a.ks") == ["bash", "efibootmgr"]
    assert expand_groups([comps], ["^srv"], "a.ks") == ["bash", "efibootmgr"]
