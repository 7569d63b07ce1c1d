"""States in which one thing is not whole: the check must see each of them, and nothing where all is whole."""

import struct
from pathlib import Path

import pytest

from atomic_lib.base import command
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState, Recorded
from atomic_lib.measure.power_cuts.verdict import StateVerdict
from tests.formats.disk.disk_image import ROOT_START
from tests.measure.power_cuts.machine import BOOT, KEPT, MENU, Machine, deployment, make_machine, object_of


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return make_machine(tmp_path_factory.mktemp("machine"))


def shown(found: StateVerdict) -> tuple[str, int, list[str]]:
    return found.outcome, found.versions, [damage.part for damage in found.damage]


def test_nothing_is_wrong_where_all_is_whole(machine: Machine) -> None:
    assert shown(machine.checker.check(machine.whole)) == ("version 2", 2, [])


def test_the_same_content_elsewhere_in_the_log_is_whole(machine: Machine) -> None:
    number = machine.block_of(f"{deployment(2)}/usr/bin/program")
    assert shown(machine.checker.check(machine.whole.with_blocks({number: machine.whole.block(number)}))) == (
        "version 2", 2, [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "outcome", "versions", "parts"),
    [
        (MENU, "unbootable", 0, ["boot"]),
        ("/boot/grub/grub.cfg", "unbootable", 0, ["boot"]),
        (f"{BOOT}-2/vmlinuz", "unbootable", 1, ["boot"]),
        (f"{BOOT}-2/initramfs", "unbootable", 1, ["boot"]),
        (f"{deployment(2)}/usr/bin/program", "unbootable", 1, ["deployment"]),
        (f"{BOOT}-1/vmlinuz", "version 2", 1, []),
        (f"{deployment(1)}/usr/bin/program", "version 2", 1, []),
        (f"{deployment(2)}/etc/own", "version 2", 2, ["/etc"]),
        (f"{deployment(1)}/etc/own", "version 2", 2, []),
        (KEPT, "version 2", 2, ["/var"]),
        ("/boot/loader.1/entries/1.conf", "version 2", 2, ["boot entries"]),
        ("/ostree/repo/refs/heads/own/1", "version 2", 2, ["repository"]),
    ],
)
def test_a_file_that_was_not_written_is_seen(
    machine: Machine, path: str, outcome: str, versions: int, parts: list[str]
) -> None:
    assert shown(machine.checker.check(machine.lost(path))) == (outcome, versions, parts)


def test_a_damaged_object_is_seen_for_each_name_of_its_commit(machine: Machine) -> None:
    found = machine.checker.check(machine.lost(object_of(1)))
    assert shown(found) == ("version 2", 2, ["repository"] * 2)
    assert {damage.problem.partition(" names")[0] for damage in found.damage} == {
        "/ostree/repo/refs/heads/own/1", f"deployment {'a' * 12}",
    }  # fmt: skip


def test_an_inode_that_was_not_written_is_seen(machine: Machine) -> None:
    number = machine.table_of(f"{deployment(2)}/usr/bin/program")
    state = machine.whole.with_blocks({number: bytes(BLOCK_BYTES)})
    assert shown(machine.checker.check(state))[0] == "unbootable"


def test_times_and_link_counts_do_not_matter(machine: Machine) -> None:
    number = machine.table_of(f"{deployment(2)}/usr/bin/program")
    table = bytearray(machine.whole.block(number))
    for place in range(0, BLOCK_BYTES, machine.layout.inode_bytes):
        for field in (0x08, 0x0C, 0x10, 0x1A):
            table[place + field] ^= 0xFF
    assert shown(machine.checker.check(machine.whole.with_blocks({number: bytes(table)}))) == ("version 2", 2, [])


def test_another_mode_or_size_is_seen(machine: Machine) -> None:
    path = f"{deployment(2)}/usr/bin/program"
    number = machine.table_of(path)
    for field in (0x00, 0x04):
        table = bytearray(machine.whole.block(number))
        for place in range(0, BLOCK_BYTES, machine.layout.inode_bytes):
            table[place + field] ^= 0x01
        assert shown(machine.checker.check(machine.whole.with_blocks({number: bytes(table)})))[0] == "unbootable"


def test_the_boot_loader_does_not_see_what_is_in_the_journal_only(machine: Machine, tmp_path: Path) -> None:
    menu = machine.block_of(MENU)
    (tmp_path / "menu").write_bytes(machine.whole.block(menu))
    journalled = bytearray(with_journal(machine, menu, tmp_path / "menu"))
    assert machine.checker.check(DiskState(Recorded(bytes(journalled), b""), {})).outcome == "version 2"
    journalled[menu * BLOCK_BYTES : (menu + 1) * BLOCK_BYTES] = bytes(BLOCK_BYTES)
    found = machine.checker.check(DiskState(Recorded(bytes(journalled), b""), {}))
    assert shown(found) == ("unbootable", 0, ["boot"])
    assert found.damage[0].problem == "/boot/loader/syslinux.cfg: no entry"


def test_the_kernel_sees_what_is_in_the_journal(machine: Machine, tmp_path: Path) -> None:
    program = machine.block_of(f"{deployment(2)}/usr/bin/program")
    (tmp_path / "lost").write_bytes(bytes(BLOCK_BYTES))
    found = machine.checker.check(DiskState(Recorded(with_journal(machine, program, tmp_path / "lost"), b""), {}))
    assert shown(found) == ("unbootable", 1, ["deployment"])


def test_a_journal_that_is_damaged_is_seen(machine: Machine) -> None:
    place = machine.whole[0 : len(machine.whole)].index(struct.pack(">II", 0xC03B3998, 4))
    state = machine.whole.with_blocks({place // BLOCK_BYTES: bytes(BLOCK_BYTES)})
    found = machine.checker.check(state)
    assert shown(found) == ("unbootable", 0, ["boot"])
    assert "journal has no superblock" in found.damage[0].problem


def with_journal(machine: Machine, block: int, content: Path) -> bytes:
    """The disk with a transaction in its journal that writes a block."""
    copy = content.with_name("copy.raw")
    copy.write_bytes(machine.base)
    target = block - ROOT_START // BLOCK_BYTES
    text = f"jo -c -v 3\njw -b {target} {content}\njc\n"
    command.run(["debugfs", "-w", "-f", "-", f"{copy}?offset={ROOT_START}"], input=text, timeout_seconds=30)
    return copy.read_bytes()
