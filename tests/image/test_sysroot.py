"""The kernel command line; deploying is an integration test."""

from pathlib import Path
from typing import Literal

import pytest

from atomic_lib.content.repositories import Content
from atomic_lib.image.sysroot import kernel_arguments
from atomic_lib.params import Variant, variant_from
from atomic_lib.recipe.model import Recipe

CONTENT = Content(
    name="own", title="Own", key="k", releasever="43", kernel_arguments="security=selinux selinux=1",
    selinux_policy="default", repo_text="", local={}, remote=False, dnf_cache=None,
)  # fmt: skip


def variant(method: str) -> Variant:
    values = {"variant": "own", "method": method, "recipe": "own", "agent": "cloud-init"}
    return variant_from({**values, "kernel_arguments": " from_variant "})


def recipe(
    selinux: Literal["enforcing", "permissive", "disabled"] = "permissive", arguments: str | None = "from_kickstart"
) -> Recipe:
    return Recipe(files=(Path("a"),), packages=(), kernel_arguments=arguments, selinux=selinux)


@pytest.mark.parametrize("method", ["ostree", "traditional"])
def test_a_treefile_has_a_clouds_console_and_what_the_variant_adds(method: str) -> None:
    arguments = kernel_arguments(variant(method), recipe(arguments=None), CONTENT)
    assert arguments[:3] == ["root=LABEL=root", "rw", "loglevel=4"]
    assert {"console=ttyS0,115200n8", "security=selinux", "selinux=1"} <= set(arguments)
    assert arguments[-1] == "from_variant"


def test_a_kickstart_brings_its_own() -> None:
    arguments = kernel_arguments(variant("traditional"), recipe(), CONTENT)
    assert {"from_kickstart", "from_variant", "security=selinux"} <= set(arguments)
    assert "console=ttyS0,115200n8" not in arguments


@pytest.mark.parametrize("method", ["ostree", "traditional"])
def test_without_selinux_the_kernel_is_told_so(method: str) -> None:
    arguments = kernel_arguments(variant(method), recipe("disabled"), CONTENT)
    assert "selinux=0" in arguments
    assert not {"selinux=1", "security=selinux"} & set(arguments)
