"""What the stage of stand-in content asks apt for, and what its result depends on."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.content import agent_repository, repositories
from atomic_lib.content.definition import DebianContent, load_definition
from atomic_lib.content.demand import Demand
from atomic_lib.content.repositories import open_content
from atomic_lib.content.standin import standin_repository
from atomic_lib.content.standin.debs import Apt
from atomic_lib.content.standin.fedora_names import StandinNames
from atomic_lib.content.standin.package_index import PackageIndex
from atomic_lib.content.standin.standin_repository import CONTENT
from tests.contexts import own_context

KERNELS = ("linux-image-6.12.5+deb13-cloud-amd64", "linux-image-6.12.17+deb13-cloud-amd64")
INDEX = PackageIndex(
    {
        f"{name}_1_amd64.deb": f"Package: {name}\nVersion: 1\nArchitecture: amd64\nDescription: text\n"
        for name in ("bash", *KERNELS)
    }
)
DEMAND = Demand("own.yaml", ("bash", "kernel-core"))


class Fetched(Exception):
    """What apt was asked for."""


@pytest.fixture
def definition(monkeypatch: pytest.MonkeyPatch) -> DebianContent:
    """Stand-in content, of a suite with two kernels."""

    def fetch(apt: Apt, names: StandinNames, wanted: Sequence[str], **_: Any) -> None:
        raise Fetched({one: names.naming(one).name for one in wanted})

    monkeypatch.setattr(standin_repository, "update_index", lambda _: "index")
    monkeypatch.setattr(Apt, "read_index", lambda _: INDEX)
    monkeypatch.setattr(standin_repository, "fetch_debs", fetch)
    loaded = load_definition("standin")
    assert isinstance(loaded, DebianContent)
    return loaded


def asked(definition: DebianContent, demand: Demand, directory: Path) -> Mapping[str, str]:
    """The names of the RPMs by those of the Debian packages that apt is asked for."""
    with pytest.raises(Fetched) as caught:
        standin_repository.standin_repository(
            definition, demand, PARAMS_DIRECTORY, own_context(directory), elsewhere=()
        )
    found: Mapping[str, str] = caught.value.args[0]
    return found


@pytest.mark.parametrize(("older", "kernel"), [((), KERNELS[1]), (("kernel-core",), KERNELS[0])])
def test_the_kernel_is_the_newest_unless_an_older_one_is_asked_for(
    definition: DebianContent, tmp_path: Path, older: tuple[str, ...], kernel: str
) -> None:
    found = asked(definition, replace(DEMAND, older=older), tmp_path)
    assert found == {"bash": "bash", kernel: "kernel-core"}


def test_content_with_an_older_package_is_another_result(tmp_path: Path, definition: DebianContent) -> None:
    context = own_context(tmp_path)

    def inputs(demand: Demand) -> dict[str, object]:
        request = standin_repository._request(definition, demand, PARAMS_DIRECTORY, "index", ())
        return CONTENT.key_inputs(request, context)

    assert inputs(DEMAND) == inputs(replace(DEMAND))
    assert inputs(DEMAND) != inputs(replace(DEMAND, older=("kernel-core",)))


def test_only_stand_in_content_knows_an_older_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repositories, "agent_repository", lambda _: tmp_path)
    with pytest.raises(WorkbookError, match="content 'fedora': an older package of kernel-core is found in") as caught:
        open_content("fedora", own_context(tmp_path), replace(DEMAND, older=("kernel-core",)))
    assert "from:FILE" in caught.value.hint


@pytest.mark.parametrize(("words", "also"), [(("bash", "min-cloud-agent", "curl"), ("systemd",)), (("bash",), ())])
def test_content_has_what_the_agent_requires_only_if_the_recipe_names_it(
    tmp_path: Path, words: tuple[str, ...], also: tuple[str, ...]
) -> None:
    assert repositories._elsewhere(replace(DEMAND, words=words), tmp_path, None)[1].also == also


def test_all_that_the_agent_requires_is_known() -> None:
    spec = Path(agent_repository.__file__).with_name("min_cloud_agent") / "min-cloud-agent.spec"
    requires = set(re.findall(r"^Requires:\s+(\S+)", spec.read_text(), flags=re.M))
    essential = {"/bin/sh", "coreutils", "gzip", "sed"}
    assert requires == essential | set(agent_repository.AGENT_REQUIRES)
