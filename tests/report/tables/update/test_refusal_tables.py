"""The tables of updates with a fault."""

from typing import get_args

from atomic_lib.guest.refusals.update_cases import CASES, Way
from atomic_lib.report.tables.update import refusal_tables
from tests.guest.refusals.cases import OBJECTS, VERSION_1, attempt, guest, result
from tests.report.factory import texts

AGAIN = result("dies", "download", repeat=attempt(0, "", OBJECTS))


def test_each_way_has_its_words() -> None:
    assert {*refusal_tables.COMMANDS} == {*get_args(Way)}


def test_each_case_has_its_outcome() -> None:
    rows = texts(refusal_tables.results_table([result("unsigned"), result("dies"), AGAIN]))
    assert rows[0][:4] == ["the commit has no signature", "ostree admin upgrade", "✓ refused", "nothing"]
    assert rows[0][5] == "1.5 s"
    assert [row[2] for row in rows[1:]] == ["✓ failed, and went on later", "✓ failed, and began anew later"]


def test_what_was_accepted_or_changed_is_seen() -> None:
    moved = VERSION_1.model_copy(update={"refs": ("other",), "etc": "other"})
    table = refusal_tables.results_table([result("unsigned", first=attempt(0, "", 0), after=moved)])
    assert texts(table)[0][2].startswith("✗ was accepted; ")
    assert texts(table)[0][3] == "refs, etc"
    assert table.records[0]["as_expected"] is False


def test_what_is_downloaded_again_is_counted_where_there_is_a_second_attempt() -> None:
    deploy = result("full-disk-deploy", "deploy", repeat=attempt(0, "", 0))
    rows = texts(refusal_tables.resumed_table([result("unsigned"), result("dies"), AGAIN, result("gone"), deploy]))
    assert [row[2:5] for row in rows] == [["67", "34", "33"], ["67", "34", "67"], ["67", "0", "67"], ["67", "0", "0"]]
    assert [row[6] for row in rows] == [
        "34 of 67 objects", "0 of 67 objects", "there was nothing to keep", "67 of 67 objects",
    ]  # fmt: skip


def test_what_the_administrator_saw_is_shown_line_by_line() -> None:
    said = attempt(1, "error: <a>\nno signatures found", 0)
    rows = texts(refusal_tables.said_table([result("unsigned", first=said)]))
    assert rows == [
        ["unsigned", "ostree admin upgrade", "error: <a>"],
        ["unsigned", "ostree admin upgrade", "no signatures found"],
    ]


def test_two_upgrades_and_the_proofs_of_life() -> None:
    found = guest()
    rows = texts(refusal_tables.twice_table(found))
    assert rows[0] == ["both commands", "✓ succeeded"]
    assert rows[1][1] == "Waiting for sysroot lock...; No update available."
    assert rows[3][1] == "✓ the repository is whole"
    failed = guest(twice=found.twice.model_copy(update={"status": 1, "fsck_status": 1}))
    assert [row[1][0] for row in texts(refusal_tables.twice_table(failed))][::3] == ["✗", "✗"]
    assert texts(refusal_tables.proofs_table(found)) == [["system is running", "✓ passed", "✓ passed"]]


def test_what_is_not_measured_is_named() -> None:
    assert CASES
    page = refusal_tables.NOT_MEASURED._repr_html_()
    assert all(word in page for word in ("revoked", "Static deltas", "dnf"))
