"""Which packages can be rebuilt: those with programs whose version no other package requires."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.command import Completed
from atomic_lib.formats.rpm_headers import Header, PackagedFile
from atomic_lib.pipeline.layers import rebuildable_packages as module
from atomic_lib.pipeline.layers.rebuildable_packages import names_of_rebuildable, rebuildable_packages
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.sandbox import Tools

PROGRAM, SCRIPT_OF_ETC = {"/usr/bin/one": 0o100755}, {"/etc/cron.daily/one": 0o100755}


def package(name: str, release: str = "1", arch: str = "x86_64") -> LockedPackage:
    return LockedPackage(name, 0, "1", release, arch, "0" * 64, 1, "content")


def header(name: str, modes: dict[str, int]) -> Header:
    files = {path: PackagedFile(mode, 1, 0) for path, mode in modes.items()}
    return Header(name, "", frozenset(), frozenset({name, f"deb({name})"}), files)


@pytest.mark.parametrize(
    ("one", "modes", "found"),
    [
        (package("one"), PROGRAM, True),
        (package("one"), {"/usr/sbin/one": 0o100755}, True),
        (package("one"), {"/usr/lib/x86_64-linux-gnu/libone.so.5.1": 0o100644}, True),
        (package("one"), {"/usr/lib/one/plugin.so": 0o100644}, True),
        (
            package("one"),
            {"/usr/bin/one": 0o120777, "/usr/bin/two": 0o100644, "/usr/share/doc/one.so": 0o100644},
            False,
        ),
        (package("one"), SCRIPT_OF_ETC, False),
        (package("one", arch="noarch"), PROGRAM, False),
        (package("one", release="9"), PROGRAM, False),
        (package("one", release="1.fc"), PROGRAM, False),
    ],
)
def test_a_package_has_programs_and_a_release_that_can_be_raised(
    one: LockedPackage, modes: dict[str, int], found: bool
) -> None:
    assert (names_of_rebuildable(Lock("content", (one,)), {"one": header("one", modes)}, set()) == ["one"]) is found


def test_several_packages_of_one_name_are_left_alone() -> None:
    lock = Lock("content", (package("one"), package("one", "2"), package("two")))
    headers = {name: header(name, PROGRAM) for name in ("one", "two")}
    assert names_of_rebuildable(lock, headers, set()) == ["two"]


@dataclass(frozen=True)
class RpmTools(Tools):
    """An rpm that says what packages require."""

    def run(self, words: Any, **_: Any) -> Completed:
        return Completed(" = \tdeb(two)\n >= \tdeb(one)\n\tdeb(three)\n", "")


def test_a_package_whose_exact_version_is_required_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("three", "one", "two")
    headers = {name: header(name, PROGRAM) for name in names}
    monkeypatch.setattr(module, "read_headers", lambda tools, rpms: headers)
    rpms = RpmSet("key", Lock("content", tuple(map(package, names))), Path("rpms"), (), 0.0, False)
    assert rebuildable_packages(RpmTools(Path("/nonexistent"), "none"), rpms) == ["one", "three"]
