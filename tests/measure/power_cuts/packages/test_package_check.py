"""States of an update of packages: wholly old, wholly new, and what is neither."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES
from atomic_lib.measure.power_cuts.verdict import StateVerdict
from tests.measure.power_cuts.packages.package_machine import (
    ALPHA,
    BETA,
    CACHE,
    DATABASE,
    KEPT,
    MALFORMED,
    STAYS,
    PackageMachine,
    database,
    make_package_machine,
)

LOST = bytes(BLOCK_BYTES)


def shown(found: StateVerdict) -> tuple[str, list[tuple[str, str]]]:
    return found.outcome, [(damage.part, damage.problem) for damage in found.damage]


def test_both_versions_are_whole_at_the_ends(machine: PackageMachine) -> None:
    assert shown(machine.checker.check(machine.before)) == ("version 1", [])
    assert shown(machine.checker.check(machine.after)) == ("version 2", [])
    assert [change.name for change in machine.checker.changes] == ["alpha", "beta"]
    assert machine.checker.whole_counts == (8, 9)


def test_a_database_that_is_behind_its_files_is_mixed(machine: PackageMachine) -> None:
    state = machine.with_database(machine.after, "alpha-1", "beta-2", "stays-1", after=True)
    assert shown(machine.checker.check(state)) == (
        "mixed", [("packages", "alpha: the database has the old one, all files are of the new one")],
    )  # fmt: skip


def test_a_database_that_is_ahead_of_its_files_is_mixed(machine: PackageMachine) -> None:
    state = machine.with_database(machine.before, "alpha-2", "beta-1", "stays-1")
    assert shown(machine.checker.check(state)) == (
        "mixed", [("packages", "alpha: the database has the new one, all files are of the old one")],
    )  # fmt: skip


def test_one_file_of_the_new_one_is_mixed(machine: PackageMachine) -> None:
    state = machine.with_content(machine.before, BETA, b"beta 2\n")
    assert shown(machine.checker.check(state)) == (
        "mixed", [("packages", f"beta: the database has the old one, {BETA}: another content of the same size")],
    )  # fmt: skip


def test_a_file_that_only_the_new_one_has_is_not_of_the_old_one(machine: PackageMachine) -> None:
    state = machine.with_database(machine.after, "alpha-2", "beta-1", "stays-1", after=True)
    state = machine.with_content(state, BETA, b"beta 1\n")
    assert shown(machine.checker.check(state)) == (
        "mixed", [("packages", "beta: the database has the old one, /usr/bin/beta-more: of the new one")],
    )  # fmt: skip


def test_one_package_of_each_version_is_mixed(machine: PackageMachine) -> None:
    state = machine.with_database(machine.before, "alpha-2", "beta-1", "stays-1")
    state = machine.with_content(state, ALPHA, b"alpha 2\n")
    assert shown(machine.checker.check(state)) == ("mixed", [("packages", "of both versions: alpha new, 1 old")])


@pytest.mark.parametrize(
    ("names", "said"), [(("beta-1", "beta-2"), "beta-1, beta-2"), ((), "none of it")], ids=["twice", "missing"]
)
def test_a_package_is_in_the_database_once(machine: PackageMachine, names: tuple[str, ...], said: str) -> None:
    contents = ({**machine.contents[1], **machine.contents[0]}, machine.contents[1])
    own = PackageMachine(machine.layout, machine.base, machine.update, contents, machine.checker)
    state = own.with_database(machine.before, "alpha-1", *names, "stays-1")
    assert shown(machine.checker.check(state)) == ("mixed", [("packages", f"beta: the database has {said}")])


def test_a_database_that_rpm_does_not_open_is_no_version(machine: PackageMachine) -> None:
    outcome, damage = shown(machine.checker.check(machine.with_content(machine.before, DATABASE, LOST)))
    assert outcome == "mixed"
    assert damage[0] == ("RPM database", "error: sqlite failure: file is not a database")


def test_a_database_that_is_not_verified_is_no_version(machine: PackageMachine) -> None:
    whole = database(machine.contents[0], "alpha-1", "beta-1", "stays-1").rstrip(b"\0")
    state = machine.with_content(machine.before, DATABASE, whole + f"\n{MALFORMED}".encode())
    assert shown(machine.checker.check(state)) == ("mixed", [("RPM database", "error: malformed")])


@pytest.mark.parametrize("path", ["/boot/grub/grub.cfg", "/boot/vmlinuz-6", "/boot/initramfs-6.img", "/sbin/init"])
def test_without_menu_kernel_initramfs_or_init_nothing_starts(machine: PackageMachine, path: str) -> None:
    outcome, damage = shown(machine.checker.check(machine.with_content(machine.after, path, LOST)))
    assert (outcome, [part for part, _ in damage]) == ("unbootable", ["boot"])
    assert damage[0][1].startswith(f"{path}: missing, or not whole")


@pytest.mark.parametrize(("path", "part"), [(STAYS, "packages"), ("/etc/own", "/etc"), (KEPT, "/var")])
def test_what_the_update_leaves_alone_must_be_whole(machine: PackageMachine, path: str, part: str) -> None:
    found = machine.checker.check(machine.with_content(machine.after, path, LOST))
    assert shown(found) == ("version 2", [(part, f"{path}: another content of the same size")])


@pytest.mark.parametrize("path", ["/etc/cache", CACHE])
def test_what_a_script_changes_meanwhile_does_not_matter(machine: PackageMachine, path: str) -> None:
    assert shown(machine.checker.check(machine.with_content(machine.before, path, LOST))) == ("version 1", [])


def test_a_package_that_stays_must_be_in_the_database(machine: PackageMachine) -> None:
    state = machine.with_database(machine.before, "alpha-1", "beta-1")
    assert shown(machine.checker.check(state)) == ("version 1", [("RPM database", "stays: not as it was")])


def test_each_content_of_a_database_is_read_once(machine: PackageMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.checker.check(machine.before)
    monkeypatch.setattr(type(machine.checker.databases), "_run", None)
    assert machine.checker.check(machine.with_content(machine.before, STAYS, LOST)).outcome == "version 1"


def test_a_file_that_is_not_as_its_header_says_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=f"alpha: not whole in the recorded update: {ALPHA}: another content"):
        make_package_machine(tmp_path, other={ALPHA: "alpha 3\n"})


def test_another_kernel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="another kernel, initramfs or menu"):
        make_package_machine(tmp_path, other={"/boot/vmlinuz-6": "another"})
