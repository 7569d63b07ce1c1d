"""A container image of the host's RPM files: the same twice, as its packages have it, and on the host already."""

import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import Store
from atomic_lib.compose.chroot import RPMDB, Installroot
from atomic_lib.compose.rpm_database import installed_packages, verify_files
from atomic_lib.content.repositories import Content, open_content
from atomic_lib.image.oci.container_image import ContainerImage, ContainerRequest, build_container
from atomic_lib.image.oci.host_packages import resolve_beside_host
from atomic_lib.params.variant import load_variant
from atomic_lib.pipeline.build import Build, open_build
from atomic_lib.pipeline.verify.conditions import with_clock
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.recipe_demand import recipe_demand
from atomic_lib.recipe.standin_recipe import standin_recipe
from atomic_lib.tools.context import Context
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.sandbox import Bind

pytestmark = pytest.mark.integration

DIFFERENT = {
    **dict.fromkeys(("/etc/passwd", "/etc/group", "/etc/gshadow", "/etc/shadow"), "changed on the host"),
    **dict.fromkeys(("/root/.bashrc", "/root/.profile"), "only in the container"),
}
"""Packaged files to which the host adds accounts of its other packages, and those that a commit has no place for."""


@pytest.fixture(scope="module")
def build() -> Build:
    return open_build(load_variant("atomic-min", overrides={"container": "container-base"}))


@pytest.fixture(scope="module")
def image(build: Build) -> ContainerImage:
    assert build.container
    return build.container


@pytest.fixture(scope="module")
def unpacked(build: Build, image: ContainerImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installroot]:
    """The layer of the image, unpacked by tar."""
    with in_memory(tmp_path_factory.mktemp("container") / "memory") as memory:
        root = memory / "root"
        root.mkdir()
        layer = max((image.layout / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
        tree = Installroot(build.context.tools, root, 0)
        words = ["tar", "--extract", "--gzip", "--numeric-owner", "--xattrs", "--xattrs-include=*",
                 "--same-permissions", "--file=/mnt/layer", "--directory=/mnt/root"]  # fmt: skip
        tree.tools.run(words, binds=[Bind(layer, "/mnt/layer"), Bind(root, "/mnt/root", writable=True)], rights="root")
        yield tree


def test_an_image_made_again_years_later_elsewhere_is_the_same(
    build: Build, image: ContainerImage, tmp_path: Path
) -> None:
    assert build.container_request
    later = with_clock(build.context.tools, 1000, tmp_path / "clock")
    context = Context(later, build.context.cache, Store(tmp_path / "store"))
    again = build_container(build.container_request, context)
    assert not again.reused
    assert (again.digest, again.archive_sha256) == (image.digest, image.archive_sha256)


def test_every_package_is_that_of_the_hosts_lock(build: Build, unpacked: Installroot) -> None:
    host = {package.nevra: package.sha256 for package in build.rpm_set.lock.packages}
    assert build.container_request
    locked = build.container_request.packages.rpm_set.lock.packages
    assert {"bash", "coreutils", "ca-certificates"} <= {package.name for package in locked}
    assert {package.nevra: package.sha256 for package in locked}.items() <= host.items()
    installed = installed_packages(unpacked, RPMDB)
    assert {package.nevra for package in installed} == {package.nevra for package in locked}


def test_what_is_unpacked_is_what_rpm_installed(image: ContainerImage, unpacked: Installroot) -> None:
    assert verify_files(unpacked) == image.deviations == ()
    assert not unpacked.files.entries("boot")
    assert [path for path, _ in unpacked.files.below() if path.rpartition("/")[2] == "machine-id"] == []


def test_the_bytes_of_its_packages_are_on_the_host(build: Build) -> None:
    figures = build.container_figures
    assert figures
    places = Counter(package.place for package in figures.packages)
    assert (places["container"], places["shared"] + places["host"]) == (0, len(build.rpm_set.lock.packages))
    assert {one.path: one.reason for one in figures.differences} == DIFFERENT
    shared = [package for package in figures.packages if package.place == "shared"]
    assert sum(one.shared_bytes for one in shared) > 0.99 * sum(one.bytes for one in shared)


def test_a_container_is_run_from_its_configuration(image: ContainerImage, unpacked: Installroot) -> None:
    with tarfile.open(image.archive) as archive:
        file = archive.extractfile("manifest.json")
        assert file
        (docker,) = json.load(file)
        configuration = archive.extractfile(docker["Config"])
        assert configuration
        command = json.load(configuration)["config"]["Cmd"]
    done = unpacked.chroot([*command, "-c", "echo $BASH_VERSION; ls /etc/pki /etc/ssl"])
    assert re.match(r"5\.", done.stdout)


def test_a_file_that_is_not_as_its_package_has_it_is_named(unpacked: Installroot) -> None:
    bash = unpacked.root / "usr/bin/bash"
    bash.chmod(0o700)
    try:
        assert verify_files(unpacked) == (".M.......    /usr/bin/bash",)
    finally:
        bash.chmod(0o755)


def test_a_package_that_the_host_lacks_is_the_containers_own(build: Build) -> None:
    request = resolved(build, ("bash", "hello"))
    places = {package.name: package.nevra for package in request.packages.rpm_set.lock.packages}
    host = {package.name: package.nevra for package in build.rpm_set.lock.packages}
    assert places.keys() - host.keys() == {"hello"}
    assert places["bash"] == host["bash"]


def test_a_package_that_is_nowhere_is_named(build: Build) -> None:
    with pytest.raises(WorkbookError, match="nosuch-package"):
        resolved(build, ("bash", "nosuch-package"), strict=True)


def resolved(build: Build, packages: tuple[str, ...], *, strict: bool = False) -> ContainerRequest:
    """A container of these packages, resolved beside the host."""
    recipe = Recipe(files=(Path("own.yaml"),), packages=packages, container=True, weak_dependencies=False)

    def adapted() -> tuple[Recipe, Content]:
        content = open_content("standin", build.context, recipe_demand(recipe, strict=strict))
        return standin_recipe(recipe, content.missing, content.name), content

    made = resolve_beside_host(recipe, build.content, build.rpm_set, build.context, name="own", adapted=adapted)
    return ContainerRequest("own", "1", 0, made)
