"""Sweep files: the grammar of a study's cells, packages in and out, and one error with its place for what is wrong."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.params.study_file import load_study, study_variants
from atomic_lib.params.sweep_file import Sweep, load_sweep, sweep_cells

SWEEP = """\
sweep: choices
cells:
  variant: small
  factors:
    agent:
      min-cloud-agent: {parts: one}
      cloud-init: {parts: two, agent: cloud-init}
    tools:
      none: {}
      some: {add: "htop tmux"}
    sudo:
      kept: {}
      none: {exclude: sudo}
  crossed: all
"""


def sweep_of(params: Path, text: str) -> Sweep:
    file = params / "choices.yaml"
    file.write_text(text)
    return load_sweep(file, params)


def test_all_factors_are_crossed_and_the_base_is_first(params: Path) -> None:
    cells = sweep_cells(sweep_of(params, SWEEP), params)
    assert len(cells) == 8
    assert [cells[0].name, cells[0].add, cells[0].exclude] == ["base", (), ()]
    last = next(cell for cell in cells if cell.name == "agent-cloud-init.tools-some.sudo-none")
    assert (last.variant.agent, last.variant.parts) == ("cloud-init", "two")
    assert (last.add, last.exclude) == (("htop", "tmux"), ("sudo",))


def test_a_list_of_cells_is_varied_besides_the_levels_alone(params: Path) -> None:
    text = SWEEP.replace("crossed: all", "also:\n    - {agent: cloud-init, sudo: none}")
    names = [cell.name for cell in sweep_cells(sweep_of(params, text), params)]
    assert names == ["base", "agent-cloud-init", "tools-some", "sudo-none", "agent-cloud-init.sudo-none"]


def test_words_of_common_parameters_and_of_levels_are_joined(params: Path) -> None:
    text = SWEEP.replace("variant: small", "variant: small\n  parameters: {exclude: less, parts: all}")
    cells = {cell.name: cell for cell in sweep_cells(sweep_of(params, text), params)}
    assert cells["sudo-none"].exclude == ("less", "sudo")
    assert cells["sudo-none"].variant.parts == "all one"


def test_overrides_override_the_levels(params: Path) -> None:
    cells = sweep_cells(sweep_of(params, SWEEP), params, {"content": "fedora"})
    assert {cell.variant.content for cell in cells} == {"fedora"}


def test_a_study_with_cells_is_a_sweep_of_the_same_variants() -> None:
    study = load_study("factors")
    cells = sweep_cells(load_sweep(PARAMS_DIRECTORY / "studies/factors.yaml"))
    made = {
        variant.variant: variant.parts for variant in study_variants(study) if variant.variant not in study.variants
    }
    assert {cell.name: cell.variant.parts for cell in cells} == made


def test_the_example_has_more_than_a_thousand_variants() -> None:
    assert len(sweep_cells(load_sweep(PARAMS_DIRECTORY / "sweeps/choices.yaml"))) == 1152


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sweep: choices", "swep: choices", "1: unknown key 'swep' (did you mean 'sweep'?)"),
        ("sweep: choices", "sweep: Choices", "1: sweep: 'Choices' is not accepted: must match"),
        ("variant: small", "variant: smal", "3: cells.variant: unknown variant 'smal' (did you mean 'small'?)"),
        (
            "agent: cloud-init",
            "agent: cloud-int",
            "7: cells.factors.agent.cloud-init: agent: 'cloud-int' is",
        ),
        ("exclude: sudo", "excludes: sudo", "unknown key 'excludes' (did you mean 'exclude'?)"),
        ("exclude: sudo", "exclud: sudo", "13: cells.factors.sudo.none: unknown key 'exclud' (did you mean"),
        ('add: "htop tmux"', "add: 3", "10: cells.factors.tools.some: add: 3 is not accepted: must be text"),
        ("crossed: all", "crossd: all", "14: cells: unknown key 'crossd' (did you mean 'crossed'?)"),
        ("crossed: all", "crossed: [agnt]", "14: cells: crossed: 'agnt' is not one of the factors: agent, tools, sudo"),
        (
            "crossed: all",
            "also: [{sudo: no-ne}]",
            "14: cells: also: sudo: 'no-ne' is not one of its levels: kept",
        ),
        ("crossed: all", "also: [{sud: none}]", "14: cells: also: 'sud' is not one of the factors: agent, tools, sudo"),
        ("    sudo:", "    variant:", "11: cells.factors.variant: is the name of the column"),
        ("cells:", "without_each: small\ncells:", "1: needs one of two keys: cells"),
        ("sweep: choices", "sweep: [", "not valid YAML"),
    ],
)
def test_what_is_not_accepted_is_named_with_its_line(params: Path, old: str, new: str, said: str) -> None:
    assert old in SWEEP
    with pytest.raises(WorkbookError) as caught:
        sweep_of(params, SWEEP.replace(old, new, 1))
    assert caught.value.message.startswith(f"{params / 'choices.yaml'}:")
    assert said in caught.value.message


def test_a_file_that_is_missing_is_named(params: Path) -> None:
    with pytest.raises(WorkbookError, match=r"none\.yaml: cannot be read"):
        load_sweep(params / "none.yaml", params)
