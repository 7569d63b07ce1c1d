"""The kickstarts of Fedora 22, where they are beside the checkout."""

import shutil
from pathlib import Path

import pytest

from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.recipe import OstreeSource
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


@needs_real_files
@pytest.mark.parametrize("name", ["fedora-cloud-atomic.ks", "fedora-cloud-atomic-vagrant.ks"])
def test_fedora_cloud_atomic_deploys_a_commit(name: str) -> None:
    recipe = read_kickstart(REAL / name, "F21")
    assert recipe.ostree_source == OstreeSource(
        stateroot="fedora-atomic",
        remote="fedora-atomic",
        url="http://kojipkgs.fedoraproject.org/mash/atomic/rawhide/",
        ref="fedora-atomic/rawhide/x86_64/docker-host",
        verified=False,
        source=f"{REAL}/fedora-cloud-atomic.ks:33",
    )
    assert (recipe.packages, recipe.groups, recipe.ref) == ((), (), recipe.ostree_source.ref)
    assert (recipe.root_size_mib, recipe.selinux) == (3000, "enforcing")
    assert recipe.post_scripts[0].stop_on_error
