"""The real dnf on the real content: what it refuses, what a lock repeats, what a signature stops."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY, cache_directory
from atomic_lib.base.store import Store, file_sha256
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.installroot import make_installroot
from atomic_lib.content.repositories import Content, open_content
from atomic_lib.content.signing import index_repository, sign_and_index
from atomic_lib.params.variant import load_variant
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.recipe_demand import recipe_demand
from atomic_lib.recipe.standin_recipe import standin_recipe
from atomic_lib.solve.lock import Lock, read_lock, write_lock
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools

pytestmark = pytest.mark.integration

SMALL = Recipe(files=(Path("small.yaml"),), packages=("bash",), repos=("standin",))
Resolve = Callable[..., RpmSet]


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture(scope="module")
def content(tools: Tools) -> Content:
    return open_content("standin", Context(tools, cache_directory()), recipe_demand(SMALL))


@pytest.fixture
def resolve(tools: Tools, tmp_path: Path) -> Resolve:
    """Resolve a recipe with a store of its own, so that nothing is taken from an earlier run."""
    stores = iter(range(10))

    def run(
        recipe: Recipe, lock_file: Path | None = None, cache: Path = tmp_path / "cache", *, strict: bool = False
    ) -> RpmSet:
        content = open_content("standin", Context(tools, cache_directory()), recipe_demand(recipe, strict=strict))
        recipe = standin_recipe(recipe, content.missing, content.name)
        context = Context(tools, cache, Store(tmp_path / f"store-{next(stores)}"))
        return resolve_rpm_set(recipe, content, context, name="test", lock_file=lock_file)

    return run


@pytest.fixture
def params(tmp_path: Path) -> Path:
    """A copy of the project's parameters, to be changed."""
    shutil.copytree(PARAMS_DIRECTORY, tmp_path / "params")
    return tmp_path / "params"


def with_package(params: Path, name: str) -> Recipe:
    """The recipe of atomic-min with one more package."""
    treefile = params / "treefiles/atomic-min.yaml"
    treefile.write_text(f"{treefile.read_text()}packages:\n  - {name}\n")
    return load_recipe(load_variant("atomic-min", params), params)


def refusal(resolve: Resolve, recipe: Recipe, lock_file: Path | None = None, **options: bool) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        resolve(recipe, lock_file, **options)
    return caught.value


def test_what_pulls_python_in_is_named_with_the_chain(params: Path, resolve: Resolve) -> None:
    shape = params / "treefiles/lean.yaml"
    shape.write_text("".join(line for line in shape.read_text().splitlines(True) if "dnf*" not in line))
    recipe = with_package(params, "dnf")
    error = refusal(resolve, recipe)
    chain = error.message.partition("but the recipe requires it: ")[2].split(" → ")
    assert error.message.startswith(f"{recipe.files[0]}: ")
    assert chain[0] == "dnf"
    assert chain[-1].startswith(("python3", "libpython3"))
    assert "leave dnf out" in error.hint


def test_what_is_itself_excluded_is_named(params: Path, resolve: Resolve) -> None:
    assert "dnf is excluded, but the recipe requires it: dnf" in refusal(resolve, with_package(params, "dnf")).message


def test_an_unknown_package_is_named(params: Path, resolve: Resolve) -> None:
    error = refusal(resolve, with_package(params, "docker-cie"), strict=True)
    assert [line.partition("treefiles/")[2] for line in error.message.splitlines()] == [
        "atomic-min.yaml:9: content 'standin' has no package 'docker-cie'",
        "base.yaml:9: content 'standin' has no package 'nss-altfiles'",
    ]
    assert "docker-cli for docker-cie" in error.hint


def test_an_unknown_package_is_left_out_unless_that_is_refused(params: Path, resolve: Resolve) -> None:
    own = resolve(load_recipe(load_variant("atomic-min", params), params)).lock.packages
    assert resolve(with_package(params, "docker-cie")).lock.packages == own


def test_any_package_of_the_suite_may_be_named_and_only_it_and_what_it_needs_is_new(
    params: Path, resolve: Resolve
) -> None:
    before = resolve(load_recipe(load_variant("atomic-min", params), params)).lock.packages
    after = resolve(with_package(params, "git htop")).lock.packages
    assert set(before) < set(after)  # the sha256 of each RPM included
    new = {package.name for package in set(after) - set(before)}
    assert {"git", "git-man", "htop", "perl-interpreter"} <= new
    assert len(new) < 15


def test_a_lock_repeats_the_set_it_was_made_of(resolve: Resolve, tmp_path: Path) -> None:
    first = resolve(SMALL)
    write_lock(first.lock, tmp_path / "lock.json")
    again = resolve(SMALL, tmp_path / "lock.json")
    assert again.lock == first.lock
    assert len(first.lock.packages) == len(list(again.directory.glob("*.rpm"))) > 0


