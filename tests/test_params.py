"""Parameters: one error that names file and key for everything papermill would let through."""

from pathlib import Path
from typing import Any

import pytest

from atomic_lib.errors import WorkbookError
from atomic_lib.params import (
    load_study,
    load_variant,
    parameter_values,
    read_yaml_mapping,
    study_variants,
    variant_from,
    variant_names,
)

BASE = "content: standin\nboots_bios: 1\n"
SMALL = "variant: small\nmethod: ostree\nrecipe: small\nagent: min-cloud-agent\n"


@pytest.fixture
def params(tmp_path: Path) -> Path:
    (tmp_path / "studies").mkdir()
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "large.yaml").write_text(SMALL.replace("small", "large"))
    return tmp_path


def refusal(*args: Any, **kwargs: Any) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        load_variant(*args, **kwargs)
    return caught.value


def study_refusal(params: Path, text: str) -> WorkbookError:
    (params / "studies" / "all.yaml").write_text(text)
    with pytest.raises(WorkbookError) as caught:
        load_study("all", params)
    return caught.value


def test_a_variant_lies_over_the_base_and_overrides_over_both(params: Path) -> None:
    (params / "small.yaml").write_text(SMALL + "boots_bios: 2\nguest_cpus: 3\n")
    assert load_variant("small", params).boots_bios == 2
    variant = load_variant("small", params, {"boots_bios": 7})
    assert (variant.boots_bios, variant.guest_cpus, variant.content) == (7, 3, "standin")


def test_the_values_are_flat_scalars_that_make_the_same_variant_again(params: Path) -> None:
    variant = load_variant("small", params)
    values = parameter_values(variant)
    assert all(isinstance(value, str | int | float | bool) for value in values.values())
    assert variant_from(values) == variant


def test_an_unknown_variant_lists_the_known_ones(params: Path) -> None:
    error = refusal("smal", params)
    assert error.message == f"unknown variant 'smal' (did you mean 'small'?): there is no {params / 'smal.yaml'}"
    assert error.hint == "choose one of: large, small"


def test_base_and_the_classes_are_no_variants(params: Path) -> None:
    (params / "classes.yaml").write_text("- name: kernel\n")
    assert variant_names(params) == ["large", "small"]
    assert refusal("base", params).message.startswith("unknown variant 'base'")


def test_a_misspelt_key_is_refused_with_the_closest_one(params: Path) -> None:
    path = params / "small.yaml"
    path.write_text(SMALL + "boot_bios: 2\n")
    error = refusal("small", params)
    assert error.message == f"{path}: unknown key 'boot_bios' (did you mean 'boots_bios'?)"
    assert error.hint.startswith("known keys: accelerator, agent, ")


def test_an_unknown_key_names_the_base_file_or_the_override(params: Path) -> None:
    assert refusal("small", params, {"xyzzy": 1}).message == "override: unknown key 'xyzzy'"
    (params / "base.yaml").write_text(BASE + "xyzzy: 1\n")
    assert refusal("small", params).message == f"{params / 'base.yaml'}: unknown key 'xyzzy'"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("method: ostre", "method: 'ostre' is not accepted: one of ostree, traditional"),
        ("agent: none", "agent: 'none' is not accepted: one of min-cloud-agent, cloud-init"),
        ("boots_bios: '2'", "boots_bios: '2' is not accepted: must be a whole number"),
        ("boots_bios: true", "boots_bios: True is not accepted: must be a whole number"),
        ("boots_bios: 1.5", "boots_bios: 1.5 is not accepted: must be a whole number"),
        ("boots_bios: -1", "boots_bios: -1 is not accepted: at least 0"),
        ("boots_bios: 101", "boots_bios: 101 is not accepted: at most 100"),
        ("boots_bios:", "boots_bios: None is not accepted: must be a whole number"),
        ("version: 22.1", "version: 22.1 is not accepted: must be text (in quotes, if it looks like a number)"),
        ("version: a/b", "version: 'a/b' is not accepted: it must match ^[0-9A-Za-z._-]+$"),
        ("recipe: ../x", "recipe: '../x' is not accepted: it must match ^[a-z0-9][a-z0-9.-]*$"),
        ("kernel_arguments: [quiet]", "kernel_arguments: ['quiet'] is not accepted: must be text (in quotes, if it "
         "looks like a number)"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_accepted_names_file_and_key(params: Path, line: str, message: str) -> None:
    path = params / "small.yaml"
    kept = [text for text in SMALL.splitlines() if text.split(":")[0] != line.split(":")[0]]
    path.write_text("\n".join([*kept, line]) + "\n")
    assert refusal("small", params).message == f"{path}: {message}"


def test_a_bad_value_in_the_base_is_blamed_on_the_base(params: Path) -> None:
    (params / "base.yaml").write_text("boots_uefi: many\n")
    expected = f"{params / 'base.yaml'}: boots_uefi: 'many' is not accepted: must be a whole number"
    assert refusal("small", params).message == expected
    assert refusal("small", params, {"boots_uefi": "0"}).message == (
        "override: boots_uefi: '0' is not accepted: must be a whole number"
    )


def test_a_missing_key_is_named(params: Path) -> None:
    path = params / "small.yaml"
    path.write_text("variant: small\nmethod: ostree\nrecipe: small\n")
    assert refusal("small", params).message == f"{path}: agent: is required"


def test_all_problems_come_at_once(params: Path) -> None:
    path = params / "small.yaml"
    path.write_text(SMALL.replace("ostree", "x") + "guest_cpus: 0\n")
    assert refusal("small", params).message.splitlines() == [
        f"{path}: method: 'x' is not accepted: one of ostree, traditional",
        f"{path}: guest_cpus: 0 is not accepted: at least 1",
    ]


def test_a_variant_must_be_named_as_its_file(params: Path) -> None:
    path = params / "small.yaml"
    path.write_text(SMALL.replace("variant: small", "variant: large"))
    assert refusal("small", params).message == f"{path}: variant: must be 'small', as the file is named, not 'large'"


def test_without_a_base_the_missing_file_is_named(params: Path) -> None:
    (params / "base.yaml").unlink()
    assert refusal("small", params).message == f"{params / 'base.yaml'}: no such file"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", ":3: not valid YAML: key 'a' is given twice"),
        ("a: 1\n b: [\n", ":2: not valid YAML: mapping values are not allowed here"),
        ("- a\n", ": must be a mapping of keys to values"),
        ("", ": must be a mapping of keys to values"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(WorkbookError) as caught:
        read_yaml_mapping(path)
    assert caught.value.message == f"{path}{message}"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: \xff\n")
    with pytest.raises(WorkbookError, match="cannot be read"):
        read_yaml_mapping(path)


def test_a_study_names_its_variants_and_baseline(params: Path) -> None:
    text = "study: all\ntitle: All\nvariants: [small, large]\nbaseline: large\n"
    (params / "studies" / "all.yaml").write_text(text)
    study = load_study("all", params)
    assert (study.variants, study.baseline) == (("small", "large"), "large")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("variants: [small]\nbaseline: large\n", "baseline 'large' is none of the variants: small"),
        ("variants: []\nbaseline: large\n", "variants: must not be empty"),
        ("variants: small\nbaseline: small\n", "variants: 'small' is not accepted: must be a list"),
        ("variants: [small, 3]\nbaseline: small\n", "variants.1: 3 is not accepted: must be text (in quotes, if it "
         "looks like a number)"),
        ("variants: [small]\n", "baseline: is required"),
        ("variants: [small]\nbaseline: small\nbase: x\n", "unknown key 'base' (did you mean 'baseline'?)"),
    ],
)  # fmt: skip
def test_a_study_that_is_not_accepted_names_file_and_key(params: Path, text: str, message: str) -> None:
    error = study_refusal(params, f"study: all\ntitle: All\n{text}")
    assert error.message == f"{params / 'studies' / 'all.yaml'}: {message}"


