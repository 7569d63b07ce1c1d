"""Names that stand for the package before the newest."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.standin.fedora_names import FedoraNames, Naming, StandinNames, read_names
from atomic_lib.content.standin.named_packages import older_names
from atomic_lib.content.standin.package_index import PackageIndex

PATTERN = "linux-image-*-cloud"
NAMES: Mapping[str, object] = {
    "glibc": "libc6",
    "kernel": {"package": "linux-image-cloud", "reason": "it requires the newest one"},
    "kernel-core": {"package": PATTERN, "with": ["kmod"], "reason": "image and modules"},
    "kernel-modules": {"provided_by": PATTERN, "reason": "image and modules"},
    "tools": "tools",
}
DEPENDS = {
    "linux-image-cloud": "linux-image-6.12.5-cloud (= 1), libc6",
    "tools": "linux-image-6.12.5-cloud | linux-image-6.9.1-cloud",
}
OLDER, NEWEST = "linux-image-6.9.1-cloud", "linux-image-6.12.5-cloud"


@pytest.fixture
def file(tmp_path: Path) -> FedoraNames:
    path = tmp_path / "names.yaml"
    path.write_text(yaml.safe_dump({"names": NAMES}))
    return read_names(path)


def index_of(*kernels: str) -> PackageIndex:
    names = ("libc6", "kmod", "tools", "linux-image-cloud", *kernels)
    return PackageIndex({f"{name}_1_all.deb": paragraph(name) for name in names})


def paragraph(name: str) -> str:
    return f"Package: {name}\nVersion: 1\nArchitecture: all\nDepends: {DEPENDS.get(name, 'libc6')}\nDescription: text\n"


def test_the_older_package_has_the_name_and_all_other_names_of_the_newest(file: FedoraNames) -> None:
    index = index_of(OLDER, NEWEST, "linux-image-6.1.90-cloud")
    assert list(StandinNames(file, index).packages_of("kernel-core")) == [NEWEST]
    names = StandinNames(older_names(file, index, ["kernel-core"]), index)
    found = {name: list(names.packages_of(name)) for name in NAMES}
    assert found == {
        "glibc": ["libc6"],
        "kernel": [OLDER],
        "kernel-core": [OLDER],
        "kernel-modules": [OLDER],
        "tools": ["tools"],
    }
    assert names.naming(OLDER) == Naming("kernel-core", ("kernel", "kernel-modules"), ("kmod",))
    assert names.naming(NEWEST).name == NEWEST


def test_without_such_names_all_stays(file: FedoraNames) -> None:
    assert older_names(file, index_of(OLDER, NEWEST), ()) is file


@pytest.mark.parametrize(
    ("name", "kernels", "said"),
    [
        ("kernel-core", (NEWEST,), f"the suite has one package for kernel-core \\({NEWEST}\\), so there is no older"),
        ("kernel-core", (), "the suite has one package for kernel-core \\(none\\)"),
        ("glibc", (OLDER, NEWEST), "the suite has one package for glibc \\(libc6\\)"),
        ("nothing", (OLDER, NEWEST), "the suite has one package for nothing \\(none\\)"),
    ],
)
def test_a_name_of_one_package_has_no_older_one(
    file: FedoraNames, name: str, kernels: tuple[str, ...], said: str
) -> None:
    with pytest.raises(WorkbookError, match=said) as caught:
        older_names(file, index_of(*kernels), [name])
    assert "from:FILE" in caught.value.hint
