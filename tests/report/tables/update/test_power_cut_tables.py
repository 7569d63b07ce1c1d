"""The tables of power cuts: sums, the map, what is not whole, and what was booted."""

from atomic_lib.measure.power_cuts.booted_states import BootedState
from atomic_lib.measure.power_cuts.repair import Repair
from atomic_lib.report.elements.table import Table
from atomic_lib.report.tables.update import power_cut_tables
from tests.measure.power_cuts.states import LOST, MIXED, WHOLE_1, WHOLE_2, WORN, states_of
from tests.report.factory import plain

UPGRADE = states_of("none", WHOLE_1, WHOLE_1, WHOLE_1, LOST, WHOLE_2, WHOLE_2, WHOLE_2, WORN)
PACKAGES = states_of("dnf", WHOLE_1, MIXED, MIXED, WHOLE_2.model_copy(update={"versions": 1}))


def texts(table: Table) -> list[list[str]]:
    assert f'id="{table.anchor}"' in table._repr_html_()
    assert len(table.records) % len(table.rows) == 0
    return [[plain(cell.text) for cell in row] for row in table.rows]


def test_the_sums_of_each_recording() -> None:
    repairs = tuple(Repair(request=1, repaired=one, said="", other_blocks=0) for one in (True, False))
    table = power_cut_tables.summary_table(
        [UPGRADE.model_copy(update={"repairs": repairs}), states_of("no-fsync", WORN, WORN)]
    )
    assert texts(table) == [
        ["the upgrade", "50", "7", "8", "240", "4", "3", "0", "1", "1", "✗ 1 of 2"],
        ["control: ostree with fsync off", "50", "7", "2", "60", "2", "0", "0", "0", "2", "✓ 0 of 0"],
    ]
    assert [row[8].kind for row in table.rows] == ["bad", "good"]


def test_a_mixed_state_is_not_one_that_boots() -> None:
    (row,) = texts(power_cut_tables.summary_table([PACKAGES]))
    assert row[:9] == ["control: packages by dnf", "50", "7", "4", "120", "1", "1", "2", "0"]
    table = texts(power_cut_tables.map_table(PACKAGES))
    assert [row[3] for row in table] == ["version 1 boots", "mixed: packages"]


def test_ostree_and_dnf_stand_side_by_side() -> None:
    assert texts(power_cut_tables.side_by_side_table(UPGRADE, PACKAGES)) == [
        ["download", "at a flush", "2", "0", "0", "0", "1", "0", "0", "0"],
        ["download", "between flushes", "1", "0", "0", "1", "0", "0", "1", "0"],
        ["deploy, or install", "at a flush", "0", "2", "0", "0", "0", "0", "1", "0"],
        ["deploy, or install", "between flushes", "1", "1", "0", "0", "0", "1", "0", "0"],
    ]  # fmt: skip
    alone = power_cut_tables.side_by_side_table(UPGRADE, None)
    assert {len(row) for row in alone.rows} == {6}
    assert "--packages NAME" in power_cut_tables.map_table(None)._repr_html_()


def test_the_map_joins_flushes_after_which_the_same_can_happen() -> None:
    assert texts(power_cut_tables.map_table(UPGRADE)) == [
        ["0 to 0", "download", "2", "version 1 boots", "version 1 boots (1)"],
        ["10 to 10", "download", "2", "version 1 boots", "unbootable (1)"],
        ["20 to 20", "deploy, or install", "2", "version 2 boots, the other is in the menu",
         "version 2 boots, the other is in the menu (1)"],
        ["30 to 30", "deploy, or install", "2", "version 2 boots, the other is in the menu",
         "version 1 boots; not whole: repository (1)"],
    ]  # fmt: skip
    joined = texts(power_cut_tables.map_table(states_of("no-sync", *[WHOLE_1] * 12)))
    assert joined == [["0 to 20", "download", "6", "version 1 boots", "version 1 boots (3)"],
                      ["30 to 50", "deploy, or install", "6", "version 1 boots", "version 1 boots (3)"]]  # fmt: skip


def test_what_is_not_whole_is_named_by_part() -> None:
    assert texts(power_cut_tables.damage_table([UPGRADE])) == [
        ["the upgrade", "boot", "1", "after write 10, one missing", "no menu"],
        ["the upgrade", "repository", "1", "after write 30, one missing", "an object is empty"],
    ]
    empty = power_cut_tables.damage_table([states_of("none", WHOLE_1)])
    assert "Nothing: in each state all is whole." in empty._repr_html_()


def test_booted_states_are_held_against_the_check() -> None:
    booted = [
        BootedState(
            step="deploy",
            kind="one alone",
            request=5,
            kept=1,
            expected="unbootable",
            proof="default target",
            found=found,
        )
        for found in ("no kernel started", "version 1")
    ]
    assert texts(power_cut_tables.booted_table(booted)) == [
        ["after write 5, one alone", "deploy, or install", "unbootable", "✓ no kernel started", "GRUB's prompt"],
        ["after write 5, one alone", "deploy, or install", "unbootable", "✗ version 1", "GRUB's prompt"],
    ]
    assert "None was booted" in power_cut_tables.booted_table([])._repr_html_()
