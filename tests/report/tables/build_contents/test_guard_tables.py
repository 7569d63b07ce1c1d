"""The tables of guards: each finding with its reason, and what no rule explains."""

from atomic_lib.measure.guards.image_guards import Guard, GuardFinding
from atomic_lib.report.tables.build_contents import guard_tables
from tests.report import factory
from tests.report.enriched import enriched
from tests.report.factory import plain


def test_the_table_of_an_image_names_each_finding_and_why_it_is_allowed() -> None:
    table = guard_tables.image_guards_table(enriched(factory.variant_result("atomic-min")))
    assert plain(table.caption) == "Guards: 2 findings, 1 unexplained"
    assert [[plain(cell.text) for cell in row] for row in table.rows] == [
        ["private keys", "✓ none", "", ""],
        ["set-uid, set-gid, capabilities", "/usr/bin/odd", "4755 root:root", "✗ not explained"],
        ["set-uid, set-gid, capabilities", "/usr/bin/su", "4755 root:root", "It becomes another user."],
    ]
    assert [row[-1].kind for row in table.rows] == ["text", "bad", "text"]
    assert [(record["found"], record["allowed"]) for record in table.records] == [
        ("/usr/bin/odd", False), ("/usr/bin/su", True),
    ]  # fmt: skip
    assert table.csv == "../guards.csv"


def test_the_ports_are_in_a_table_of_their_own() -> None:
    table = guard_tables.open_ports_table(enriched(factory.variant_result("atomic-min")))
    assert plain(table.caption) == "Open ports: 1 finding, 0 unexplained"
    assert [record["guard"] for record in table.records] == ["open-ports"]


def test_findings_that_are_not_named_are_counted() -> None:
    findings = tuple(GuardFinding(found=f"/{number}", detail="file 0666 root:root") for number in range(200))
    guard = Guard(guard="world-writable", found=900, unexplained=900, findings=findings)
    table = guard_tables.image_guards_table(
        factory.variant_result("atomic-min").model_copy(update={"guards": (guard,)})
    )
    assert plain(table.caption) == "Guards: 900 findings, 900 unexplained"
    assert [plain(note) for note in table.notes] == ["700 more findings not named here."]


def test_what_was_not_measured_has_no_table() -> None:
    result = factory.variant_result("atomic-min")
    assert "<table" not in guard_tables.open_ports_table(result)._repr_html_()
    assert "not measured" in guard_tables.image_guards_table(result)._repr_html_()
