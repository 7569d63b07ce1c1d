"""Studies: variants, baseline, steps and factors, and one error for all that does not fit."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.study_file import chosen_variant, fallback_variants, load_study, study_variants


def study_refusal(params: Path, text: str) -> WorkbookError:
    (params / "studies" / "all.yaml").write_text(text)
    with pytest.raises(WorkbookError) as caught:
        load_study("all", params)
    return caught.value


def test_a_study_names_its_variants_and_baseline(params: Path) -> None:
    text = "study: all\ntitle: All\nvariants: [small, large]\nbaseline: large\n"
    (params / "studies" / "all.yaml").write_text(text)
    study = load_study("all", params)
    assert (study.variants, study.baseline) == (("small", "large"), "large")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("variants: [small]\nbaseline: large\n", "baseline 'large' is not one of the variants: small"),
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
        f"there is no {params / 'variants' / 'smal.yaml'}"
    )


def test_faults_are_put_only_where_a_study_says_so(params: Path) -> None:
    text = "study: all\ntitle: All\nvariants: [small]\nbaseline: small\n"
    (params / "studies" / "all.yaml").write_text(text)
    assert not load_study("all", params).conformance
    (params / "studies" / "all.yaml").write_text(f"{text}conformance: true\n")
    assert load_study("all", params).conformance
    error = study_refusal(params, f"{text}conformance: 2\n")
    assert "conformance: 2 is not accepted: must be true or false" in error.message


def test_a_missing_study_lists_those_there_are(params: Path) -> None:
    (params / "studies" / "other.yaml").write_text("")
    with pytest.raises(WorkbookError) as caught:
        load_study("all", params)
    assert caught.value.message == f"{params / 'studies' / 'all.yaml'}: no such file"
    assert caught.value.hint == f"files in {params / 'studies'}: other.yaml"


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
        ("crossed: [a, b]", "crossed: [a, d]", "cells: crossed: 'd' is not one of the factors: a, b, c"),
        ("b: {one: {}, two: {parts: z}}", "b: {one: {}}", "cells: factors: 'b' needs at least two levels"),
        ("variant: large", "variant: larg", "cells: variant: unknown variant 'larg' (did you mean 'large'?)"),
        ("baseline: base", "baseline: bas", "baseline 'bas' is not one of the variants: small, base, "),
        ("variant: a-two.b-two", "variant: a-two.c-two", "steps 'a-two.c-two' is not one of the variants: "),
    ],
)
def test_a_factor_study_that_does_not_fit_is_refused(params: Path, old: str, new: str, message: str) -> None:
    assert old in FACTORS
    assert message in study_refusal(params, FACTORS.replace(old, new)).message


def test_a_level_that_sets_no_known_parameter_is_refused(params: Path) -> None:
    (params / "studies" / "all.yaml").write_text(FACTORS.replace("guest_cpus: 9", "guest_cpu: 9"))
    with pytest.raises(WorkbookError, match=r"all\.yaml: cells: c-two: unknown key 'guest_cpu' \(did you mean"):
        study_variants(load_study("all", params), params)


FALLBACK = "study: all\ntitle: All\nvariants: [small]\nbaseline: small\nparameters: {guest_cpus: 4}\nfallbacks: "


def test_a_fallback_need_not_be_a_variant_of_the_study(params: Path) -> None:
    (params / "studies" / "all.yaml").write_text(FALLBACK + "{small: large}\n")
    study = load_study("all", params)
    assert (study.names, study.fallbacks) == (("small",), {"small": "large"})
    made = fallback_variants(study, params, {"lock": "small.json", "guest_memory_mib": 1024})
    assert list(made) == ["large"]
    assert (made["large"].guest_cpus, made["large"].guest_memory_mib, made["large"].lock) == (4, 1024, "")


def test_a_cell_may_be_the_fallback_of_another(params: Path) -> None:
    (params / "studies" / "all.yaml").write_text(FACTORS + "fallbacks: {small: a-two, a-two: base}\n")
    made = fallback_variants(load_study("all", params), params)
    assert {name: variant.parts for name, variant in made.items()} == {"a-two": "y", "base": "x"}


@pytest.mark.parametrize(
    ("fallbacks", "message"),
    [
        ("{small: larg}", "fallbacks: small: unknown variant 'larg' (did you mean 'large'?): there is no "),
        ("{large: small}", "fallbacks: 'large' is not one of the variants: small"),
        ("{small: small}", "fallbacks: small: is a cycle: small -> small"),
        ("{small: large, large: small}", "fallbacks: small: is a cycle: small -> large -> small"),
        ("large", "fallbacks: 'large' is not accepted: "),
        ("{small: 3}", "fallbacks.small: 3 is not accepted: must be text"),
    ],
)
def test_fallbacks_that_do_not_fit_are_refused(params: Path, fallbacks: str, message: str) -> None:
    error = study_refusal(params, f"{FALLBACK}{fallbacks}\n")
    assert error.message.startswith(f"{params / 'studies' / 'all.yaml'}: {message}")


CHOICE = """\
study: all
title: All
variants: [small]
baseline: small
parameters: {boots_bios: 4}
fallbacks: {small: large}
cells:
  variant: small
  factors:
    cpus:
      one: {}
      two: {guest_cpus: 2}
"""


@pytest.mark.parametrize(
    ("name", "boots", "cpus"), [("small", 4, 1), ("large", 4, 1), ("base", 4, 1), ("cpus-two", 4, 2)]
)
def test_a_study_s_variants_cells_and_fallbacks_are_chosen_by_name(
    params: Path, name: str, boots: int, cpus: int
) -> None:
    (params / "studies/all.yaml").write_text(CHOICE)
    chosen = chosen_variant(name, "all", params=params)
    assert (chosen.variant, chosen.boots_bios, chosen.guest_cpus) == (name, boots, cpus)
    assert chosen_variant(name, "all", {"boots_bios": 9}, params).boots_bios == 9


def test_without_a_study_the_file_alone_is_chosen(params: Path) -> None:
    (params / "studies/all.yaml").write_text(CHOICE)
    assert chosen_variant("small", params=params).boots_bios == 1
    with pytest.raises(WorkbookError, match="unknown variant 'cpus-two'"):
        chosen_variant("cpus-two", params=params)


def test_a_name_that_the_study_has_not_is_refused(params: Path) -> None:
    (params / "studies/all.yaml").write_text(CHOICE)
    with pytest.raises(WorkbookError) as caught:
        chosen_variant("cpus-four", "all", params=params)
    assert caught.value.message == "study 'all' has no variant 'cpus-four'"
    assert caught.value.hint == "it has: large, small, base, cpus-two"
