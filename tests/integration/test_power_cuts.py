"""Power cuts during an upgrade without a container runtime: some hundred states of one recording.

One boot; then the states and ten repairs by e2fsck take about a minute. The controls and the update by dnf would be a
boot each: ``./workbook power-cuts`` makes them, and fails if they do not. Without a boot, in seconds: rpm opens
the database of the image of cloud-docker, and QEMU reaches the limit of a log.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from atomic_lib.formats.disk.ext4_layout import Layout, read_layout
from atomic_lib.formats.disk.gpt import read_partition_table
from atomic_lib.formats.disk.raw_disk import map_file
from atomic_lib.formats.disk_states.disk_state import BLOCK_BYTES, DiskState, Recorded
from atomic_lib.formats.disk_states.file_view import FileView
from atomic_lib.guest.vm import qemu
from atomic_lib.guest.vm.qemu import BOOT_MOUNT, WRITES_LOG
from atomic_lib.measure.power_cuts.mounted_state import FileDigests
from atomic_lib.measure.power_cuts.packages.database_in_state import DATABASE, RpmDatabases
from atomic_lib.measure.power_cuts.power_cut_states import PowerCutStates
from atomic_lib.pipeline.build import Build, open_build
from atomic_lib.pipeline.update.variant_power_cuts import PowerCuts
from atomic_lib.pipeline.update.variant_update import open_update
from atomic_lib.tools.context import open_context
from atomic_lib.tools.sandbox import Bind
from tests.integration.small import small_variant

pytestmark = pytest.mark.integration

STATES = 300


@pytest.fixture(scope="module")
def upgrade() -> PowerCutStates:
    return PowerCuts(open_update(small_variant(), "package config"), STATES, 0).upgrade


def test_hundreds_of_states_are_checked(upgrade: PowerCutStates) -> None:
    print(len(upgrade.cuts), "states,", round(upgrade.states_a_minute), "a minute,", dict(upgrade.outcomes))
    assert len(upgrade.cuts) >= 200
    kinds = Counter(cut.kind for cut in upgrade.cuts)
    assert kinds["at a flush"] > 50
    assert len(kinds) == 6
    assert upgrade.objects[1] > upgrade.objects[0] > 5000


def test_the_upgrade_begins_with_version_1_and_ends_with_version_2(upgrade: PowerCutStates) -> None:
    first, last = upgrade.cuts[0].verdict, upgrade.cuts[-1].verdict
    assert (first.outcome, first.versions, first.damage) == ("version 1", 1, ())
    assert (last.outcome, last.versions, last.damage) == ("version 2", 2, ())
    assert upgrade.cuts[0].step == "download"
    assert upgrade.cuts[-1].step == "shutdown"


def test_version_2_follows_version_1_and_version_1_does_not_come_back(upgrade: PowerCutStates) -> None:
    at_flush = [cut.verdict.outcome for cut in upgrade.cuts if cut.kind == "at a flush"]
    booted = [outcome for outcome in at_flush if outcome != "unbootable"]
    assert booted == sorted(booted)
    assert len(at_flush) - len(booted) <= 1


def test_all_that_a_cut_damages_is_what_the_boot_loader_reads(upgrade: PowerCutStates) -> None:
    print([(cut.kind, cut.step, cut.request, cut.verdict.damage) for cut in upgrade.damaged])
    assert {damage.part for cut in upgrade.damaged for damage in cut.verdict.damage} <= {"boot"}
    assert len(upgrade.damaged) < len(upgrade.cuts) / 10


def test_e2fsck_repairs_each_and_replays_the_journal_as_we_do(upgrade: PowerCutStates) -> None:
    assert len(upgrade.repairs) == 10
    assert sum(repair.other_blocks is not None for repair in upgrade.repairs) > 5
    assert [repair for repair in upgrade.repairs if repair.other_blocks or not repair.repaired] == []


@pytest.fixture(scope="module")
def image() -> Iterator[tuple[DiskState, Layout, Build]]:
    """The disk image of cloud-docker, as it is built."""
    build = open_build("cloud-docker")
    with map_file(build.image.raw_disk(build.context)) as disk:
        (root,) = [one for one in read_partition_table(disk, "image").partitions if one.name == "root"]
        yield DiskState(Recorded(disk, b""), {}), read_layout(disk, root.start, root.end, "image"), build


def test_rpm_opens_the_database_of_an_image(image: tuple[DiskState, Layout, Build]) -> None:
    state, layout, build = image
    databases = RpmDatabases(build.context.tools, FileDigests(layout))
    found = databases.read(FileView(state, layout))
    assert found.problem == ""
    assert {name: len(one) for name, one in found.packages.items()} == {
        package.name: 1 for package in build.rpm_set.lock.packages
    }
    files = [one for one in databases.files(FileView(state, layout)) if one.nevra.startswith("bash-")]
    shell = next(one for one in files if one.path == "/usr/bin/bash")
    inode = FileView(state, layout).lookup("/usr/bin/bash")
    assert inode is not None
    assert (shell.mode, shell.digest) == (inode.kind << 12 | inode.mode, FileView(state, layout).digest(inode))


@pytest.mark.parametrize("place", ["first", "middle"])
def test_a_database_that_lost_a_block_is_damaged(image: tuple[DiskState, Layout, Build], place: str) -> None:
    state, layout, build = image
    inode = FileView(state, layout).lookup(f"{DATABASE}/rpmdb.sqlite")
    assert inode is not None
    _, start, count, _ = inode.data[0]
    number = layout.start // BLOCK_BYTES + start + (count // 2 if place == "middle" else 0)
    lost = FileView(state.with_blocks({number: bytes(BLOCK_BYTES)}), layout)
    found = RpmDatabases(build.context.tools, FileDigests(layout)).read(lost)
    print(found.problem)
    assert found.problem


def test_qemu_survives_a_log_that_is_full(tmp_path: Path) -> None:
    tools = open_context().tools
    (tmp_path / WRITES_LOG).touch()
    with open(tmp_path / "writes", "w") as writes:
        writes.write("".join(f'qemu-io disk "write {place}M 1M"\n' for place in range(3)) + "quit\n")
    words = " ".join(qemu._disk_arguments(log_writes=True))
    program = (
        f"cd {BOOT_MOUNT} && qemu-img create -q -f qcow2 disk.qcow2 8M && "
        f"prlimit --fsize=2000000 qemu-system-x86_64 -nodefaults -display none -monitor stdio {words} <writes"
    )
    said = tools.run(
        ["sh", "-c", program], binds=[Bind(tmp_path, BOOT_MOUNT, writable=True)], timeout_seconds=120
    ).stdout
    assert said.count("wrote 1048576/1048576") == 1
    assert said.count("File too large") == 2
    assert (tmp_path / WRITES_LOG).stat().st_size == 2000000
