"""What would leave, held against the real thing: the recipe without it, resolved and composed again."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.store import Store, remove_tree
from atomic_lib.compose.tree import Tree, TreeRequest, compose_tree
from atomic_lib.measure.footprint import Footprint, measure_footprint
from atomic_lib.pipeline.build import Build, open_build
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.explain.without import Departure, recipe_without, size_of_departure
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context

pytestmark = pytest.mark.integration

NAME = "cloud-docker"
SAMPLE = {
    "Python": ("python3*", "libpython3*"),
    "dnf": ("dnf",),
    "cloud-init": ("cloud-init",),
    "Docker": ("moby-engine", "docker-cli"),
}
COMPOSED = ("Python", "Docker")
"""Python takes dnf and cloud-init along; Docker has accounts and units of its own."""
GENERATED = {
    "/boot/initramfs-*": "dracut packs what is in the tree, accounts and libraries included",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite": "the RPM database names each package and its files",
    "/etc/ld.so.cache": "ldconfig lists the libraries that are there",
    "/etc/systemd/system/*.wants/*": "links of the units that are enabled",
    "/etc/cloud/cloud.cfg.d/50_root.cfg": "written by the recipe's script for cloud-init",
    "/usr/lib/systemd/network/80-wired.network": "written by the same script, which is left out with cloud-init",
    "/var/lib/dnf/history.sqlite*": "what the dnf in the tree knows of the transaction",
}
"""Files that no package owns and that follow from which packages there are, and why they do."""
ACCOUNTS = ("/etc/passwd", "/etc/group", "/etc/gshadow")
"""Owned by a package, then extended by systemd-sysusers with the accounts of the others."""


@dataclass(frozen=True)
class Composed:
    """A composed tree: by package, and the checksum and size of each file."""

    footprint: Footprint
    files: Mapping[str, tuple[str, int]]


@pytest.fixture(scope="module")
def build() -> Build:
    return open_build(NAME)


@pytest.fixture(scope="module")
def before(build: Build) -> Composed:
    return composed(build.tree, build.rpm_set)


@pytest.fixture
def anew(build: Build, tmp_path: Path) -> Iterator[Context]:
    """A context with an empty store for what is recomposed, removed at once as it is large."""
    yield replace(build.context, store=Store(tmp_path / "store"))
    remove_tree(tmp_path / "store")


def composed(tree: Tree, rpm_set: RpmSet) -> Composed:
    names = [package.name for package in rpm_set.lock.packages]
    return Composed(measure_footprint(tree.entries(), tree.owners(), names), dict(read_files(tree.root)))


def read_files(root: Path) -> list[tuple[str, tuple[str, int]]]:
    """Path, checksum and size of everything that is no directory; a symbolic link is its target."""
    found = []
    for directory, _, names in os.walk(root):
        for path in (Path(directory, name) for name in names):
            content = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
            found.append((f"/{path.relative_to(root)}", (hashlib.sha1(content).hexdigest(), len(content))))
    return found


def resolve_without(build: Build, departure: Departure, context: Context) -> tuple[Recipe, RpmSet]:
    """The recipe without what departs, and its packages as a compose resolves them."""
    recipe = recipe_without(build.recipe, departure)
    if "cloud-init" in departure.entries:  # its one script writes cloud-init's configuration
        recipe = replace(recipe, post_scripts=())
    return recipe, resolve_rpm_set(recipe, build.content, context, name="without", lock_file=None)


@pytest.mark.parametrize("words", SAMPLE.values(), ids=SAMPLE)
def test_the_packages_are_those_of_a_real_recomposition(build: Build, words: tuple[str, ...], anew: Context) -> None:
    departure = build.without(words)
    _, rpm_set = resolve_without(build, departure, anew)
    before = {package.nevra for package in build.rpm_set.lock.packages}
    predicted = before - {package.nevra for package in departure.leaves} | {one.nevra for one in departure.comes}
    assert {package.nevra for package in rpm_set.lock.packages} == predicted
    assert predicted < before
    assert build.rpm_set.download_bytes - rpm_set.download_bytes == departure.download_bytes


@pytest.mark.parametrize("what", COMPOSED)
def test_the_bytes_are_those_of_a_real_recomposition(build: Build, before: Composed, what: str, anew: Context) -> None:
    departure = build.without(SAMPLE[what])
    recipe, rpm_set = resolve_without(build, departure, anew)
    tree = compose_tree(TreeRequest(build.variant, recipe, build.content, rpm_set), anew)
    after = composed(tree, rpm_set)
    predicted = size_of_departure(departure, build.sizes)
    assert predicted is not None

    # by package: whatever stays is the same but for the accounts, which systemd-sysusers adds to
    moved = {path: change(before, after, path) for path in ACCOUNTS if change(before, after, path)}
    grown = {
        name: owned.bytes - before.footprint.packages[name].bytes for name, owned in after.footprint.packages.items()
    }
    staying = {name: more for name, more in grown.items() if more}
    assert sum(staying.values()) == sum(moved.values()), staying
    assert set(staying) <= {"setup"}

    # by file, content included: what differs is of a departing package, or made by the compose, for a reason
    unowned = {entry.path for entry in (*before.footprint.unowned, *after.footprint.unowned)}
    differing = {path for path in {*before.files, *after.files} if before.files.get(path) != after.files.get(path)}
    unexplained = {path for path in differing & unowned if not reason_for(path)}
    assert unexplained == set()
    kept = {path for path in differing - unowned if path in after.files}
    assert kept <= set(ACCOUNTS)
    assert set(after.files) - set(before.files) == set()

    # and all together, to the byte
    generated = {path: change(before, after, path) for path in differing & unowned}
    total = sum(size for _, size in after.files.values()) - sum(size for _, size in before.files.values())
    explained = -predicted[0] + sum(generated.values()) + sum(moved.values())
    assert total == explained, "\n".join(f"{path}: {size:+} bytes" for path, size in sorted(generated.items()))


def change(before: Composed, after: Composed, path: str) -> int:
    """How many bytes more a file has; one that is not there has none."""
    return after.files.get(path, ("", 0))[1] - before.files.get(path, ("", 0))[1]


def reason_for(path: str) -> str:
    """Why a file that no package owns differs; empty where nobody knows."""
    return next((reason for pattern, reason in GENERATED.items() if fnmatchcase(path, pattern)), "")


def test_the_answer_is_kept(build: Build) -> None:
    first = build.without(["dnf"])
    assert build.without(["dnf"]) == first
    assert {"dnf", "python3-dnf", "libsolv"} <= {package.name for package in first.leaves}
    assert first.entries == ("dnf",)


def test_members_of_a_group_and_units_go_along(build: Build) -> None:
    assert "less" in build.without(["less"]).members
    assert "docker.service" in build.without(SAMPLE["Docker"]).units


def test_each_package_of_the_set_has_a_reason(build: Build) -> None:
    for package in build.rpm_set.lock.packages:
        (first, *_) = build.why(package.name)
        assert first[0].kind in ("recipe", "group")
        assert first[-1].package == package.name
    assert [link.package for link in build.why("runc")[0]] == ["moby-engine", "runc"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pyton3"], "no package 'pyton3' in the set"),
        (["perl-interpreter"], "'perl-interpreter' fits no package of the set: the content has it"),
        (["@nope"], "no group @nope"),
        (["a,b"], "'a,b' is not a package name"),
        ([], "nothing of it is in the set"),
    ],
)
def test_what_is_not_there_is_refused(build: Build, words: list[str], said: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        build.without(words)
    assert said in caught.value.message
    assert caught.value.hint
