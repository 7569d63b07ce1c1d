"""The tables of the automatic return, of guests that went back and of one that did not."""

from atomic_lib.report.elements.cells import MISSING
from atomic_lib.report.tables.update import return_tables
from tests.guest.update.returns import outcome
from tests.guest.update.updates import AFTER, state
from tests.report.factory import texts


def test_each_fault_has_its_outcome_boots_and_seconds() -> None:
    rows = texts(return_tables.outcomes_table([outcome("kernel-panic"), outcome("nothing")]))
    assert rows[0][1:] == ["✓ version 1 runs, proven", "2", "1", "300.0 s", "2,400.0 s"]
    assert rows[1][1:4] == ["✓ version 2 runs, proven", "1", "0"]
    assert rows[0][0].startswith("a kernel panic")


def test_a_guest_that_is_not_where_it_should_be_is_seen() -> None:
    table = return_tables.outcomes_table([outcome("docker", state=state(AFTER))])
    assert texts(table)[0][1] == "✗ the guest runs version 2, not version 1"
    assert table.records[0]["as_expected"] is False


def test_what_the_guests_said_is_shown_with_their_faults() -> None:
    rows = texts(return_tables.said_table([outcome("unit", said=("a", "b")), outcome("docker", said=("<c>",))]))
    assert rows == [["unit", "a"], ["unit", "b"], ["docker", "<c>"]]


def test_the_proof_of_life_of_each() -> None:
    one = outcome("docker")
    other = outcome("unit", boot=one.guest.boot.model_copy(update={"checks": ()}))
    assert texts(return_tables.proofs_table([one, other])) == [["system is running", "✓ passed", MISSING]]


def test_what_is_not_measured_is_named() -> None:
    page = return_tables.NOT_MEASURED._repr_html_()
    assert all(word in page for word in ("hangs", "UEFI", "GRUB"))
