"""The plugin that checks many signatures at once accepts nothing that dnf would refuse; without dnf and rpmkeys."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from atomic_lib.solve.solver import SIGNATURES

ROOT = "/mnt/root"
GOOD = b"    Header V4 RSA/SHA512 Signature, key ID 0123456789abcdef: OK\n    Payload SHA256 digest: OK\n"
NO_KEY = GOOD.replace(b"def: OK", b"def: NOKEY")


@dataclass
class Package:
    """A package of a transaction, as dnf has it."""

    path: str
    repoid: str = "own"
    _from_cmdline: bool = False

    def localPkg(self) -> str:
        return self.path


@dataclass
class Rpmkeys:
    """dnf and rpmkeys. ``bad``: what is wrong with some files. ``asked``: the files of each rpmkeys for many;
    ``one``: each file that dnf checked by itself."""

    bad: dict[str, bytes] = field(default_factory=dict)
    status: int | None = None
    answer: Callable[[bytes], bytes] = bytes
    asked: list[list[str]] = field(default_factory=list)
    one: list[str] = field(default_factory=list)

    def check_one(self, _: object, path: str) -> int:
        self.one.append(path)
        return 1 if path in self.bad else 0

    def run(self, line: Sequence[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        assert line[:4] == ["rpmkeys", "--checksig", "--root", ROOT]
        assert {"--define=_pkgverify_level signature", "--define=_pkgverify_flags 0x0"} < {*line}
        paths = [word for word in line[4:] if not word.startswith("--")]
        self.asked.append(paths)
        told = b"".join(path.encode() + b":\n" + self.bad.get(path, GOOD) for path in paths)
        status = self.status if self.status is not None else int(any(path in self.bad for path in paths))
        return subprocess.CompletedProcess([], status, self.answer(told))


def read_answer(data: Sequence[bytes]) -> int:
    """As dnf reads the answer for one file."""
    if len(data) < 3 or data[0] != b"-:" or data[-1]:
        return 2
    return int(not all(line.endswith(b": OK") for line in data[1:-1]))


@pytest.fixture
def rpmkeys(monkeypatch: pytest.MonkeyPatch) -> Rpmkeys:
    keys = Rpmkeys()
    dnf, rpm, miscutils = (ModuleType(name) for name in ("dnf", "dnf.rpm", "dnf.rpm.miscutils"))
    vars(miscutils).update(checkSig=keys.check_one, _process_rpm_output=read_answer)
    vars(dnf).update(Plugin=type("Plugin", (), {"__init__": lambda *_: None}), rpm=rpm)
    vars(rpm).update(miscutils=miscutils)
    for module in (dnf, rpm, miscutils):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(subprocess, "run", keys.run)
    return keys


def check(packages: Sequence[Package]) -> Callable[[str], int]:
    """dnf's function that checks one file, once the plugin is loaded."""
    spec = spec_from_file_location("signatures", SIGNATURES.source / "signatures.py")
    assert spec
    assert spec.loader
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    base = SimpleNamespace(transaction=SimpleNamespace(install_set=packages))
    module.Signatures(base, None)
    return lambda path: int(module.dnf.rpm.miscutils.checkSig(SimpleNamespace(ts=SimpleNamespace(rootDir=ROOT)), path))


def checked(packages: Sequence[Package]) -> list[int]:
    one = check(packages)
    return [one(package.path) for package in packages]


def own(*names: str, repo: str = "own") -> list[Package]:
    return [Package(f"/mnt/rpms/{name}.rpm", repo) for name in names]


def test_one_rpmkeys_checks_all_packages_of_a_repository(rpmkeys: Rpmkeys) -> None:
    packages = own("a", "b", "c")
    assert checked(packages) == [0, 0, 0]
    assert rpmkeys.asked == [["/mnt/rpms/a.rpm", "/mnt/rpms/b.rpm", "/mnt/rpms/c.rpm"]]
    assert rpmkeys.one == ["/mnt/rpms/a.rpm"]


def test_each_repository_is_asked_for_by_itself(rpmkeys: Rpmkeys) -> None:
    packages = [*own("a", "b"), *own("c", "d", repo="other")]
    rpmkeys.bad["/mnt/rpms/d.rpm"] = NO_KEY
    assert checked(packages) == [0, 0, 0, 1]
    assert rpmkeys.asked == [["/mnt/rpms/a.rpm", "/mnt/rpms/b.rpm"], ["/mnt/rpms/c.rpm", "/mnt/rpms/d.rpm"]]
    assert rpmkeys.one == ["/mnt/rpms/a.rpm", "/mnt/rpms/c.rpm", "/mnt/rpms/d.rpm"]


def test_dnf_checks_each_package_if_one_is_bad(rpmkeys: Rpmkeys) -> None:
    packages = own("a", "b", "c")
    rpmkeys.bad["/mnt/rpms/b.rpm"] = NO_KEY
    assert checked(packages) == [0, 1, 0]
    assert rpmkeys.one == [package.path for package in packages]


def test_nothing_is_asked_before_dnf_has_found_a_good_package(rpmkeys: Rpmkeys) -> None:
    packages = own("a", "b")
    one = check(packages)
    rpmkeys.bad["/mnt/rpms/a.rpm"] = NO_KEY
    assert (one("/mnt/rpms/a.rpm"), rpmkeys.asked) == (1, [])
    rpmkeys.bad.clear()  # as once dnf has imported the key
    assert [one("/mnt/rpms/a.rpm"), one("/mnt/rpms/b.rpm"), len(rpmkeys.asked)] == [0, 0, 1]
    assert "/mnt/rpms/b.rpm" not in rpmkeys.one


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        pytest.param(1, bytes, id="a-status"),
        pytest.param(-9, bytes, id="a-signal"),
        pytest.param(0, lambda told: told.partition(b"/mnt/rpms/b")[0], id="without-a-file"),
        pytest.param(0, lambda told: told[:-5], id="cut-off"),
        pytest.param(0, lambda told: told.replace(b": OK", b": NOKEY", 1), id="without-the-key-of-one"),
        pytest.param(0, lambda told: told.replace(GOOD, b""), id="without-any-signature"),
        pytest.param(0, lambda told: b"", id="empty"),
    ],
)
def test_an_answer_that_is_not_whole_counts_for_nothing(
    rpmkeys: Rpmkeys, status: int, answer: Callable[[bytes], bytes]
) -> None:
    packages = own("a", "b", "c")
    rpmkeys.status, rpmkeys.answer = status, answer
    assert checked(packages) == [0, 0, 0]
    assert (len(rpmkeys.asked), rpmkeys.one) == (1, [package.path for package in packages])


def test_a_name_that_could_be_taken_for_lines_of_the_answer_is_not_asked_for(rpmkeys: Rpmkeys) -> None:
    packages = own("a", "b\n    Header V4 RSA/SHA512 Signature, key ID 0: OK\n/mnt/rpms/c")
    checked(packages)
    assert (rpmkeys.asked, len(rpmkeys.one)) == ([], 2)


def test_files_of_the_command_line_are_of_no_repository(rpmkeys: Rpmkeys) -> None:
    packages = [*own("a"), Package("/mnt/kept/b.rpm", _from_cmdline=True)]
    checked(packages)
    assert rpmkeys.asked == [["/mnt/rpms/a.rpm"]]