def test_a_lock_is_rebuilt_where_the_files_are_not_kept_any_more(resolve: Resolve, tmp_path: Path) -> None:
    first = resolve(SMALL)
    write_lock(first.lock, tmp_path / "lock.json")
    again = resolve(SMALL, tmp_path / "lock.json", cache=tmp_path / "empty")
    assert again.lock.sha256 == first.lock.sha256
    assert len(first.lock.packages) == len(list(again.directory.glob("*.rpm")))


def test_a_lock_is_rebuilt_where_one_file_is_not_kept_any_more(resolve: Resolve, tmp_path: Path) -> None:
    first = resolve(SMALL)
    write_lock(first.lock, tmp_path / "lock.json")
    bash = next(package for package in first.lock.packages if package.name == "bash")
    (tmp_path / "cache/rpms" / f"{bash.sha256}.rpm").unlink()
    again = resolve(SMALL, tmp_path / "lock.json")
    digests = sorted(file_sha256(path) for path in again.directory.glob("*.rpm"))
    assert digests == sorted(package.sha256 for package in first.lock.packages)


def test_a_kept_file_that_was_damaged_is_fetched_again_and_replaced(resolve: Resolve, tmp_path: Path) -> None:
    first = resolve(SMALL)
    write_lock(first.lock, tmp_path / "lock.json")
    bash = next(package for package in first.lock.packages if package.name == "bash")
    kept = tmp_path / "cache/rpms" / f"{bash.sha256}.rpm"
    data = kept.read_bytes()
    kept.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    again = resolve(SMALL, tmp_path / "lock.json")
    assert file_sha256(again.directory / bash.file_name) == file_sha256(kept) == bash.sha256


def test_a_lock_with_another_size_is_refused_by_name_also_where_its_set_is_there(
    content: Content, tools: Tools, tmp_path: Path
) -> None:
    def resolved(lock_file: Path | None, store: str) -> RpmSet:
        context = Context(tools, tmp_path / "cache", Store(tmp_path / store))
        return resolve_rpm_set(SMALL, content, context, name="test", lock_file=lock_file)

    right, wrong = tmp_path / "right.json", tmp_path / "wrong.json"
    first, *rest = (lock := resolved(None, "one").lock).packages
    write_lock(lock, right)
    resolved(right, "one")
    write_lock(Lock(lock.content, (replace(first, size_bytes=first.size_bytes + 1), *rest)), wrong)
    for store in ("one", "two"):
        with pytest.raises(WorkbookError) as caught:
            resolved(wrong, store)
        said = f"{first.nevra}: size is {first.size_bytes} bytes, the lock says {first.size_bytes + 1}"
        assert caught.value.message == said


def test_a_mirror_that_is_not_reached_is_not_taken_for_packages_that_vanished(
    content: Content, tools: Tools, tmp_path: Path
) -> None:
    cache, lock_file = tmp_path / "cache", tmp_path / "lock.json"
    first = resolve_rpm_set(SMALL, content, Context(tools, cache, Store(tmp_path / "1")), name="test", lock_file=None)
    write_lock(first.lock, lock_file)
    (cache / "rpms" / f"{first.lock.packages[0].sha256}.rpm").unlink()
    # Port 9 of this machine: nobody listens there.
    text = "[standin]\nname=f\nbaseurl=http://127.0.0.1:9/\ngpgcheck=1\ngpgkey=file:///k\n"
    unreached = replace(content, repo_text=text, local={}, remote=True, dnf_cache=tmp_path / "dnf")
    with pytest.raises(WorkbookError, match="content 'standin': a download failed: repository 'standin': Curl error"):
        resolve_rpm_set(
            SMALL, unreached, Context(tools, cache, Store(tmp_path / "2")), name="test", lock_file=lock_file
        )


