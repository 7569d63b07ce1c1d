"""The real dnf with the repositories and the lockfile of a recipe: small signed repositories, made on the spot."""

import json
import re
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import Store, file_sha256
from atomic_lib.content.demand import Demand
from atomic_lib.content.repositories import REPOSITORIES, Content, open_content
from atomic_lib.content.repository_files import read_repositories
from atomic_lib.content.signing import KEY_FILE, sign_and_index
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools
from tests.integration.tiny import make_rpm

pytestmark = pytest.mark.integration

RECIPE = Recipe(files=(Path("a.yaml"),), packages=("tool",), repos=("base",), lockfile_repos=("pool",))


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture(scope="module")
def content(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Content:
    """``base`` has tool 1 and 2, ``pool`` tool 3 and other 1, each both 1; with gpgcheck=0, which must not count."""
    top = tmp_path_factory.mktemp("repositories")
    for repo, packages in {
        "base": (("tool", "1"), ("tool", "2"), ("both", "1")),
        "pool": (("tool", "3"), ("other", "1"), ("both", "1")),
    }.items():
        for name, version in packages:
            make_rpm(tools, top / repo, name, version=version)
        sign_and_index(tools, top / repo, repo)
    text = "".join(
        f"[{repo}]\nbaseurl=https://{repo}.example\ngpgcheck=0\ngpgkey=https://{repo}.example/{KEY_FILE}\n"
        for repo in ("base", "pool")
    )
    local = {repo: top / repo for repo in ("base", "pool")}
    sections = [section.repository().section(()) for section in read_repositories(text, Path("a.repo"), {})]
    # no address of a recipe may be a file
    repo_text = re.sub(r"https://(\w+)\.example", rf"file://{REPOSITORIES}/\1", "".join(sections))
    return Content("own", "Own", "key", "43", "", "default", repo_text, local, False, None)


def resolved(tools: Tools, content: Content, directory: Path, recipe: Recipe, lock: object = None) -> list[str]:
    """The NEVRAs and repositories of the set."""
    directory.mkdir(exist_ok=True)
    file = directory / "manifest-lock.x86_64.json"
    file.write_text(json.dumps({"packages": lock}))
    context = Context(tools, directory / "cache", Store(directory / "store"))
    found = resolve_rpm_set(recipe, content, context, name="test", lock_file=file if lock is not None else None)
    return [f"{package.nevra} {package.repo}" for package in found.lock.packages]


def test_without_a_lock_the_newest_of_the_named_repository_is_taken(
    tools: Tools, content: Content, tmp_path: Path
) -> None:
    assert resolved(tools, content, tmp_path, RECIPE) == ["tool-0:2-1.noarch base"]
    in_both = replace(RECIPE, packages=("both",))  # where it came from is not a repository that is not used
    assert resolved(tools, content, tmp_path, in_both) == ["both-0:1-1.noarch base"]
    assert resolved(tools, content, tmp_path, replace(RECIPE, repos=("pool",))) == ["tool-0:3-1.noarch pool"]


def test_a_lockfile_pins_versions_and_opens_its_own_repositories(
    tools: Tools, content: Content, tmp_path: Path
) -> None:
    digest = f"sha256:{file_sha256(content.local['base'] / 'tool-1-1.noarch.rpm')}"
    old = {"tool": {"evra": "1-1.noarch", "digest": digest}}
    assert resolved(tools, content, tmp_path, RECIPE, old) == ["tool-0:1-1.noarch base"]
    assert resolved(tools, content, tmp_path, RECIPE, {"tool": {"evr": "3-1"}}) == ["tool-0:3-1.noarch pool"]
    # a package of the pool that is not locked is not there
    (tmp_path / "a.yaml").write_text("packages: [tool, other]\n")
    both = replace(RECIPE, packages=("tool", "other"), files=(tmp_path / "a.yaml",))
    with pytest.raises(WorkbookError, match="has 'other' only in a version that is not locked, or in"):
        resolved(tools, content, tmp_path, both, {"tool": {"evr": "3-1"}})
    locked = {"tool": {"evr": "2-1"}, "other": {"evr": "1-1"}}
    assert resolved(tools, content, tmp_path, both, locked) == ["other-0:1-1.noarch pool", "tool-0:2-1.noarch base"]


def test_what_the_content_lacks_or_has_otherwise_is_one_error(tools: Tools, content: Content, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError) as caught:
        resolved(tools, content, tmp_path, RECIPE, {"tool": {"evr": "9-1"}, "gone": {"evr": "1-1"}})
    assert [line.partition(".json: ")[2] for line in caught.value.message.splitlines()] == [
        "gone-0:1-1: content 'own' has no package of this name",
        "tool-0:9-1: content 'own' has tool-0:1-1.noarch, tool-0:2-1.noarch, tool-0:3-1.noarch",
    ]
    with pytest.raises(WorkbookError, match="the lockfile says 00"):
        resolved(tools, content, tmp_path, RECIPE, {"tool": {"evr": "1-1", "digest": "sha256:00"}})


def test_a_package_with_another_signature_is_refused_although_the_file_says_gpgcheck_0(
    tools: Tools, content: Content, tmp_path: Path
) -> None:
    text = content.repo_text.replace(f"{REPOSITORIES}/base/{KEY_FILE}", f"{REPOSITORIES}/pool/{KEY_FILE}")
    with pytest.raises(WorkbookError, match="signature is missing, invalid, or made with a key"):
        resolved(tools, replace(content, repo_text=text), tmp_path, replace(RECIPE, lockfile_repos=()))


def test_the_address_in_a_repository_file_is_used_and_its_packages_need_its_key(
    tools: Tools, content: Content, tmp_path: Path
) -> None:
    key = "file:///usr/share/distribution-gpg-keys/fedora/RPM-GPG-KEY-fedora-$releasever-primary"
    context = Context(tools, tmp_path / "cache", Store(tmp_path / "store"))
    handler = partial(SimpleHTTPRequestHandler, directory=str(content.local["base"].parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        # in place of the content's own, which no machine of a test need reach
        places = {"fedora": "base", "updates": "pool"}
        text = "".join(
            f"[{name}]\nbaseurl={address}/{place}/\ngpgcheck=0\ngpgkey={key}\n" for name, place in places.items()
        )
        brought = tuple(section.repository() for section in read_repositories(text, Path("a.repo"), {}))
        opened = open_content("fedora", context, Demand("", (), repositories=brought))
        assert opened.repo_ids == ["fedora", "updates", "workbook"]
        assert opened.dnf_cache is not None
        assert len(list(opened.dnf_cache.rglob("repomd.xml"))) == 3
        recipe = replace(RECIPE, repos=("fedora",), lockfile_repos=(), repositories=brought)
        with pytest.raises(WorkbookError, match="signature is missing, invalid, or made with a key"):
            resolve_rpm_set(recipe, opened, context, name="test", lock_file=None)
        server.shutdown()
    missing = replace(brought[0], gpgkey=(key.replace("$releasever", "0"),))
    with pytest.raises(WorkbookError, match=r"a\.repo:1: repository 'fedora': gpgkey: there is no /usr/share/.*-0-"):
        open_content("fedora", context, Demand("", (), repositories=(missing,)))
