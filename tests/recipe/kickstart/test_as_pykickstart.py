"""Packages, groups, exclusions and scripts are those that pykickstart, which Anaconda uses, finds."""

from pathlib import Path
from typing import Any

import pytest
from pykickstart.parser import KickstartParser  # type: ignore[import-untyped]
from pykickstart.version import makeVersion  # type: ignore[import-untyped]

from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.recipe import Recipe

CASES = {
    "one list": "%packages\nbash\nvim # why\n# no\n\n-nano\n@tools\n%end\n",
    "a minus before and after": "%packages\n-bash\nbash\nvim\n-vim\nvim\n%end\n%packages\n-vim\n%end\n",
    "a group with a space": "%packages --nocore\n@ core\n@ Sound and Video \n%end\n",
    "options of groups": "%packages\n@a --nodefaults\n@b --optional\n@c\n@a --optional\n%end\n",
    "a group taken back": "%packages\n@a\n@b\n-@a\n%end\n",
    "a group taken back before it comes": "%packages\n-@a\n@a\n@b\n%end\n",
    "a group of an environment": "%packages\n@^server\n-@standard\nbash\n%end\n",
    "an environment taken back": "%packages\n@^server\n-@^server\n-@^other\n%end\n",
    "two environments": "%packages\n@^server\n@^cloud\n%end\n",
    "no core": "%packages --nocore\nbash\n%end\n",
    "core with a minus": "%packages\n-@core\nbash\n%end\n",
    "core by name": "%packages\nbash\n@core --nodefaults\n%end\n",
    "the options of the last section": "%packages --nocore --excludedocs\na\n%end\n"
    "%packages --inst-langs=en:de\nb\n%end\n",
    "weak dependencies": "%packages --exclude-weakdeps --inst-langs=\nbash\n%end\n",
    "patterns": "%packages\nkernel*\n-*-firmware\nglibc.i686\n%end\n",
    "scripts": "%post\necho 1\n\n# 2\n%end\n%packages\na\n%end\n%post --nochroot --erroronfail\necho 3\n%end\n"
    "%post --interpreter=/usr/bin/python3 --log=/root/l\nprint(4)\n%end\n%post\n\n%end\n",
    "text in a script": "%packages\na\n%end\n%post\ncat <<E\n%frobnicate\n@a\nE\n%end # done\n",
    "services": "%packages\na\n%end\nservices --enabled=a,b.socket --disabled=c\nservices --enabled=d,org.e\n",
    "services without one": "%packages\na\n%end\nservices --disabled=c\nservices --disabled=c,d --enabled=c\n",
    "boot loader": "%packages\na\n%end\nbootloader --append='a  b' --timeout=3\nbootloader --append=c\n",
    "settings": "%packages\na\n%end\nlang C\nlang en_US.UTF-8\ntimezone --utc Etc/UTC\ntimezone Europe/Oslo\n"
    "keyboard us\nkeyboard --vckeymap=de\n",
}  # fmt: skip


def reference(text: str) -> Any:
    handler = makeVersion("F41")
    KickstartParser(handler).readKickstartFromString(text)
    return handler


def expected_groups(packages: Any) -> set[str]:
    """Anaconda asks dnf for core, the environment and the groups, without the groups that have a minus."""
    unwanted = {group.name for group in packages.excludedGroupList}
    options = {0: " --nodefaults", 1: "", 2: " --optional"}
    groups = {f"{one.name}{options[one.include]}" for one in packages.groupList if one.name not in unwanted}
    listed = {one.name for one in packages.groupList}
    core = set() if packages.nocore or "core" in unwanted or "core" in listed else {"core"}
    environment = {f"^{packages.environment}"} if packages.environment else set()
    return groups | core | environment | ({f"-{name}" for name in unwanted} if environment else set())


