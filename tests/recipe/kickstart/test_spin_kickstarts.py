"""The kickstarts of Fedora 22, where they are beside the checkout."""

import shutil
from pathlib import Path

import pytest

from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from tests.recipe.kickstart.kickstart_files import refusal, write

REAL = Path(__file__).parents[3].parent / "shared" / "data" / "spin-kickstarts"
needs_real_files = pytest.mark.skipif(not REAL.exists(), reason="the spin-kickstarts are not beside the checkout")


@needs_real_files
def test_fedora_docker_base_is_read_without_its_password(tmp_path: Path) -> None:
    path = Path(shutil.copy(REAL / "fedora-docker-base.ks", tmp_path))
    recipe = read_kickstart(path, "F21")
    assert any(note.startswith("fedora-docker-base.ks:9: rootpw: an image must not") for note in recipe.notes)
    assert recipe.packages == ("bash", "fedora-release", "rootfiles", "vim-minimal", "yum")
    assert (recipe.excludes, recipe.groups) == (("kernel",), ())
    assert (recipe.documentation, recipe.languages) == (False, ("en",))
    assert (recipe.root_size_mib, recipe.keyboard) == (3000, "us")
    assert recipe.disabled_units == ("chronyd.service",)
    assert recipe.post_scripts[0].text.endswith("rm -f /etc/fstab\n\n")
    assert recipe.post_scripts[0].source == f"{path}:31"


@needs_real_files
def test_fedora_cloud_base_lacks_its_repository_file() -> None:
    path = REAL / "fedora-cloud-base.ks"
    assert refusal(path, "F21").message == f"{path}:35: %include: no such file: {REAL / 'fedora-repo.ks'}"


@needs_real_files
def test_fedora_cloud_base_with_a_repository_file(tmp_path: Path) -> None:
    path = Path(shutil.copy(REAL / "fedora-cloud-base.ks", tmp_path))
    write(tmp_path / "fedora-repo.ks", "repo --name=fedora\n")
    recipe = read_kickstart(path, "F21")
    assert recipe.packages == ("kernel-core",)
    assert recipe.groups == ("core", "^cloud-server-environment")
    assert {"plymouth", "kernel", "grub2"} < set(recipe.excludes)
    assert recipe.kernel_arguments == "no_timer_check console=tty1 console=ttyS0,115200n8"
    assert recipe.enabled_units[:2] == ("network.service", "sshd.service")
    assert (recipe.extra_repos, recipe.account_commands[0][-1]) == (("fedora",), "none")


ATOMIC_REFUSALS = (
    "33: command 'ostreesetup' is not supported: an ostree tree is composed from a treefile here: write one, with "
    "method: ostree in the variant",
)


@needs_real_files
def test_fedora_cloud_atomic_is_refused_line_by_line() -> None:
    path = REAL / "fedora-cloud-atomic.ks"
    assert refusal(path, "F21").message.splitlines() == [
        *(f"{path}:{line}" for line in ATOMIC_REFUSALS),
        f"{path}: no %packages section, here or in an included file",
    ]


@needs_real_files
def test_fedora_cloud_atomic_vagrant_names_its_included_file() -> None:
    path, included = REAL / "fedora-cloud-atomic-vagrant.ks", REAL / "fedora-cloud-atomic.ks"
    assert refusal(path, "F21").message.splitlines() == [
        *(f"{included}:{line}" for line in ATOMIC_REFUSALS),
        f"{path}: no %packages section, here or in an included file",
    ]