def test_a_study_of_an_unknown_variant_is_refused(params: Path) -> None:
    error = study_refusal(params, "study: all\ntitle: All\nvariants: [small, smal]\nbaseline: small\n")
    assert error.message == (
        f"{params / 'studies' / 'all.yaml'}: variants: unknown variant 'smal' (did you mean 'small'?): "
        f"there is no {params / 'smal.yaml'}"
    )


def test_a_missing_study_lists_those_there_are(params: Path) -> None:
    (params / "studies" / "other.yaml").write_text("")
    with pytest.raises(WorkbookError) as caught:
        load_study("all", params)
    assert caught.value.message == f"{params / 'studies' / 'all.yaml'}: no such file"
    assert caught.value.hint == f"{params / 'studies'} has: other.yaml"


FACTORS = """\
study: all
title: All
variants: [small]
baseline: base
parameters: {guest_cpus: 4}
steps: [{decision: what small has not, variant: a-two.b-two}]
cells:
  variant: large
  parameters: {last_stage: tree}
  crossed: [a, b]
  factors:
    a: {one: {parts: x}, two: {parts: y, boots_bios: 3}}
    b: {one: {}, two: {parts: z}}
    c: {one: {}, two: {guest_cpus: 9}, three: {}}
"""


def test_crossed_factors_are_combined_and_others_changed_alone(params: Path) -> None:
    (params / "studies" / "all.yaml").write_text(FACTORS)
    study = load_study("all", params)
    assert study.names == ("small", "base", "b-two", "a-two", "a-two.b-two", "c-two", "c-three")
    variants = {variant.variant: variant for variant in study_variants(study, params)}
    assert tuple(variants) == study.names
    both = variants["a-two.b-two"]
    assert (both.parts, both.boots_bios, both.guest_cpus, both.last_stage) == ("y z", 3, 4, "tree")
    assert both.recipe == "large"
    assert both.description == "a: two, b: two, c: one"
    assert variants["c-two"].guest_cpus == 9
    assert (variants["small"].guest_cpus, variants["small"].last_stage) == (4, "boot")


def test_overrides_lie_over_studies_and_levels(params: Path) -> None:
    (params / "studies" / "all.yaml").write_text(FACTORS)
    study = load_study("all", params)
    assert {variant.guest_cpus for variant in study_variants(study, params, {"guest_cpus": 2})} == {2}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("crossed: [a, b]", "crossed: [a, d]", "cells: crossed: 'd' is none of the factors: a, b, c"),
        ("b: {one: {}, two: {parts: z}}", "b: {one: {}}", "cells: factors: 'b' needs two levels or more"),
        ("variant: large", "variant: larg", "cells: variant: unknown variant 'larg' (did you mean 'large'?)"),
        ("baseline: base", "baseline: bas", "baseline 'bas' is none of the variants: small, base, "),
        ("variant: a-two.b-two", "variant: a-two.c-two", "steps 'a-two.c-two' is none of the variants: "),
    ],
)
def test_a_factor_study_that_does_not_fit_is_refused(params: Path, old: str, new: str, message: str) -> None:
    assert old in FACTORS
    assert message in study_refusal(params, FACTORS.replace(old, new)).message


def test_a_level_that_sets_no_known_parameter_is_refused(params: Path) -> None:
    (params / "studies" / "all.yaml").write_text(FACTORS.replace("guest_cpus: 9", "guest_cpu: 9"))
    with pytest.raises(WorkbookError, match="all.yaml: cells: c-two: unknown key 'guest_cpu' \\(did you mean 'guest_cpus'"):
        study_variants(load_study("all", params), params)
