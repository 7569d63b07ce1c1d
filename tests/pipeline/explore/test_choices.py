"""The recipe that choices make of a variant's own."""

from dataclasses import replace

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.explore.choices import Choices, changed_recipe, words_of
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe

VARIANT = load_variant("atomic-min")
RECIPE = load_recipe(VARIANT)


def changed(choices: Choices) -> Recipe:
    return changed_recipe(RECIPE, VARIANT, choices)


def test_nothing_chosen_changes_nothing() -> None:
    assert changed(Choices()) == RECIPE
    assert changed(Choices(agent=VARIANT.agent, runtime=VARIANT.runtime)) == RECIPE


def test_another_agent_brings_its_part_in_place_of_the_old_one() -> None:
    found = changed(Choices(agent="cloud-init"))
    assert {"cloud-init", "cloud-utils-growpart"} <= set(found.packages)
    assert "min-cloud-agent" not in found.packages
    assert "min-cloud-agent.service" not in found.enabled_units
    assert len(found.post_scripts) == len(RECIPE.post_scripts) + 1


def test_a_part_that_goes_takes_its_scripts_along() -> None:
    variant = load_variant("atomic-ignition")
    recipe = load_recipe(variant)
    found = changed_recipe(recipe, variant, Choices(agent="credentials"))
    assert "ignition" not in found.packages
    assert found.post_scripts == RECIPE.post_scripts
    assert found.initramfs_arguments == ("--add=ostree",)


def test_without_a_runtime_its_packages_and_unit_go() -> None:
    found = changed(Choices(runtime="none"))
    assert set(RECIPE.packages) - set(found.packages) == {"moby-engine", "docker-cli", "iptables-nft"}
    assert "docker.service" not in found.enabled_units


def test_packages_groups_and_settings() -> None:
    found = changed(Choices(add=("htop", "@core", "sudo"), documentation=True, weak_dependencies=True))
    assert found == replace(
        RECIPE, packages=(*RECIPE.packages, "htop"), groups=("core",), documentation=True, weak_dependencies=True
    )


@pytest.mark.parametrize(
    "choices", [Choices(add=("-y",)), Choices(exclude=("a b",)), Choices(runtime="rkt"), Choices(content="nope")]
)
def test_what_is_not_accepted_is_refused(choices: Choices) -> None:
    with pytest.raises(WorkbookError) as caught:
        choices.check()
    assert caught.value.hint


def test_choices_as_arguments() -> None:
    assert list(words_of(Choices(add=("a", "b"), documentation=False))) == ["add=['a', 'b']", "documentation=False"]
