"""The tables of "why is it here?" and "what would leave?"."""

from typing import Any

from atomic_lib.report.elements.table import Table
from atomic_lib.report.tables.build_contents.why_tables import (
    NOT_PREDICTED,
    consequences_table,
    departure_table,
    why_table,
)
from atomic_lib.solve.explain.graph import Link
from atomic_lib.solve.explain.without import Departure
from atomic_lib.solve.lock import LockedPackage
from atomic_lib.solve.solver import Solved
from tests.report.factory import plain

ENTRY = Link("recipe", "dnf", "dnf")
CHAINS = ((ENTRY, Link("requires", "librepo", "librepo")), (ENTRY, ENTRY, Link("file", "librepo", "/usr/bin/x")))


def departure(**changed: Any) -> Departure:
    leaves = (
        LockedPackage("big", 1, "2", "3", "x86_64", "s", 500_000, "r"),
        LockedPackage("small", 0, "2", "3", "noarch", "s", 1_000, "r"),
    )
    nothing: dict[str, Any] = dict.fromkeys(("comes", "changed", "entries", "members", "units"), ())
    return Departure(**{"asked": ("big",), "leaves": leaves, **nothing, **changed})


def texts(table: Table) -> list[list[str]]:
    return [[plain(cell.text) for cell in row] for row in table.rows]


def test_each_chain_is_a_row_and_each_link_a_record() -> None:
    table = why_table("librepo", CHAINS)
    assert texts(table)[0] == ["dnf", "2", "dnf (recipe) → librepo (requires)"]
    assert len(table.rows) == 2
    assert len(table.records) == 5
    assert table.records[-1] == {
        "package": "librepo", "chain": 2, "step": 3, "kind": "file", "to": "librepo", "by": "/usr/bin/x",
    }  # fmt: skip


def test_a_package_that_nothing_asks_for_is_said_to_be_one() -> None:
    assert "Nothing in the recipe requires it." in why_table("odd", ())._repr_html_()


def test_the_packages_that_leave_are_shown_by_size_with_their_sum() -> None:
    table = departure_table(departure(), {"small": (3_000_000, 7), "big": (40_000_000, 3), "other": (9, 9)})
    assert texts(table) == [
        ["big", "1:2-3.x86_64", "40.0 MB", "3", "0.5 MB"],
        ["small", "2-3.noarch", "3.0 MB", "7", "1.0 kB"],
        ["all", "", "43.0 MB", "10", "0.5 MB"],
    ]
    assert table.feet == 1
    assert [record["bytes"] for record in table.records] == [40_000_000, 3_000_000]
    assert NOT_PREDICTED in table.notes


def test_a_size_that_was_not_measured_is_a_dash_also_in_the_sum() -> None:
    table = departure_table(departure(), {"big": (40_000_000, 3)})
    assert [row[2].kind for row in table.rows] == ["number", "missing", "missing"]
    assert table.records[1]["bytes"] is None


def test_what_else_changes_is_told_or_said_to_be_none() -> None:
    changed = departure(
        comes=(Solved("next", "next-0:1-1.noarch", 10, 2_000_000),), changed=(("a-1", "a-2"),),
        entries=("big", "app"), members=("shell",), units=("app.service",),
    )  # fmt: skip
    shown = [row[1] for row in texts(consequences_table(changed, (5_000_000, 12)))]
    assert shown == [
        "next-0:1-1.noarch (2.0 MB)", "a-1 → a-2", "big, app", "shell", "app.service", "5.0 MB in 12 files now",
    ]  # fmt: skip
    assert [row[1] for row in texts(consequences_table(departure()))] == [*(["none"] * 5), "not measured"]


def test_of_many_names_the_first_ones_stand_in_the_caption() -> None:
    caption = departure_table(departure(asked=tuple("abcdefgh")), {}).caption
    assert caption == "Removed without a b c d e and 3 more: 2 packages"
