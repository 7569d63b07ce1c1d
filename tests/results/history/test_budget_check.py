"""Breaches of budgets, and the package or unit that is named for each."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.guest.counted.counted_boot import CountedBoot
from atomic_lib.guest.counted.probe import CountedUnit
from atomic_lib.guest.evidence.running import Listener
from atomic_lib.guest.evidence.unit_times import UnitTime
from atomic_lib.measure.guards.image_guards import Guard, GuardFinding
from atomic_lib.params.budgets import Budget
from atomic_lib.results.build_result import PackageSize, WhyLink
from atomic_lib.results.history.budget_check import check_budgets
from atomic_lib.results.history.database import open_history
from atomic_lib.results.history.run_recording import record_run
from atomic_lib.results.study_result import Breach
from atomic_lib.results.variant_result import VariantResult
from tests.report import factory
from tests.results.history.test_run_recording import add_run


@pytest.fixture
def history(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with open_history(tmp_path / "history.sqlite") as connection:
        yield connection


def package(name: str, version: str, size: int, *why: str) -> PackageSize:
    links = tuple(WhyLink(kind="requires", package=one) for one in why)
    return PackageSize(name=name, version=version, release="1", arch="x86_64", bytes=size, files=1, class_="other",
                       why=links)  # fmt: skip


def result(*packages: PackageSize, more: int = 1000, **values: object) -> VariantResult:
    """A variant with these packages, and ``more`` bytes of no package."""
    sizes = {"tree_bytes": sum(one.bytes for one in packages) + more, "package_count": len(packages)}
    plain = factory.variant_result("atomic-min", boots=0)
    return plain.model_copy(update={"packages": packages, "classes": (), **sizes, **values})


def check(history: sqlite3.Connection, found: VariantResult, **budget: object) -> tuple[Breach, ...]:
    return check_budgets(history, {"atomic-min": Budget.model_validate(budget)}, [found])


def counted(**units: float) -> CountedBoot:
    rows = tuple(CountedUnit(unit=f"{name}.service", package=f"{name}-package", cpu_seconds=seconds)
                 for name, seconds in units.items())  # fmt: skip
    return CountedBoot(
        busy_seconds=sum(units.values()), outside_units_seconds=0, shift=0, qemu_version="10", units=rows
    )


SMALL, OLD, NEW = package("bash", "5.2", 5000), package("docker", "26.1", 90_000), package("docker", "28.0", 99_000)


def test_what_keeps_its_budget_or_was_not_measured_is_no_breach(history: sqlite3.Connection) -> None:
    assert check(history, result(SMALL), tree_bytes=6000, package_count=1, forbidden_packages=["dnf"]) == ()
    unmeasured = result(SMALL, image_compressed_bytes=None, guards=None)
    assert check(history, unmeasured, image_compressed_bytes=1, counted_busy_seconds=1.0, set_uid_files=[]) == ()
    assert check_budgets(history, {"another": Budget(tree_bytes=1)}, [result(SMALL)]) == ()


def test_the_package_that_grew_since_the_budget_was_kept_is_named(history: sqlite3.Connection, tmp_path: Path) -> None:
    record_run(history, add_run(tmp_path / "runs", "kept", result(SMALL, OLD)))
    record_run(history, add_run(tmp_path / "runs", "over", result(SMALL, package("docker", "27.0", 98_000))))
    new = result(package("bash", "5.3", 4900), NEW, package("jq", "1.7", 300), more=1500)
    (breach,) = check(history, new, tree_bytes=100_000)
    assert (breach.budget, breach.unit, breach.value, breach.limit) == ("tree_bytes", "bytes", 105_700, 100_000)
    assert breach.since == "kept", "not the later run that was over the budget already"
    assert [(one.name, one.before, one.after, one.amount) for one in breach.causes] == [
        ("docker", "26.1-1", "28.0-1", 9000), ("files of no package", "", "", 500), ("jq", "", "1.7-1", 300),
    ]  # fmt: skip


def test_without_a_run_that_kept_it_the_largest_packages_are_named(history: sqlite3.Connection) -> None:
    (breach,) = check(history, result(SMALL, OLD), tree_bytes=10_000)
    assert (breach.since, [one.name for one in breach.causes]) == ("", ["docker", "bash", "files of no package"])


def test_packages_that_came_are_named_for_a_count(history: sqlite3.Connection, tmp_path: Path) -> None:
    record_run(history, add_run(tmp_path / "runs", "kept", result(SMALL)))
    (breach,) = check(history, result(SMALL, NEW), package_count=1)
    assert (breach.unit, [(one.name, one.amount) for one in breach.causes]) == ("count", [("docker", 1)])


def test_a_counted_boot_is_over_only_beyond_chance_and_its_unit_is_named(
    history: sqlite3.Connection, tmp_path: Path
) -> None:
    record_run(history, add_run(tmp_path / "runs", "kept", result(counted_boots=(counted(docker=5.0, ssh=5.0),))))
    assert check(history, result(counted_boots=(counted(docker=5.05, ssh=5.0),)), counted_busy_seconds=10.0) == ()
    (breach,) = check(history, result(counted_boots=(counted(docker=5.2, ssh=5.1),)), counted_busy_seconds=10.0)
    assert (breach.budget, breach.since, breach.unit) == ("counted_busy_seconds", "kept", "counted")
    assert [(one.name, one.package, round(one.amount, 3)) for one in breach.causes] == [
        ("docker.service", "docker-package", 0.2), ("ssh.service", "ssh-package", 0.1),
    ]  # fmt: skip


def test_a_forbidden_package_is_named_with_what_brought_it_in(history: sqlite3.Connection) -> None:
    found = result(SMALL, package("python3-yaml", "6", 10, "cloud-init", "python3-yaml"))
    (breach,) = check(history, found, forbidden_packages=["dnf", "python3*"])
    assert (breach.item, breach.detail) == ("python3-yaml", "cloud-init > python3-yaml")


def test_a_file_with_privileges_is_named_with_its_package(history: sqlite3.Connection) -> None:
    findings = (GuardFinding(found="/usr/bin/su", detail="4755 root:root", reason="known", package="util-linux"),
                GuardFinding(found="/usr/bin/own", detail="4755 root:root", reason="known", package="own"))  # fmt: skip
    guards = (Guard(guard="set-uid", found=2, unexplained=0, findings=findings),)
    (breach,) = check(history, result(guards=guards), set_uid_files=["/usr/bin/s?"])
    assert (breach.item, breach.detail) == ("/usr/bin/own", "4755 root:root, of own")


def test_a_socket_is_named_with_its_unit_once(history: sqlite3.Connection) -> None:
    sockets = (Listener(protocol="tcp", address="0.0.0.0:22", program="sshd"),
               Listener(protocol="tcp", address="0.0.0.0:5355", program="systemd-resolve"))  # fmt: skip
    units = (UnitTime(unit="systemd-resolved.service", seconds=1.0, package="systemd-resolved"),)
    boot = factory.boot("atomic-min", 0, "bios").model_copy(update={"listeners": sockets, "units": units})
    (breach,) = check(history, result(boots=(boot, boot)), listening_sockets=["tcp *:22 sshd"])
    assert breach.item == "tcp 0.0.0.0:5355 systemd-resolve"
    assert breach.detail == "systemd-resolved.service, of systemd-resolved"


def test_a_breach_is_in_the_history(history: sqlite3.Connection, tmp_path: Path) -> None:
    found = result(SMALL, OLD)
    breaches = check(history, found, tree_bytes=10_000, forbidden_packages=["docker"])
    record_run(history, add_run(tmp_path / "runs", "one", found, breaches=breaches))
    rows = history.execute("SELECT budget, item, value, budget_limit, cause FROM breaches ORDER BY budget").fetchall()
    assert rows == [
        ("forbidden_packages", "docker", None, None, ""), ("tree_bytes", "", 96_000, 10_000, "docker"),
    ]  # fmt: skip
