"""RPMs of the user's own beside stand-in content: signed or trusted, resolved and installed by the real dnf."""

from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.install import Installation, install
from atomic_lib.compose.rpm_database import file_owners
from atomic_lib.content.local_rpms import LOCAL, LocalRpms, has_local_repository, local_repository_of
from atomic_lib.content.repositories import has_content, open_content
from atomic_lib.content.signing import KEY_FILE, index_and_sign, sign_rpms
from atomic_lib.formats.rpm_headers import read_headers
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.recipe_demand import recipe_demand
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.tiny import make_rpm

pytestmark = pytest.mark.integration

RECIPE = Recipe(files=(Path("own.yaml"),), packages=("bash", "mine"), repos=("standin",))


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture
def own(tools: Tools, tmp_path: Path) -> Path:
    """A directory with an RPM that requires one of stand-in content; not signed."""
    make_rpm(tools, tmp_path / "own", "mine", tags="Requires: htop")
    return tmp_path / "own"


def signed(tools: Tools, directory: Path, name: str) -> Path:
    """Sign the RPMs in a directory with a key of that name; returns the file of the public key."""
    sign_rpms(tools, directory, sorted(directory.glob("*.rpm")), name)
    keys = directory.parent / f"keys-of-{name}"
    keys.mkdir()
    index_and_sign(tools, keys, name)
    return keys / KEY_FILE


@pytest.fixture
def resolve(tools: Tools, tmp_path: Path) -> Callable[[LocalRpms], RpmSet]:
    def run(local: LocalRpms) -> RpmSet:
        demand = recipe_demand(RECIPE, local=local)
        content = open_content("standin", Context(tools, cache_directory()), demand)
        assert not content.missing
        assert has_content("standin", Context(tools, cache_directory()), demand)
        context = Context(tools, tmp_path / "cache", Store(tmp_path / "store"))
        rpm_set = resolve_rpm_set(RECIPE, content, context, name="test", lock_file=None)
        tree = Installroot(tools, tmp_path / "root", 0)
        installation = Installation(RECIPE, content, rpm_set, read_headers(tools, rpm_set.directory))
        install(tree, installation, context, name="test", log=tmp_path / "log")
        assert file_owners(tree)["/usr/share/mine"] == ["mine"]
        return rpm_set

    return run


def test_signed_rpms_are_installed_with_what_they_require(
    tools: Tools, own: Path, resolve: Callable[[LocalRpms], RpmSet]
) -> None:
    packages = {one.name: one for one in resolve(LocalRpms(own, signed(tools, own, "me"))).lock.packages}
    assert (packages["mine"].repo, packages["mine"].vendor) == (LOCAL, "")
    assert packages["htop"].vendor.startswith("Debian (htop ")


def test_trusted_rpms_are_installed_although_nobody_signed_them(
    tools: Tools, own: Path, resolve: Callable[[LocalRpms], RpmSet]
) -> None:
    make_rpm(tools, own, "other")
    sign_rpms(tools, own, [own / "other-1-1.noarch.rpm"], "somebody")
    assert "mine" in {one.name for one in resolve(LocalRpms(own, None)).lock.packages}


def refused(tools: Tools, cache: Path, local: LocalRpms) -> str:
    with pytest.raises(WorkbookError) as caught:
        local_repository_of(local, Context(tools, cache))
    assert not list((cache / "local-rpms").glob("*")), "nothing half-made stays"
    return caught.value.message


def test_what_cannot_be_used_is_refused_by_name(tools: Tools, own: Path, tmp_path: Path) -> None:
    cache, mine = tmp_path / "cache", own / "mine-1-1.noarch.rpm"
    make_rpm(tools, tmp_path / "others", "other")
    others_key = signed(tools, tmp_path / "others", "another")
    unsigned = refused(tools, cache, LocalRpms(own, others_key))
    assert unsigned == f"local_rpms: {mine}: not signed with a key in {others_key}"
    keys = signed(tools, own, "me")
    (own / "other-1-1.noarch.rpm").write_bytes((tmp_path / "others/other-1-1.noarch.rpm").read_bytes())
    wrong = refused(tools, cache, LocalRpms(own, keys))
    assert wrong == f"local_rpms: {own / 'other-1-1.noarch.rpm'}: not signed with a key in {keys}"
    no_key = tmp_path / "words"
    no_key.write_text("no key\n")
    assert refused(tools, cache, LocalRpms(own, no_key)).endswith("words: not a file of OpenPGP public keys")
    octets = bytearray(mine.read_bytes())
    octets[-20] ^= 1
    mine.write_bytes(octets)
    assert refused(tools, cache, LocalRpms(own, None)) == f"local_rpms: {mine}: damaged, or not an RPM"
    mine.write_text("words")
    assert refused(tools, cache, LocalRpms(own, None)) == f"local_rpms: {mine}: damaged, or not an RPM"


def test_the_directory_is_checked_before_all_else(tools: Tools, own: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert refused(tools, cache, LocalRpms(tmp_path / "none", None)).endswith("none: no such directory")
    (tmp_path / "empty").mkdir()
    assert refused(tools, cache, LocalRpms(tmp_path / "empty", None)).endswith("empty: has no file *.rpm")
    assert refused(tools, cache, LocalRpms(own, tmp_path / "none")).endswith("none: no such file")
    (own / "two\nlines.rpm").touch()
    assert refused(tools, cache, LocalRpms(own, None)).endswith(
        "'two\\nlines.rpm' is not a regular file with a plain name"
    )


def test_another_file_is_another_repository(tools: Tools, own: Path, tmp_path: Path) -> None:
    context = Context(tools, tmp_path / "cache")
    first = local_repository_of(LocalRpms(own, None), context)
    assert first.names == {"mine"}
    assert "htop" in first.requires
    make_rpm(tools, own, "mine", "2")
    assert not has_local_repository(LocalRpms(own, None), context)
