"""Repositories as dnf sees them, and dnf's configuration."""

import configparser
from pathlib import Path

from atomic_lib.content.dnf import DNF_DIRECTORY, dnf_configuration
from atomic_lib.content.repositories import Content, fetched_indexes

REPOS = """\
[fedora]
name=Fedora
gpgcheck=1
gpgkey=file:///keys/RPM-GPG-KEY-fedora-$releasever-x86_64

[updates]
name=Updates
gpgkey=file:///keys/RPM-GPG-KEY-fedora-$releasever-x86_64 https://keys.example/RPM-GPG-KEY
  file:///keys/RPM-GPG-KEY-next

[workbook]
gpgkey=file:///mnt/repos/workbook/RPM-GPG-KEY
"""
CONTENT = Content(
    name="own", title="Own", key="k", releasever="43", kernel_arguments="", selinux_policy="targeted", repo_text=REPOS,
    local={"workbook": Path("/cache/agent")}, remote=True, dnf_cache=None,
)  # fmt: skip


def main_section(text: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser["main"]


def test_key_files_of_remote_repositories_are_named_once_and_for_the_release() -> None:
    assert CONTENT.key_urls == ["file:///keys/RPM-GPG-KEY-fedora-43-x86_64", "file:///keys/RPM-GPG-KEY-next"]


def test_repositories_are_known_by_their_ids() -> None:
    assert CONTENT.repo_ids == ["fedora", "updates", "workbook"]


def test_local_repositories_lie_where_their_configuration_says() -> None:
    assert [(bind.source, bind.target, bind.writable) for bind in CONTENT.binds] == [
        (Path("/cache/agent"), "/mnt/repos/workbook", False)
    ]


def test_signatures_are_always_checked() -> None:
    for weak in (True, False):
        for documentation in (True, False):
            main = main_section(dnf_configuration(weak_dependencies=weak, documentation=documentation))
            assert main["gpgcheck"] == "1"
            assert main["reposdir"] == DNF_DIRECTORY
            assert main["skip_if_unavailable"] == "0"


def test_weak_dependencies_and_documentation_are_as_the_recipe_says() -> None:
    full, small = dnf_configuration(), dnf_configuration(weak_dependencies=False, documentation=False)
    assert main_section(full)["install_weak_deps"] == "1"
    assert "tsflags" not in main_section(full)
    assert main_section(small)["install_weak_deps"] == "0"
    assert main_section(small)["tsflags"] == "nodocs"


def test_only_whole_indexes_of_the_content_itself_count(tmp_path: Path) -> None:
    for index in ("fedora-1", "workbook-2", "workbook-host-3", "fedora-1/tmpdir.x"):
        (tmp_path / index / "repodata").mkdir(parents=True)
    indexes = [tmp_path / name / "repodata" for name in ("fedora-1", "workbook-2")]
    assert fetched_indexes(tmp_path, CONTENT.repo_ids) == indexes
