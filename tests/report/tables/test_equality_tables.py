"""The tables of equality and of a release's changes."""

import os
import re
from dataclasses import replace
from pathlib import Path

from atomic_lib.formats.disk.file_system import FileEntry, FileSystem
from atomic_lib.measure.build_changes import Change
from atomic_lib.measure.equality_rules import EqualityRule
from atomic_lib.measure.file_system_comparison import Comparison, compare
from atomic_lib.report.elements.table import Table
from atomic_lib.report.tables import equality_tables
from tests.measure.test_equality_rules import entry
from tests.report.factory import plain

ODD = os.fsdecode(b"/odd \xff<\n>")
LABELLED = {"security.selinux": "system_u:object_r:etc_t:s0"}
RULE = EqualityRule(rule="the-rule", reason="It has to be there, as it is.", paths=("/ostree",), kinds=("added",))
UNUSED = EqualityRule(rule="unused", reason="It has to be there, as it is.", paths=("/nowhere",), kinds=("added",))


def side(entries: dict[str, FileEntry], outside: int = 0) -> FileSystem:
    numbered = {path: replace(one, inode=number) for number, (path, one) in enumerate(entries.items())}
    return FileSystem(Path("side"), numbered, outside)


def comparison(*, right_mode: int = 0o600) -> Comparison:
    left = side({"/a": entry(attributes=LABELLED), "/b": entry(), ODD: entry()})
    changed = {"/a": entry(mode=right_mode, attributes=LABELLED), "/b": entry(attributes=LABELLED)}
    link = entry("link", target="sysroot/ostree")
    right = side({**changed, ODD: entry(sha256="t"), "/ostree": link}, outside=7)
    return compare(left, right, [RULE, UNUSED])


def texts(table: Table) -> list[list[str]]:
    table._repr_html_().encode()  # an odd byte must not get as far as that
    return [[plain(cell.text) for cell in row] for row in table.rows]


def test_the_counts_say_how_much_was_compared_and_what_is_left() -> None:
    table = equality_tables.counts_table(comparison(), "one", "two")
    assert dict(texts(table)) == {
        "paths of one": "3",
        "paths of two, as its deployment shows them": "4",
        "paths on both sides": "3",
        "of which equal in everything": "0",
        "differences": "4",
        "explained by a rule": "1",
        "unexplained": "✗ 3",
    }
    assert "7 paths of the disk of two are outside its deployment" in table.notes[0]
    assert table.rows[-1][1].kind == "bad"


def test_nothing_unexplained_is_good() -> None:
    same = compare(side({"/a": entry()}), side({"/a": entry()}))
    assert equality_tables.counts_table(same, "one", "two").rows[-1][1].kind == "good"
    assert "None: a rule explains every difference." in equality_tables.unexplained_table(same)._repr_html_()


def test_what_is_left_is_named() -> None:
    table = equality_tables.unexplained_table(comparison(), "one", "two")
    assert table.header == ("path", "what", "one", "two")
    assert texts(table) == [
        ["/a", "mode", "0644", "0600"],
        ["/b", "label", "—", "system_u:object_r:etc_t:s0"],
        ["/odd \\xff<\\x0a>", "content", "s", "t"],
    ]
    assert [record["kind"] for record in table.records] == ["mode", "label", "content"]


def test_many_differences_are_cut_and_said_to_be() -> None:
    left = side({f"/{number}": entry() for number in range(250)})
    table = equality_tables.unexplained_table(compare(left, side({})))
    assert (len(table.rows), len(table.records)) == (200, 250)
    assert "and 50 more" in table.notes[0]


def test_each_rule_stands_with_its_count_and_its_reason() -> None:
    table = equality_tables.explained_table(comparison())
    assert texts(table) == [
        ["the-rule", "1", "/ostree: added: none ≠ link to sysroot/ostree", "It has to be there, as it is."]
    ]  # fmt: skip
    assert table.notes == ("Unused rules: unused.",)
    assert table.records[0]["path"] == "/ostree"


def test_labels_are_counted_where_they_differ() -> None:
    table = equality_tables.labels_table(comparison(right_mode=0o644), "one", "two")
    assert texts(table) == [
        ["paths on both sides with another label", "—", "1"],
        ["paths without a label", "2", "2"],
        ["etc_t", "1", "2"],
    ]


def test_changed_packages_are_shown() -> None:
    changes = [
        Change(name="bash", before="0:1-1.x86_64", after="0:2-1.x86_64"),
        Change(name="new", before="", after="0:1-1.noarch"),
    ]
    table = equality_tables.packages_changed_table(changes)
    assert texts(table) == [["bash", "0:1-1.x86_64", "0:2-1.x86_64"], ["new", "—", "0:1-1.noarch"]]
    assert "Packages: 2 changes" in table.caption
    assert "The packages are the same." in equality_tables.packages_changed_table([])._repr_html_()


def test_what_the_first_boot_made_has_tables_of_its_own() -> None:
    shown = equality_tables.after_boot(comparison(), "one", "two")._repr_html_()
    shown.encode()
    found = re.findall(r'<div class="block" id="([^"]*)"', shown)
    assert found == ["booted", "booted-unexplained", "booted-explained"]
    assert "✗ 3" in shown
    assert shown.count("booted once through BIOS") == 3
    assert "Read from the finished disk images" not in shown


def test_without_a_boot_the_way_to_one_is_told() -> None:
    shown = equality_tables.after_boot(None, "one", "two")._repr_html_()
    assert shown == "<p>Not booted. Set boot to true (./workbook equality --boot) to boot both.</p>"
