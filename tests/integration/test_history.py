"""The treefile of Fedora Atomic Host 22, unchanged, on stand-in content: composed, made an image of, and booted.

``./workbook run history`` does so with Fedora's kickstarts, too.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomic_lib.base.paths import CHECKOUT
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.recorded_build import RecordedBuild, record_build
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.tools.sandbox import Bind

FILES = CHECKOUT.parent / "shared/data/fedora-atomic-22"
NAME = "fedora-atomic-docker-host"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not FILES.is_dir(), reason=f"Fedora's files are not at {FILES}"),
]
WITHOUT_COUNTERPART = ("atomic", "nss-altfiles", "rpm-ostree", "authconfig", "initscripts", "cockpit-docker", "flannel")


@dataclass(frozen=True)
class Host:
    """The build and its result; ``recipe`` is the directory of the treefile."""

    record: RecordedBuild
    result: VariantResult
    recipe: Path

    def rows(self, name: str) -> dict[str, list[str]]:
        """The rows of an account file of the tree, by their first field."""
        tree = self.record.build.tree
        words = ["ostree", "cat", "--repo=/mnt/repo", str(tree.commit), f"/usr/etc/{name}"]
        text = self.record.build.context.tools.run(words, binds=[Bind(tree.repo, "/mnt/repo")]).stdout
        return {line.split(":")[0]: line.split(":") for line in text.splitlines()}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """The host's tree; the script that the treefile names is not among Fedora's files here."""
    directory = tmp_path_factory.mktemp("history")
    recipe = directory / "recipe"
    shutil.copytree(FILES, recipe)
    (recipe / "treecompose-post.sh").write_text("#!/bin/sh\n")
    (recipe / "treecompose-post.sh").chmod(0o755)
    variant = load_variant(NAME, overrides={"recipe_file": str(recipe / f"{NAME}.json")})
    record = record_build(variant, directory / "record")
    record.resolve()
    record.compose()
    return Host(record, record.measure_image(), recipe)


def test_what_has_no_counterpart_is_said(host: Host) -> None:
    assert set(host.record.build.recipe.left_out) == set(WITHOUT_COUNTERPART)
    (note,) = [note for note in host.result.notes if note.startswith("entries without a counterpart")]
    assert f"left out ({len(WITHOUT_COUNTERPART)} of " in note
    assert "docker-storage-setup.service is not enabled: the tree does not have it" in host.result.notes


def test_its_users_and_groups_have_the_ids_of_its_files(host: Host) -> None:
    for name, file in (("passwd", "passwd"), ("group", "group")):
        wanted = [line.split(":") for line in (host.recipe / file).read_text().splitlines()]
        found = host.rows(name)
        ids = slice(2, 4) if name == "passwd" else slice(2, 3)
        assert {row[0]: found[row[0]][ids] for row in wanted} == {row[0]: row[ids] for row in wanted}
        assert len(found) > len(wanted), "and those of Debian's packages"


def test_packages_have_fedoras_names_and_say_what_they_are(host: Host) -> None:
    vendors = {package.name: package.vendor for package in host.result.packages}
    assert vendors["NetworkManager"].startswith("Debian (network-manager ")
    assert vendors["openssh-clients"].startswith("Debian (openssh-client 1:")
    assert all(vendor.startswith("Debian (") for name, vendor in vendors.items() if not name.startswith("standin-"))


def test_it_boots_and_passes_its_proof_of_life(host: Host) -> None:
    (boot,) = host.record.boot(1).boots
    assert [check.name for check in boot.checks if not check.passed] == []
    assert boot.selinux_mode == "enforcing"
