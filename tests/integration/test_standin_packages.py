"""Stand-in packages with the real programs: their bytes, their relations, their upgrades, and the order of versions."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.base.paths import cache_directory
from atomic_lib.base.store import file_sha256
from atomic_lib.content.standin import control
from atomic_lib.content.standin.control import parse_control
from atomic_lib.content.standin.converter import SETUP, Source, convert
from atomic_lib.content.standin.fedora_names import Naming
from atomic_lib.content.standin.versions import ordered_evr, rpm_evr
from atomic_lib.pipeline.verify.conditions import with_clock
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import open_tools
from benchmarks.relations import compare, dpkg_verdicts, rpm_order
from tests.integration.tiny import make_deb

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def tools() -> Tools:
    return open_tools(cache_directory())


@pytest.fixture
def base(tools: Tools, tmp_path: Path) -> list[Path]:
    """The .deb files of what all packages require."""
    return [make_deb(tools, tmp_path / "debs", name, "1", files=_ACCOUNTS) for name in ("base-files", "base-passwd")]


_ACCOUNTS = """\
rm "$1/usr/share/${4%%_*}"
mkdir "$1/usr/share/${4%%_*}"
cp -r "/usr/share/${4%%_*}" "$1/usr/share/"
"""
"""Fills /usr/share/NAME as the real package does: its files of the tools tree are the source of the accounts."""


def converted(tools: Tools, debs: list[Path], work: Path) -> dict[str, Path]:
    """The RPM of each .deb file, by its name."""
    rpms = convert(
        tools, [Source(name, deb, Naming(name)) for deb in debs for name in [deb.name.partition("_")[0]]], work
    )
    return {name: rpm for name, (rpm,) in rpms.items()}


class System:
    """A root in which rpm installs packages, with their relations checked and without scripts."""

    def __init__(self, tools: Tools, directory: Path) -> None:
        self.tools, self.root = tools, directory / "root"
        self.root.mkdir()

    def rpm(self, *words: str, rpms: list[Path] | None = None) -> str:
        """Run rpm for this root; ``rpms`` are added to its words."""
        files = rpms or []
        binds = [Bind(self.root, "/mnt/root", writable=True)]
        binds += [Bind(rpm, f"/mnt/rpms/{number}.rpm") for number, rpm in enumerate(files)]
        line = ["rpm", "--root", "/mnt/root", "--nosignature", *words]
        line += [f"/mnt/rpms/{number}.rpm" for number in range(len(files))]
        return self.tools.run(line, binds=binds, rights="root").stdout

    @property
    def packages(self) -> list[str]:
        """The packages that are installed, without the base packages."""
        lines = self.rpm("-qa", "--qf", "%{NAME} %{EVR}\\n").splitlines()
        return sorted(line for line in lines if not line.startswith("base-"))


@pytest.fixture
def system(tools: Tools, base: list[Path], tmp_path: Path) -> System:
    made = System(tools, tmp_path)
    made.rpm("-i", rpms=list(converted(tools, base, tmp_path / "base").values()))
    return made


def test_a_package_has_the_same_bytes_whatever_else_is_converted(tools: Tools, tmp_path: Path) -> None:
    python = "mkdir -p $1/usr/lib/python3/dist-packages; echo 'x = {1, 2}' > $1/usr/lib/python3/dist-packages/$4.py"
    debs = [make_deb(tools, tmp_path, name, "1", "Depends: two (>= 1)\n", files=python) for name in ("one", "two")]
    alone = converted(tools, debs[:1], tmp_path / "alone")["one"]
    together = converted(tools, list(reversed(debs)), tmp_path / "elsewhere/together")["one"]
    assert file_sha256(alone) == file_sha256(together)


def test_a_package_without_a_deb_file_does_not_tell_when_it_was_built(tools: Tools, tmp_path: Path) -> None:
    one, other = (
        convert(
            with_clock(tools, days, tmp_path / str(days)),
            [Source(SETUP, None, Naming(SETUP))],
            tmp_path / f"work{days}",
        )[SETUP]
        for days in (0, 1000)
    )
    assert [file_sha256(rpm) for rpm in one] == [file_sha256(rpm) for rpm in other]


def test_two_versions_install_over_each_other_and_are_removed(tools: Tools, system: System, tmp_path: Path) -> None:
    old = make_deb(tools, tmp_path / "debs", "one", "1.0~rc1-1", files="echo > $1/usr/share/old")
    new = make_deb(tools, tmp_path / "debs", "one", "1.0-1+deb13u1", files="echo > $1/usr/share/new")
    before, after = (
        converted(tools, [deb], tmp_path / f"rpm-{number}")["one"] for number, deb in enumerate((old, new))
    )
    system.rpm("-i", rpms=[before])
    system.rpm("-U", rpms=[after])
    assert system.packages == ["one 1.0-1+deb13u1"]
    assert sorted(path.name for path in (system.root / "usr/share").glob("[no]*")) == ["new", "one"]
    with pytest.raises(CommandError, match="which is newer"):
        system.rpm("-U", rpms=[before])
    system.rpm("-U", "--oldpackage", rpms=[before])
    assert sorted(path.name for path in (system.root / "usr/share").glob("[no]*")) == ["old", "one"]
    system.rpm("-e", "one")
    assert system.packages == []
    assert not (system.root / "usr/share/one").exists()


RELATIONS = [
    # what is asked for, what the other package is, whether it is met
    ("Depends: other (<< 1:2.47.3-.)", ("other", "1:2.47.3-0+deb13u1", ""), True),
    ("Depends: other (>= 1.0)", ("other", "1.0~rc1", ""), False),
    ("Depends: other (>= 1.0~1)", ("other", "1.0~rc1", ""), True),
    ("Depends: other (>> 2.41)", ("other", "2.41-12", ""), True),
    ("Depends: other:any", ("other", "1", ""), True),
    ("Depends: other:i386", ("other", "1", ""), False),
    ("Depends: absent | other (>= 2)", ("other", "2", ""), True),
    ("Depends: virtual", ("other", "1", "Provides: virtual"), True),
    ("Depends: virtual (>= 1)", ("other", "1", "Provides: virtual"), False),
    ("Depends: virtual (>= 1)", ("other", "9", "Provides: virtual (= 1.2)"), True),
    ("Depends: virtual (>= 2)", ("other", "9", "Provides: virtual (= 1.2)"), False),
    ("Breaks: other (<< 2)", ("other", "1", ""), False),
    ("Breaks: other (<< 2)", ("other", "2", ""), True),
    ("Conflicts: virtual", ("other", "2", "Provides: virtual"), False),
    ("Conflicts: virtual (<< 1)", ("other", "2", "Provides: virtual"), True),
    ("Conflicts: virtual\nProvides: virtual", ("other", "2", ""), True),
]


@pytest.mark.parametrize(("relations", "other", "met"), RELATIONS)
def test_rpm_takes_a_relation_for_met_where_dpkg_does(
    tools: Tools, system: System, tmp_path: Path, relations: str, other: tuple[str, str, str], met: bool
) -> None:
    name, version, provides = other
    debs = [
        make_deb(tools, tmp_path / "debs", "one", "1", f"{relations}\n"),
        make_deb(tools, tmp_path / "debs", name, version, f"{provides}\n" if provides else ""),
    ]
    rpms = list(converted(tools, debs, tmp_path / "rpms").values())
    if met:
        system.rpm("-i", rpms=rpms)
        assert [line.split()[0] for line in system.packages] == ["one", "other"]
    else:
        with pytest.raises(CommandError, match=r"is needed by|conflicts with"):
            system.rpm("-i", rpms=rpms)


def versions(seed: int, count: int) -> Iterator[str]:
    """Versions of few different characters, so that many are nearly alike."""
    generator = random.Random(seed)

    def some(most: int, characters: str) -> str:
        return "".join(generator.choice(characters) for _ in range(generator.randint(0, most)))

    for _ in range(count):
        epoch = generator.choice(["", "", "", "0:", "1:", "10:"])
        revision = "-" + (some(4, "0011abzZ~~+.") or "0") if generator.random() < 0.5 else ""
        yield f"{epoch}{generator.choice('01')}{some(4, '0011abzZ~~+..')}{'-1' if revision else ''}{revision}"


def test_rpm_orders_encoded_versions_as_dpkg_orders_the_originals(tools: Tools) -> None:
    pairs = list(zip(versions(1, 1200), versions(2, 1200), strict=True))
    older = dpkg_verdicts(tools, [(one, "<<", two) for one, two in pairs])
    equal = dpkg_verdicts(tools, [(one, "=", two) for one, two in pairs])
    expected = [-1 if less else 0 if same else 1 for less, same in zip(older, equal, strict=True)]
    assert len(set(expected)) == 3
    assert rpm_order(tools, [(ordered_evr(one), ordered_evr(two)) for one, two in pairs]) == expected
    assert rpm_order(tools, [(rpm_evr(one), rpm_evr(two)) for one, two in pairs]) != expected


SUITE = """\
Package: git
Version: 1:2.47.3-0+deb13u1
Depends: git-man (>> 1:2.47.3), git-man (<< 1:2.47.3-.), virtual (>= 1), virtual
Breaks: git-man (<< 1.0+a)

Package: git-man
Version: 1:2.47.3-0+deb13u1
Provides: virtual, versioned (= 1.0a)
Depends: versioned (<< 1.0+a), wine:i386
"""


def test_the_relations_of_a_suite_are_compared(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = [parse_control(f"Architecture: all\nDescription: d\n{text}") for text in SUITE.split("\n\n")]

    def unlike() -> list[str]:
        found = compare(packages, lambda one: dpkg_verdicts(tools, one), lambda one: rpm_order(tools, one))
        assert (found.packages, found.relations, found.bounds) == (2, 7, 4)
        assert found.unlike_as_written == 2
        return [f"{relation.name} {relation.operator}" for relation in found.unlike]

    assert unlike() == []
    monkeypatch.setattr(control, "ordered_evr", rpm_evr)
    assert sorted(unlike()) == ["git-man <<", "versioned <<"]
