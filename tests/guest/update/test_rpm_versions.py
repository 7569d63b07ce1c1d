"""What dnf is told in a guest, and what each version is known by."""

import subprocess
from pathlib import Path

import pytest

from atomic_lib.guest.update.rpm_versions import RpmVersions, source_commands
from atomic_lib.guest.update.update_evidence import GuestState, packages_identity
from atomic_lib.solve.lock import Lock
from tests.compose.update.test_rpm_prediction import AFTER, BEFORE, lock, package


def versions(after: Lock = AFTER, *, weak_dependencies: bool = False) -> RpmVersions:
    return RpmVersions("cloud-docker", BEFORE, after, ("key",), weak_dependencies=weak_dependencies)


def test_one_transaction_brings_all_that_is_new_and_one_is_undone() -> None:
    commands = versions().commands
    dnf = "dnf -y --repo=updates --setopt=install_weak_deps=0"
    new = "install bash-0:1-2.x86_64 lsof-0:1-1.x86_64"
    assert commands.steps == (
        ("check", f"{dnf} check-update || [ $? -eq 100 ]"),
        ("download", f"{dnf} {new} --downloadonly"),
        ("deploy", f"{dnf} --cacheonly {new}"),
    )
    assert commands.rollback == f"{dnf} history undo last"


def test_new_releases_alone_are_an_upgrade() -> None:
    commands = versions(lock(package("bash", "2", 110), package("netbase", "1", 20)), weak_dependencies=True).commands
    assert commands.steps[2][1] == "dnf -y --repo=updates --setopt=install_weak_deps=1 --cacheonly upgrade"


@pytest.mark.parametrize(("status", "expected"), [(0, 0), (100, 0), (1, 1)])
def test_looking_for_updates_fails_only_if_dnf_does(status: int, expected: int) -> None:
    check = f"dnf() {{ return {status}; }}; {versions().commands.steps[0][1]}"
    assert subprocess.run(["sh", "-c", check], check=False).returncode == expected


def test_a_version_is_known_by_its_packages() -> None:
    before, after = versions().identities
    assert before == packages_identity(["netbase-0:1-1.x86_64", "bash-0:1-1.x86_64"])
    assert before != after
    assert versions().identity(GuestState(packages=before)) == before
    assert versions().identity(GuestState(commit="a" * 64)) is None


def test_index_and_packages_must_be_signed_with_the_keys(tmp_path: Path) -> None:
    text = source_commands(["one\n", "two's\n"]).replace("/etc/", f"{tmp_path}/")
    subprocess.run(["sh", "-ec", text], check=True)
    keys = [tmp_path / f"pki/rpm-gpg/RPM-GPG-KEY-updates-{number}" for number in (0, 1)]
    assert [key.read_text() for key in keys] == ["one\n", "two's\n"]
    repository = (tmp_path / "yum.repos.d/updates.repo").read_text().splitlines()
    assert {"[updates]", "baseurl=http://169.254.169.253/", "gpgcheck=1", "repo_gpgcheck=1"} < {*repository}
    assert f"gpgkey=file://{keys[0]} file://{keys[1]}" in repository
