"""What is read of rpm's answers, and what is handed to it."""

import io
import tarfile
from typing import Any

import pytest

from atomic_lib.base.command import CommandError, Completed
from atomic_lib.measure.power_cuts.packages.database_in_state import RpmFile, parse_files, parse_packages
from tests.measure.power_cuts.packages.package_machine import DATABASE, PackageMachine, TextTools


def test_packages_are_read_by_name_without_public_keys() -> None:
    said = "package own own-1 aa\nerror: a line of another kind\npackage own own-2 bb\npackage gpg-pubkey key cc\n"
    assert parse_packages(said) == {"own": (("own-1", "aa"), ("own-2", "bb"))}
    assert parse_packages("") == {}


def test_files_that_were_not_installed_are_left_out() -> None:
    line = "file\town-1\t{}\t0100755\t{}\tc\t/usr/bin/a\tb\n"
    assert parse_files(line.format("0", "dd") + line.format("2", "dd") + "(none)") == [
        RpmFile("own-1", 0o100755, "dd", "c", "/usr/bin/a\tb")
    ]


def test_rpm_gets_the_database_and_the_log_of_its_writes_only(
    machine: PackageMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[list[str]] = []

    def run(tools: TextTools, words: list[str], **options: Any) -> Completed:
        with tarfile.open(fileobj=io.BytesIO(options["input"])) as tar:
            given.append(tar.getnames())
        return as_it_is(tools, words, **options)

    as_it_is = TextTools.run
    monkeypatch.setattr(TextTools, "run", run)
    machine.checker.check(machine.with_database(machine.before, "alpha-1"))
    assert given == [[DATABASE.rpartition("/")[2]]]


def test_rpm_that_cannot_be_started_is_no_finding(machine: PackageMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise CommandError("rpm cannot be started")

    monkeypatch.setattr(TextTools, "run", fail)
    with pytest.raises(CommandError, match="cannot be started"):
        machine.checker.check(machine.with_database(machine.before, "beta-1"))
