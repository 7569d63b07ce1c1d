"""What a recipe says without effect, on the page of its build."""

from atomic_lib.report.tables.variant_tables import notes_table
from tests.report.factory import variant_result


def test_each_note_is_a_row_with_its_place() -> None:
    result = variant_result("atomic-min").model_copy(
        update={"notes": ("own.ks:3: zerombr has no effect: the disk is new", "the agent starts later")}
    )
    table = notes_table(result)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["own.ks:3", "zerombr has no effect: the disk is new"], ["the recipe", "the agent starts later"],
    ]  # fmt: skip
    assert "own.ks:3" in table._repr_html_()


def test_a_recipe_without_notes_says_so() -> None:
    assert notes_table(variant_result("atomic-min").model_copy(update={"notes": ()})).empty.startswith("Nothing")
