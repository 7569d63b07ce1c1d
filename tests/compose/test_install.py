"""What a layer is, what dnf is told, and what becomes of a transaction; the real dnf is in tests/integration."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose import install as install_module
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.install import Installation, install, macros, repository
from atomic_lib.content.repositories import Content
from atomic_lib.formats.rpm_headers import Header
from atomic_lib.recipe.recipe import AccountRules, Recipe
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.sandbox import Bind, Tools
from tests.contexts import own_context

REQUIRES = {"bash": "libc", "libc": "", "docker": "bash", "agent": "libc"}
KEYS = {"bash": "aa", "libc": "aa", "docker": "bb", "agent": "cc"}
LAYER = ("bash", "not-in-the-lock")
RECIPE = Recipe(files=(Path("a.yaml"),), packages=("bash", "docker"), layer=LAYER, weak_dependencies=False)


@pytest.fixture
def wanted(tmp_path: Path) -> Installation:
    """Four packages, of which bash and what it requires are the layer; two of three keys are there."""
    headers = {
        name: Header(name, KEYS[name], frozenset(requires.split()), frozenset({name}), {})
        for name, requires in REQUIRES.items()
    }
    packages = tuple(LockedPackage(name, 0, "1", "1", "noarch", name, 1, "r") for name in sorted(REQUIRES))
    (tmp_path / "keys").mkdir()
    for key in ("aa", "bb"):
        (tmp_path / "keys" / f"{key}.asc").touch()
    rpm_set = RpmSet("k", Lock("own", packages), tmp_path / "rpms", ("install", "bash", "docker"), 0.0, True)
    content = Content("own", "Own content", "k", "1", "", "default", "", {}, False, None)
    return Installation(RECIPE, content, rpm_set, headers)


def names(packages: list[LockedPackage]) -> list[str]:
    return [package.name for package in packages]


def lines(wanted: Installation, *only: str) -> dict[str, str]:
    packages = [package for package in wanted.rpm_set.lock.packages if not only or package.name in only]
    text = repository(wanted, packages, packages if only else [])
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_a_layer_is_what_is_named_with_what_it_requires(wanted: Installation) -> None:
    assert names(wanted.layer_packages()) == ["bash", "libc"]


def test_a_name_that_a_package_of_another_name_provides_is_in_the_layer(wanted: Installation) -> None:
    own = {"docker": replace(wanted.headers["docker"], provides=frozenset({"container-runtime"}))}
    provided = replace(RECIPE, layer=("container-runtime",))
    other = replace(wanted, recipe=provided, headers={**wanted.headers, **own})
    assert names(other.layer_packages()) == ["bash", "docker", "libc"]
    assert other.layer_words(other.layer_packages()) == ("install", "container-runtime")


def test_a_layer_does_not_depend_on_what_else_is_installed(wanted: Installation) -> None:
    packages = tuple(package for package in wanted.rpm_set.lock.packages if package.name != "docker")
    other = replace(wanted, rpm_set=replace(wanted.rpm_set, lock=Lock("own", packages)))
    assert other.layer_packages() == wanted.layer_packages()


def test_there_is_none_unless_asked_for_nor_with_weak_dependencies(wanted: Installation) -> None:
    assert replace(wanted, recipe=replace(RECIPE, layer=())).layer_packages() == []
    assert replace(wanted, recipe=replace(RECIPE, weak_dependencies=True)).layer_packages() == []


def test_only_keys_that_signed_what_is_installed_are_named(wanted: Installation) -> None:
    assert lines(wanted)["gpgkey"] == "file:///mnt/keys/aa.asc file:///mnt/keys/bb.asc"
    assert lines(wanted, "bash", "libc")["gpgkey"] == "file:///mnt/keys/aa.asc"


def test_dnf_sees_only_the_layers_packages_when_it_installs_it(wanted: Installation) -> None:
    assert lines(wanted, "bash", "libc")["includepkgs"] == "bash-0:1-1.noarch,libc-0:1-1.noarch"
    assert "includepkgs" not in lines(wanted)
    assert lines(wanted)["gpgcheck"] == "1"


@dataclass(frozen=True)
class OwnTools(Tools):
    """A dnf that says ``said``, reports ``failed`` and ends with ``error``, and an rpm that names ``installed``."""

    said: str
    installed: tuple[str, ...]
    failed: list[dict[str, str]] | None
    differences: list[dict[str, object]]
    error: CommandError | None = None

    def run(self, words: Sequence[Any], *, binds: Sequence[Bind] = (), log: Path | None = None, **_: Any) -> Completed:
        if words[0] == "dnf" and log:
            log.write_text(self.said)
            report = next(bind.source for bind in binds if bind.target == "/mnt/report")
            if self.failed is not None:
                (report / "scriptlets.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in self.failed))
            if self.error:
                raise self.error
        if words[0] == "python3":
            return Completed(json.dumps(self.differences), "")
        rows = [f"{name}\t0\t1\t1\tnoarch\n" for name in self.installed] if words[0] == "rpm" else []
        return Completed("".join(rows), "")


@dataclass(frozen=True)
class Install:
    """Installs four packages, or what of them ``installed`` names, into ``directory/root``."""

    directory: Path
    wanted: Installation

    def __call__(
        self,
        said: str = "Complete!\n",
        installed: Sequence[str] = tuple(REQUIRES),
        layer: bool = False,
        failed: list[dict[str, str]] | None = [],  # noqa: B006 - nobody changes it
        differences: Sequence[dict[str, object]] = (),
        error: CommandError | None = None,
    ) -> None:
        tools = OwnTools(self.directory, "none", said, tuple(installed), failed, list(differences), error)
        context = own_context(self.directory, tools)
        wanted = self.wanted if layer else replace(self.wanted, recipe=replace(RECIPE, layer=()))
        tree = Installroot(tools, self.directory / "root", 0)
        install(tree, wanted, context, name="own", log=self.directory / "dnf.log")


@pytest.fixture
def installation(tmp_path: Path, wanted: Installation) -> Install:
    return Install(tmp_path, wanted)


def test_what_the_lock_says_is_taken_with_the_keys_that_rpm_lists_as_packages(installation: Install) -> None:
    installation(installed=[*REQUIRES, "gpg-pubkey"])


@pytest.mark.parametrize("layer", [False, True])
@pytest.mark.parametrize(
    ("installed", "said"),
    [
        (("bash", "libc", "docker"), "missing: agent; extra: none"),
        ((*REQUIRES, "python3"), "missing: none; extra: python3"),
        (("bash", "libc", "docker", "podman"), "missing: agent; extra: podman"),
        ((), "missing: agent, bash, docker, libc; extra: none"),
    ],
)
def test_what_dnf_installed_has_to_be_what_the_lock_says(
    installation: Install, installed: tuple[str, ...], said: str, layer: bool
) -> None:
    with pytest.raises(WorkbookError, match="what dnf installed is not what the lock says") as caught:
        installation(installed=installed, layer=layer)
    assert caught.value.message.endswith(said)
    assert "resolve anew" in caught.value.hint


def test_another_build_of_a_package_is_not_what_the_lock_says(installation: Install, wanted: Installation) -> None:
    first, *rest = wanted.rpm_set.lock.packages
    for changed in ({"version": "2"}, {"release": "2"}, {"epoch": 1}, {"arch": "x86_64"}):
        lock = Lock("own", (replace(first, **changed), *rest))
        other = replace(installation, wanted=replace(wanted, rpm_set=replace(wanted.rpm_set, lock=lock)))
        with pytest.raises(WorkbookError, match="missing: agent; extra: agent"):
            other()
        (installation.directory / "root").rmdir()


@pytest.mark.parametrize("layer", [False, True])
def test_a_scriptlet_that_fails_stops_the_compose_though_dnf_goes_on(installation: Install, layer: bool) -> None:
    line = "warning: %post(docker-1-1.noarch) scriptlet failed, exit status 1"
    trigger = {"scriptlet": "trigger", "package": "agent"}
    failed = [{"scriptlet": "Postin", "package": "docker"}, trigger, trigger]
    with pytest.raises(WorkbookError) as caught:
        installation(f"/var/tmp/x: line 2: oops\n{line}\nComplete!\n", layer=layer, failed=failed)
    assert caught.value.message == ("a package's scriptlet failed: postin of docker, trigger of agent")
    assert "line 2: oops" in caught.value.log
    assert "Complete!" not in caught.value.log


def test_of_a_log_without_end_only_the_last_part_is_read(
    installation: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install_module, "_LOG_BYTES", 30)
    with pytest.raises(WorkbookError) as caught:
        installation("scriptlet failed\n" + "x" * 100 + "\nscriptlet failed: last\n", failed=[PREIN])
    assert caught.value.log == "xxxxxx\nscriptlet failed: last"


PREIN = {"scriptlet": "Prein", "package": "docker"}


def test_a_scriptlet_that_ends_dnf_is_named_as_the_cause(installation: Install) -> None:
    with pytest.raises(WorkbookError, match=r"^a package's scriptlet failed: prein of docker\n") as caught:
        installation(
            "error: %prein(docker) scriptlet failed\n", failed=[PREIN], error=CommandError("dnf: exit status 1")
        )
    assert "%prein(docker)" in caught.value.log


def test_of_a_limit_that_was_reached_the_parameter_is_the_next_step(installation: Install) -> None:
    limit = CommandError("dnf: stopped: it took more than 9 s (script_timeout_seconds)", hint="raise the parameter")
    with pytest.raises(WorkbookError, match=r"dnf could not install .*\(script_timeout_seconds\)") as caught:
        installation(failed=[PREIN], error=limit)
    assert caught.value.hint == "raise the parameter"


@pytest.mark.parametrize("failed", [[], None])
def test_a_dnf_that_fails_itself_is_the_cause(installation: Install, failed: list[dict[str, str]] | None) -> None:
    with pytest.raises(WorkbookError, match="dnf could not install what it had resolved: dnf: exit status 1"):
        installation(failed=failed, error=CommandError("dnf: exit status 1"))


def test_the_mode_of_the_top_does_not_depend_on_the_callers_umask(installation: Install) -> None:
    before = os.umask(0o077)
    try:
        installation()
    finally:
        os.umask(before)
    assert (installation.directory / "root").stat().st_mode & 0o7777 == 0o755


def test_a_dnf_that_does_not_report_scriptlets_is_not_trusted(installation: Install) -> None:
    with pytest.raises(WorkbookError, match="did not load the plugin"):
        installation(failed=None)


DIFFERENCE = {
    "package": "agent", "path": "/usr/bin/agent", "what": ["group"], "lost": True, "packaged_owner": "root:agent",
    "packaged_mode": 0o102755, "packaged_capabilities": "", "owner": "0:0", "mode": 0o102755, "capabilities": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "group differs: the package has root:agent 2755, the tree 0:0 2755"),
        ({"what": ["owner", "mode"]}, "owner and mode differ: the package has root:agent 2755, the tree 0:0 2755"),
        ({"what": ["mode"], "mode": 0o100755}, "mode differs: the package has root:agent 2755, the tree 0:0 0755"),
        (
            {"what": ["capabilities"], "packaged_capabilities": "cap_chown=ep"},
            "capabilities differ: the package has root:agent 2755 cap_chown=ep, the tree 0:0 2755",
        ),
    ],
)
def test_a_file_that_is_less_than_packaged_is_an_error(
    installation: Install, change: dict[str, object], said: str
) -> None:
    with pytest.raises(WorkbookError) as caught:
        installation(differences=[{**DIFFERENCE, **change}])
    assert caught.value.message == f"agent: /usr/bin/agent: {said}"


def test_what_a_scriptlet_changed_is_said_and_accepted(
    installation: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    installation(differences=[{**DIFFERENCE, "what": ["mode"], "mode": 0o102711, "lost": False}])
    assert "the tree 0:0 2711; accepted" in capsys.readouterr().err


def test_of_many_differences_the_first_ten_are_shown(installation: Install) -> None:
    with pytest.raises(WorkbookError) as caught:
        installation(differences=[DIFFERENCE] * 13)
    assert caught.value.message.splitlines()[10:] == ["and 3 more files"]


def test_a_recipe_with_account_files_has_no_layer_and_keeps_them(wanted: Installation) -> None:
    assert macros(wanted).splitlines()[1] == "%_netsharedpath /proc"
    rules = AccountRules(passwd=("root:x:0:0:::",), group=("root:x:0:",))
    own = replace(wanted, recipe=replace(RECIPE, account_rules=rules))
    assert own.layer_packages() == []
    assert macros(own).splitlines()[1] == "%_netsharedpath /proc:/etc/passwd:/etc/group:/etc/shadow:/etc/gshadow"
    checked = replace(wanted, recipe=replace(RECIPE, account_rules=AccountRules(users=(("root", 0, 0),))))
    assert names(checked.layer_packages()) == ["bash", "libc"]
    assert macros(checked) == macros(wanted)
