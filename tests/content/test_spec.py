"""The spec of a stand-in package lists every file once, with rpm's directives and quoting."""

import os
from collections.abc import Collection
from pathlib import Path

import pytest

from atomic_lib.content.standin.control import DebianPackage, parse_control
from atomic_lib.content.standin.fedora_names import Naming
from atomic_lib.content.standin.spec import file_list, write_spec

FILES = (
    "etc/sample.conf",
    "etc/plain.conf",
    "etc/init.d/sample",
    "usr/bin/[",
    'usr/share/odd/name with "quotes" and 100% more',
    "usr/share/odd/back\\slash",
    "usr/share/doc/sample/copyright",
    "usr/share/doc/sample/README",
    "usr/share/man/man1/sample.1.gz",
    "usr/share/locale/de_AT.UTF-8/LC_MESSAGES/sample.mo",
    "usr/share/locale/locale.alias",
    "usr/share/lintian/overrides/sample",
)


def package(text: str) -> DebianPackage:
    return parse_control(f"Architecture: amd64\nVersion: 1-1\nDescription: 50 % off\n{text}")


def spec(text: str, dropped: Collection[str] = (), *, naming: Naming | None = None, files: str = "") -> str:
    converted = package(text)
    return write_spec(converted, naming or Naming(converted.name), dropped, files)


def list_as_root(root: Path, configuration: Collection[str] = ()) -> list[str]:
    """The file list as if root owned all files, whoever runs the test."""
    own = (os.getuid(), os.getgid())
    lines = file_list(root, configuration, {own[0]: "root"}, {own[1]: "root"})
    return [line.removeprefix("%attr(-, root, root) ") for line in lines]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "usr/bin/link").symlink_to("/nowhere")
    (tmp_path / "usr/lib64").symlink_to("share")
    return tmp_path


def test_a_file_has_the_directives_of_its_place(root: Path) -> None:
    lines = list_as_root(root, {"/etc/sample.conf"})
    assert set(lines) >= {
        '%config(noreplace) "/etc/sample.conf"',
        '"/etc/plain.conf"',
        '%license "/usr/share/doc/sample/copyright"',
        '%doc "/usr/share/doc/sample/README"',
        '%doc "/usr/share/man/man1/sample.1.gz"',
        '%lang(de_AT) "/usr/share/locale/de_AT.UTF-8/LC_MESSAGES/sample.mo"',
        '"/usr/share/locale/locale.alias"',
        '"/usr/bin/link"',
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away, which needs root")
def test_a_file_that_is_not_roots_says_whose_it_is(root: Path) -> None:
    os.chown(root / "usr/bin/[", 0, 42)
    os.chown(root / "etc/plain.conf", 2, 0)
    os.chown(root / "etc/sample.conf", 0, 4711)
    lines = file_list(root, {"/etc/sample.conf"}, {0: "root", 2: "bin"}, {0: "root", 42: "shadow"})
    assert '%attr(-, root, shadow) "/usr/bin/["' in lines
    assert '%attr(-, bin, root) "/etc/plain.conf"' in lines
    assert '%attr(-, root, root) %config(noreplace) "/etc/sample.conf"' in lines
    assert '%doc "/usr/share/doc/sample/README"' in lines


def test_odd_names_are_quoted_as_rpm_reads_them(root: Path) -> None:
    lines = list_as_root(root)
    assert '"/usr/bin/["' in lines
    assert r'"/usr/share/odd/name with \"quotes\" and 100%% more"' in lines
    assert r'"/usr/share/odd/back\\slash"' in lines


def test_directories_are_listed_and_links_to_them_are_files(root: Path) -> None:
    lines = list_as_root(root)
    assert '%dir "/usr/share/odd"' in lines
    assert '%dir "/usr"' in lines
    assert '"/usr/lib64"' in lines


def test_what_only_serves_the_other_package_manager_is_left_out(root: Path) -> None:
    text = "\n".join(list_as_root(root))
    assert "lintian" not in text
    assert "init.d" not in text


def test_every_other_path_is_listed_exactly_once(root: Path) -> None:
    skipped = {"/etc/init.d", "/etc/init.d/sample", "/usr/share/lintian", "/usr/share/lintian/overrides"}
    skipped.add("/usr/share/lintian/overrides/sample")
    paths = {f"/{path.relative_to(root)}" for path in root.rglob("*")} - skipped
    assert len(list_as_root(root)) == len(paths)


def test_a_package_has_its_own_version_and_files() -> None:
    text = "Package: sample\nVersion: 2:3.0-4\nHomepage: https://s.example/%41\n"
    lines = spec(text, files="/lists/sample.files").splitlines()
    start = lines.index("Name: sample")
    assert lines[start + 1 : start + 5] == [
        "Vendor: Debian (sample 2:3.0-4)",
        "Version: 3.0",
        "Release: 4",
        "Epoch: 2",
    ]
    assert "Summary: 50 %% off" in lines
    assert "URL: https://s.example/%%41" in lines
    assert "AutoReqProv: no" in lines
    assert lines[-1] == "%files -f /lists/sample.files"
    assert not any(line.startswith("BuildArch") for line in lines)


def test_a_package_has_fedoras_names_and_keeps_its_own() -> None:
    naming = Naming("fedora-sample", provides=("sample-tools",), requires=("companion",))
    lines = spec("Package: sample\nVersion: 1.5-2\nProvides: other\n", naming=naming).splitlines()
    assert "Name: fedora-sample" in lines
    assert "Vendor: Debian (sample 1.5-2)" in lines
    assert [line for line in lines if line.startswith("Provides: ")] == [
        "Provides: deb(sample) = 1.5-2",
        "Provides: other",
        "Provides: sample = 1.5-2",
        "Provides: sample-tools = 1.5-2",
    ]
    assert "Requires: companion" in lines


def test_a_package_without_files_has_no_list() -> None:
    assert spec("Package: empty\n").endswith("\n%files\n")


def test_relations_follow_from_the_package_and_the_policy_alone() -> None:
    text = "Package: one\nDepends: two (>= 1), helper, absent | two\nBreaks: two (<< 1), virtual\nRecommends: three\n"
    lines = spec(text, {"helper"}).splitlines()
    assert [line for line in lines if line.startswith("Requires: ")] == [
        "Requires: two",
        "Requires: deb(two) >= 1-0",
        "Requires: (absent or two)",
    ]
    assert [line for line in lines if line.startswith("Conflicts: ")] == [
        "Conflicts: deb(two) < 1-0",
        "Conflicts: virtual",
    ]
    assert "Recommends: three" in lines
    assert "Provides: deb(one) = 1-1" in lines


def test_base_files_and_accounts_come_before_everything_and_need_nothing() -> None:
    base = spec("Package: base-files\nDepends: libc6\n").splitlines()
    dash = spec("Package: dash\n").splitlines()
    assert not any(line.startswith("Requires") for line in base)
    assert "Provides: system-release(releasever) = 13" in base
    assert [line for line in dash if line.startswith("Requires")] == [
        "Requires(pre): base-files",
        "Requires(pre): base-passwd",
    ]
    assert "Provides: /bin/sh" in dash


def test_a_package_of_all_architectures_is_noarch() -> None:
    text = "Package: data\nArchitecture: all\nVersion: 1\nDescription: data\n"
    assert "BuildArch: noarch" in write_spec(parse_control(text), Naming("data"), ()).splitlines()
