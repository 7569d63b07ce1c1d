"""Tables of a chain of versions."""

from dataclasses import replace

from atomic_lib.pipeline.layers.version_chain import ImageLayer
from atomic_lib.report.tables.update import chain_tables
from tests.pipeline.layers.steps import STEP, made_step
from tests.report.factory import texts


def test_each_update_is_shown_against_the_least_possible() -> None:
    assert texts(chain_tables.chain_table([STEP, made_step("3")])) == [
        [version, "bash, runc", "60 of 64", "2,345,678", "1,234,567", "900,000", "2.61", "1.37", "✓ to the byte"]
        for version in ("2", "3")
    ]


def test_a_byte_that_was_not_predicted_is_seen() -> None:
    steps = [
        replace(STEP, layers=STEP.layers.model_copy(update={"same_files": False})),
        replace(STEP, objects=STEP.objects.model_copy(update={"same_files": False})),
    ]
    assert [row[-1] for row in texts(chain_tables.chain_table(steps))] == ["✗ not as predicted"] * 2


def test_an_update_with_nothing_new_has_a_ratio_all_the_same() -> None:
    step = replace(STEP, layers=STEP.layers.model_copy(update={"least_bytes": 0}))
    assert texts(chain_tables.chain_table([step]))[0][5] == "0"


def test_the_layers_that_changed_are_named() -> None:
    assert texts(chain_tables.changed_layers_table([STEP])) == [
        ["2", "the RPM database", "1,000"],
        ["2", "a, b, c, d, e, f and 2 more", "500"],
    ]


def test_a_layer_that_is_not_made_the_same_again_is_seen() -> None:
    layers = [ImageLayer(("bash",), 1_000), ImageLayer(("runc", "sudo"), 2_000)]
    assert texts(chain_tables.layers_table(layers, [True, False])) == [
        ["bash", "1", "1,000", "✓ identical"],
        ["runc, sudo", "2", "2,000", "✗ differs"],
    ]


def test_what_is_not_measured_is_named() -> None:
    page = chain_tables.NOT_MEASURED._repr_html_()
    assert all(word in page for word in ("engine", "casync", "kernel", "drawn"))