def read(directory: Path, text: str) -> Recipe:
    (directory / "a.ks").write_text(text)
    return read_kickstart(directory / "a.ks", "F41")


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_packages_groups_and_exclusions(tmp_path: Path, text: str) -> None:
    packages, recipe = reference(text).packages, read(tmp_path, text)
    assert (list(recipe.packages), list(recipe.excludes)) == (packages.packageList, packages.excludedList)
    assert set(recipe.groups) == expected_groups(packages)
    assert len(recipe.groups) == len(set(recipe.groups))
    assert (recipe.documentation, recipe.weak_dependencies) == (not packages.excludeDocs, not packages.excludeWeakdeps)
    languages = packages.instLangs
    assert recipe.languages == (languages if languages is None else tuple(filter(None, languages.split(":"))))


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_scripts(tmp_path: Path, text: str) -> None:
    found = [(one.text, one.interpreter, one.stop_on_error, one.in_tree) for one in read(tmp_path, text).post_scripts]
    assert found == [(one.script, one.interp, one.errorOnFail, one.inChroot) for one in reference(text).scripts]


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_settings(tmp_path: Path, text: str) -> None:
    handler, recipe = reference(text), read(tmp_path, text)
    services = handler.services
    enabled = {name if name.endswith(".socket") else f"{name}.service" for name in services.enabled}
    disabled = {f"{name}.service" for name in services.disabled}
    assert set(recipe.enabled_units) == enabled
    assert set(recipe.disabled_units) == disabled - enabled  # Anaconda disables first
    assert (recipe.kernel_arguments or "").split() == handler.bootloader.appendLine.split()
    assert recipe.boot_loader_timeout_seconds == (handler.bootloader.timeout or 1)
    assert (recipe.locale or "", recipe.timezone or "") == (handler.lang.lang or "", handler.timezone.timezone or "")


@pytest.mark.parametrize(
    "lines",
    [
        "firewall --service=http --port=1:tcp,2:udp --trust=eth0\nfirewall --enabled --service=ftp",
        "firewall --remove-service=ssh\nfirewall --disabled\nfirewall --port=22:tcp",
        "firewall --port=22:tcp --service=a\nfirewall --http --trust=b --trust=c",
    ],
)
def test_lists_of_a_firewall_stay_until_a_later_line_names_them(tmp_path: Path, lines: str) -> None:
    text = f"{lines}\n%packages\na\n%end\n"
    wanted, (mode, *words) = reference(text).firewall, read(tmp_path, text).firewall
    lists = {"service": wanted.services, "trust": wanted.trusts, "port": wanted.ports,
             "remove-service": wanted.remove_services}  # fmt: skip
    ssh = "ssh" in (*wanted.services, *wanted.remove_services) or "22:tcp" in wanted.ports
    assert mode == ("--enabled" if wanted.enabled else "--disabled")
    assert words == [*([] if ssh else ["--service=ssh"]), *(f"--{name}={one}" for name in lists for one in lists[name])]


def test_a_later_line_takes_a_setting_back(tmp_path: Path) -> None:
    text = "firewall --service=a\nfirewall --use-system-defaults\nxconfig --startxonboot\nxconfig\n%packages\na\n%end\n"
    handler, recipe = reference(text), read(tmp_path, text)
    assert (handler.firewall.use_system_defaults, recipe.firewall) == (True, ())
    assert (handler.xconfig.startX, recipe.default_target) == (False, "multi-user.target")


def test_a_group_that_an_earlier_line_removes_is_noted(tmp_path: Path) -> None:
    recipe = read(tmp_path, "%packages\n-@a\n@a\n@b\n%end\n")
    assert recipe.notes == ("a.ks:3: %packages: @a: not installed, because an earlier line removes a",)


def test_services_of_a_later_line_replace_the_list(tmp_path: Path) -> None:
    text = "services --enabled=sshd,chronyd --disabled=network\nservices --enabled=foo.socket\n%packages\na\n%end\n"
    recipe = read(tmp_path, text)
    assert (recipe.enabled_units, recipe.disabled_units) == (("foo.socket",), ("network.service",))
