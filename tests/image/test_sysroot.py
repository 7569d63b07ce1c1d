"""The kernel command line, and what is labelled as what; deploying is an integration test."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import SelinuxMode
from atomic_lib.compose.tree_access.tree_files import TreeFiles
from atomic_lib.content.repositories import Content
from atomic_lib.image.identity import root_uuid
from atomic_lib.image.sysroot import STATEROOT, added_to_commit, kernel_arguments, seen_as
from atomic_lib.params.variant import Variant, variant_from
from atomic_lib.recipe.recipe import Recipe

CONTENT = Content(
    name="own", title="Own", key="k", releasever="43", kernel_arguments="security=selinux selinux=1",
    selinux_policy="default", repo_text="", local={}, remote=False, dnf_cache=None,
)  # fmt: skip


def variant(method: str) -> Variant:
    values = {"variant": "own", "method": method, "recipe": "own", "agent": "cloud-init"}
    return variant_from({**values, "kernel_arguments": " from_variant "})


def recipe(selinux: SelinuxMode = "permissive", arguments: str | None = "from_kickstart") -> Recipe:
    return Recipe(files=(Path("a"),), packages=(), kernel_arguments=arguments, selinux=selinux)


@pytest.mark.parametrize("method", ["ostree", "traditional"])
def test_a_treefile_has_a_clouds_console_and_what_the_variant_adds(method: str) -> None:
    arguments = kernel_arguments(variant(method), recipe(arguments=None), CONTENT)
    assert arguments[:3] == [f"root=UUID={root_uuid(variant(method))}", "rw", "loglevel=4"]
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


@pytest.mark.parametrize("letter", sorted(";${}\"'#|&<>\\"))
def test_what_the_boot_loader_would_interpret_is_refused(letter: str) -> None:
    own = variant("ostree")
    for asked, of_recipe in ((own.model_copy(update={"kernel_arguments": f"a=1{letter}"}), recipe()),
                             (own, recipe(arguments=f"quiet {letter}reboot"))):  # fmt: skip
        with pytest.raises(WorkbookError, match="has a special meaning in the boot loader"):
            kernel_arguments(asked, of_recipe, CONTENT)


def test_a_boot_that_fails_restarts_only_where_something_counts_it() -> None:
    own, words = variant("ostree"), {"panic=10", "rd.shell=0", "rd.emergency=reboot", "rd.timeout=240"}
    returning = own.model_copy(update={"automatic_return": 1})
    plain, restarting = (kernel_arguments(one, recipe(), CONTENT) for one in (own, returning))
    assert set(restarting) - set(plain) == words
    assert restarting[-1] == "from_variant"


def test_another_variants_root_has_another_name() -> None:
    values = {"variant": "other", "method": "ostree", "recipe": "own", "agent": "cloud-init"}
    roots = [kernel_arguments(one, recipe(), CONTENT)[0] for one in (variant("ostree"), variant_from(values))]
    assert roots[0] != roots[1]


@pytest.mark.parametrize("made", ["link", "hard link", "nothing"])
def test_an_added_file_leaves_what_was_at_its_path_as_it_was(tmp_path: Path, made: str) -> None:
    canary, sysroot = tmp_path / "canary", tmp_path / "sysroot"
    canary.write_text("of the host, or of the stored tree\n")
    (sysroot / "etc").mkdir(parents=True)
    if made == "link":
        (sysroot / "etc/fstab").symlink_to(canary)
    elif made == "hard link":
        (sysroot / "etc/fstab").hardlink_to(canary)
    TreeFiles(sysroot).write("etc/fstab", "new\n")
    assert (sysroot / "etc/fstab").read_text() == "new\n"
    assert not (sysroot / "etc/fstab").is_symlink()
    assert canary.read_text() == "of the host, or of the stored tree\n"


def test_a_file_is_not_added_through_a_link_nor_in_place_of_a_directory(tmp_path: Path) -> None:
    host, sysroot = tmp_path / "host", tmp_path / "sysroot"
    host.mkdir()
    (sysroot / "etc/fstab").mkdir(parents=True)
    (sysroot / "boot").symlink_to(host)
    with pytest.raises(WorkbookError, match="/boot"):
        TreeFiles(sysroot).write("boot/grub/grub.cfg", "menu\n")
    with pytest.raises(WorkbookError, match="/etc/fstab: is a directory"):
        TreeFiles(sysroot).write("etc/fstab", "new\n")
    assert list(host.iterdir()) == []


DEPLOYMENT = f"ostree/deploy/{STATEROOT}/deploy/{'c' * 64}.0"


def test_what_is_labelled_is_no_link_into_the_tree_and_no_object(tmp_path: Path) -> None:
    top, tree = tmp_path / "sysroot", tmp_path / "tree"
    for name in (f"{DEPLOYMENT}/etc/ssh", f"{DEPLOYMENT}/usr/bin", "boot/ostree", "ostree/repo/objects/aa"):
        (top / name).mkdir(parents=True)
    objects = ("ostree/repo/objects/aa/b.file", "ostree/repo/objects/aa/b.dirtree")
    for name in (*objects, f"{DEPLOYMENT}/etc/ssh/config", "boot/grub.cfg", f"{DEPLOYMENT}.origin"):
        (top / name).touch()
    tree.touch()
    (top / "boot/ostree/vmlinuz").hardlink_to(tree)
    (top / "boot/loader").symlink_to("loader.1")
    found = {str(path.relative_to(top)) for path in added_to_commit(top)}
    assert found == {
        "boot", "boot/grub.cfg", "boot/loader", "boot/ostree", "ostree", "ostree/deploy", f"ostree/deploy/{STATEROOT}",
        f"ostree/deploy/{STATEROOT}/deploy", f"{DEPLOYMENT}.origin", DEPLOYMENT, f"{DEPLOYMENT}/etc",
        f"{DEPLOYMENT}/etc/ssh", f"{DEPLOYMENT}/etc/ssh/config", "ostree/repo", "ostree/repo/objects",
        "ostree/repo/objects/aa", "ostree/repo/objects/aa/b.dirtree",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/", "/"),
        (f"/{DEPLOYMENT}", "/"),
        (f"/{DEPLOYMENT}/etc/ssh", "/etc/ssh"),
        (f"/{DEPLOYMENT}.origin", f"/{DEPLOYMENT}.origin"),
        (f"/ostree/deploy/{STATEROOT}/var", "/var"),
        (f"/ostree/deploy/{STATEROOT}/variety", f"/ostree/deploy/{STATEROOT}/variety"),
        ("/boot/grub/grub.cfg", "/boot/grub/grub.cfg"),
    ],
)
def test_a_path_is_looked_up_as_the_booted_system_sees_it(path: str, seen: str) -> None:
    assert seen_as(path) == seen