def test_a_lock_changed_by_hand_is_refused(resolve: Resolve, tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    lock = resolve(SMALL).lock
    write_lock(lock, path)
    path.write_text(path.read_text().replace(lock.packages[0].sha256, "0" * 64))
    assert "do not match its own sha256" in refusal(resolve, SMALL, path).message


def test_a_lock_of_another_build_of_a_package_is_refused_by_name(resolve: Resolve, tmp_path: Path) -> None:
    lock = resolve(SMALL).lock
    first, *rest = lock.packages
    other = Lock(lock.content, (replace(first, sha256="0" * 64), *rest))
    write_lock(other, tmp_path / "lock.json")
    assert read_lock(tmp_path / "lock.json") == other
    error = refusal(resolve, SMALL, tmp_path / "lock.json")
    assert error.message == f"{first.nevra}: sha256 is {first.sha256}, the lock says {'0' * 64}"


def test_packages_that_vanished_are_named_and_no_others(resolve: Resolve, tmp_path: Path) -> None:
    lock = resolve(SMALL).lock
    gone = {"bash", "glibc"}
    packages = tuple(replace(one, version="0.1", sha256="0" * 64) if one.name in gone else one for one in lock.packages)
    write_lock(Lock(lock.content, packages), tmp_path / "lock.json")
    there = next(package for package in packages if package.name == "filesystem")
    (tmp_path / "cache/rpms" / f"{there.sha256}.rpm").unlink()
    error = refusal(resolve, SMALL, tmp_path / "lock.json")
    said, _, names = error.message.partition(": ")
    assert said == "locked packages can no longer be had from content 'standin'"
    assert names.split(", ") == [package.nevra for package in packages if package.name in gone]


def test_a_lock_is_rebuilt_from_what_is_kept_where_the_content_has_moved_on(
    content: Content, tools: Tools, tmp_path: Path
) -> None:
    cache, lock_file = tmp_path / "cache", tmp_path / "lock.json"
    first = resolve_rpm_set(SMALL, content, Context(tools, cache, Store(tmp_path / "1")), name="test", lock_file=None)
    write_lock(first.lock, lock_file)
    moved_on = tmp_path / "moved-on"
    moved_on.mkdir()
    for file in first.directory.glob("*.rpm"):
        if not file.name.startswith(("bash-", "glibc-2")):
            shutil.copyfile(file, moved_on / file.name)
    sign_and_index(tools, moved_on, "standin")
    later = replace(content, local={**content.local, "standin": moved_on})
    again = resolve_rpm_set(
        SMALL, later, Context(tools, cache, Store(tmp_path / "2")), name="test", lock_file=tmp_path / "lock.json"
    )
    assert again.lock == first.lock
    (cache / "rpms" / f"{next(p for p in first.lock.packages if p.name == 'glibc').sha256}.rpm").unlink()
    with pytest.raises(WorkbookError, match="can no longer be had") as caught:
        resolve_rpm_set(
            SMALL, later, Context(tools, cache, Store(tmp_path / "3")), name="test", lock_file=tmp_path / "lock.json"
        )
    assert caught.value.message.endswith(": " + next(p.nevra for p in first.lock.packages if p.name == "glibc"))


def test_a_lock_of_other_content_is_refused(resolve: Resolve, tmp_path: Path) -> None:
    write_lock(replace(resolve(SMALL).lock, content="fedora"), tmp_path / "lock.json")
    assert "lock of content 'fedora'" in refusal(resolve, SMALL, tmp_path / "lock.json").message


def test_a_repository_that_the_content_has_not_is_named(content: Content, tools: Tools, tmp_path: Path) -> None:
    context, recipe = Context(tools, tmp_path / "cache", Store(tmp_path)), replace(SMALL, repos=("updates",))
    with pytest.raises(WorkbookError, match="repos: content 'standin' has no repository 'updates'") as caught:
        resolve_rpm_set(recipe, content, context, name="test", lock_file=None)
    assert caught.value.hint == "it has: standin, workbook; or put a .repo file with it beside the treefile"


def test_a_package_changed_after_signing_is_refused_by_name(
    resolve: Resolve, content: Content, tools: Tools, tmp_path: Path
) -> None:
    rpm_set = resolve(SMALL)
    forged = tmp_path / "forged"
    shutil.copytree(rpm_set.directory.parent, forged, ignore=shutil.ignore_patterns("repodata"))
    (victim,) = (forged / "rpms").glob("filesystem-*.rpm")
    data = bytearray(victim.read_bytes())
    data[-100] ^= 1
    victim.write_bytes(data)
    # Indexed anew, so that nothing but the signature is left to tell.
    index_repository(tools, forged / "rpms")
    tree = Installroot(tools, tmp_path / "root", 1735689600)
    forged_set = replace(rpm_set, directory=forged / "rpms")
    context = Context(tools, tmp_path / "cache", Store(tmp_path / "store"))
    log = tmp_path / "compose.log"
    with pytest.raises(WorkbookError) as caught:
        make_installroot(tree, SMALL, content, forged_set, context, name="test", version="1", log=log)
    assert "Problem opening package filesystem" in str(caught.value)
    assert not (tmp_path / "root/etc").exists()


def test_repositories_without_signature_check_are_refused(params: Path, tools: Tools) -> None:
    path = params / "repos/fedora.repo"
    path.write_text(path.read_text().replace("gpgcheck=1", "gpgcheck=0"))
    with pytest.raises(WorkbookError, match=r"fedora\.repo: \[fedora\]: packages are only installed") as caught:
        open_content("fedora", Context(tools, cache_directory()), recipe_demand(SMALL), params)
    assert "gpgcheck=1" in caught.value.hint


def test_a_mirror_that_is_not_reached_is_said_to_be(params: Path, tools: Tools, tmp_path: Path) -> None:
    # Port 9 of this machine: nobody listens there.
    (params / "repos/fedora.repo").write_text(
        "[fedora]\nname=f\nbaseurl=http://127.0.0.1:9/\ngpgcheck=1\ngpgkey=file:///k\n"
    )
    with pytest.raises(WorkbookError, match=r"repository 'fedora': Curl error .*127\.0\.0\.1:9/") as caught:
        open_content("fedora", Context(tools, tmp_path / "cache"), recipe_demand(SMALL), params)
    assert "content: standin" in caught.value.hint
    assert "fedora.repo" in caught.value.message
