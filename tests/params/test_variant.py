"""Parameters: one error that names file and key for everything papermill would let through."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.schema import read_yaml_mapping
from atomic_lib.params.variant import load_variant, parameter_values, variant_from, variant_names
from tests.params.conftest import BASE, SMALL


def refusal(*args: Any, **kwargs: Any) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        load_variant(*args, **kwargs)
    return caught.value


def test_a_variant_lies_over_the_base_and_overrides_over_both(params: Path) -> None:
    (params / "variants/small.yaml").write_text(SMALL + "boots_bios: 2\nguest_cpus: 3\n")
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
    assert (
        error.message
        == f"unknown variant 'smal' (did you mean 'small'?): there is no {params / 'variants' / 'smal.yaml'}"
    )
    assert error.hint == "choose one of: large, small"


def test_base_and_the_classes_are_no_variants(params: Path) -> None:
    (params / "classes.yaml").write_text("- name: kernel\n")
    assert variant_names(params) == ["large", "small"]
    assert refusal("base", params).message.startswith("unknown variant 'base'")
    assert refusal("", params).message == f"unknown variant '': there is no {params / 'variants'}/.yaml"


def test_a_misspelt_key_is_refused_with_the_closest_one(params: Path) -> None:
    path = params / "variants/small.yaml"
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
        ("method: ostre", "method: 'ostre' is not accepted: must be one of ostree, traditional"),
        ("agent: none", "agent: 'none' is not accepted: must be one of min-cloud-agent, cloud-init, ignition, "
         "credentials"),
        ("boots_bios: '2'", "boots_bios: '2' is not accepted: must be a whole number"),
        ("boots_bios: true", "boots_bios: True is not accepted: must be a whole number"),
        ("boots_bios: 1.5", "boots_bios: 1.5 is not accepted: must be a whole number"),
        ("boots_bios: -1", "boots_bios: -1 is not accepted: must be at least 0"),
        ("boots_bios: 101", "boots_bios: 101 is not accepted: must be at most 100"),
        ("boots_bios:", "boots_bios: None is not accepted: must be a whole number"),
        ("version: 22.1", "version: 22.1 is not accepted: must be text (in quotes, if it looks like a number)"),
        ("version: a/b", "version: 'a/b' is not accepted: must match ^[0-9A-Za-z._-]+$"),
        ("recipe: ../x", "recipe: '../x' is not accepted: must match ^[a-z0-9][a-z0-9.-]*$"),
        ("kernel_arguments: [quiet]", "kernel_arguments: ['quiet'] is not accepted: must be text (in quotes, if it "
         "looks like a number)"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_accepted_names_file_and_key(params: Path, line: str, message: str) -> None:
    path = params / "variants/small.yaml"
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
    path = params / "variants/small.yaml"
    path.write_text("variant: small\nmethod: ostree\nrecipe: small\n")
    assert refusal("small", params).message == f"{path}: agent: is required"


def test_all_problems_come_at_once(params: Path) -> None:
    path = params / "variants/small.yaml"
    path.write_text(SMALL.replace("ostree", "x") + "guest_cpus: 0\n")
    assert refusal("small", params).message.splitlines() == [
        f"{path}: method: 'x' is not accepted: must be one of ostree, traditional",
        f"{path}: guest_cpus: 0 is not accepted: must be at least 1",
    ]


def test_a_variant_must_be_named_as_its_file(params: Path) -> None:
    path = params / "variants/small.yaml"
    path.write_text(SMALL.replace("variant: small", "variant: large"))
    assert refusal("small", params).message == f"{path}: variant: must match the file name: 'small', not 'large'"


def test_without_a_base_the_missing_file_is_named(params: Path) -> None:
    (params / "base.yaml").unlink()
    assert refusal("small", params).message == f"{params / 'base.yaml'}: no such file"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", ":3: not valid YAML: duplicate key 'a'"),
        ("a: 1\n b: [\n", ":2: not valid YAML: mapping values are not allowed here"),
        ("- a\n", ": must be a mapping of keys to values"),
        ("", ": must be a mapping of keys to values"),
        ("a: 2026-13-45\n", ": not valid YAML: a value cannot be read: ValueError('month must be in 1..12')"),
        ("a: !!bool x\n", ": not valid YAML: a value cannot be read: KeyError('x')"),
        ("a: !!timestamp x\n", ": not valid YAML: a value cannot be read: AttributeError(\"'NoneType' object has no "
                                "attribute 'groupdict'\")"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(WorkbookError) as caught:
        read_yaml_mapping(path)
    assert caught.value.message == f"{path}{message}"


@pytest.mark.parametrize("text", ["a: " + "[" * 5000, "a: " + "9" * 5000])
def test_a_value_that_python_does_not_read_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(WorkbookError, match=r"a\.yaml: not valid YAML: a value cannot be read: ") as caught:
        read_yaml_mapping(tmp_path / "a.yaml")
    assert "in quotes" in caught.value.hint


@pytest.mark.parametrize("value", ["a\0b", "a\ud800", "\udcff"])
def test_a_text_that_no_file_can_have_is_refused(params: Path, value: str) -> None:
    with pytest.raises(WorkbookError, match=r"^override: recipe_file: has a null byte, or half of a surrogate pair"):
        load_variant("small", params, {"recipe_file": value})
    text = json.dumps({"description": ["nested", value]})
    (params / "variants/small.yaml").write_text(f"{SMALL}{text[1:-1]}\n")
    assert refusal("small", params).message.startswith(f"{params / 'variants/small.yaml'}: description: has a null")


def test_of_a_value_that_aliases_make_long_the_beginning_is_shown(params: Path) -> None:
    """Millions of texts from a few lines: shown whole, they would fill the memory."""
    lines = [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in pairwise("abcdefgh")]
    (params / "variants/small.yaml").write_text("\n".join([SMALL, "a: &a [x]", *lines]))
    value = read_yaml_mapping(params / "variants/small.yaml")["h"]
    (params / "variants/small.yaml").write_text(SMALL)
    with pytest.raises(WorkbookError, match="override: version: ") as caught:
        load_variant("small", params, {"version": value})
    assert len(caught.value.message) < 10_000


def test_what_was_read_can_be_changed_and_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: [1]\n")
    found = read_yaml_mapping(path)
    assert isinstance(found["a"], list)
    found["a"].append(2)
    assert read_yaml_mapping(path) == {"a": [1]}
    path.write_text("a: [3]\n")
    assert read_yaml_mapping(path) == {"a": [3]}


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: \xff\n")
    with pytest.raises(WorkbookError, match="cannot be read"):
        read_yaml_mapping(path)


def test_updates_over_a_network_need_a_key_of_ones_own(params: Path) -> None:
    (params / "variants/small.yaml").write_text(SMALL + "remote_url: https://updates.example/repo\n")
    error = refusal("small", params)
    assert error.message.startswith(
        f"{params / 'variants' / 'small.yaml'}: remote_url: 'https://updates.example/repo' is not"
    )
    assert "gpg --armor --export-secret-keys" in error.message
    variant = load_variant("small", params, {"signing_key": "keys/own.asc"})
    assert (variant.remote_url, variant.signing_key) == ("https://updates.example/repo", "keys/own.asc")


def test_rpms_of_ones_own_are_signed_or_trusted_by_name(params: Path) -> None:
    both = {"local_rpms_key": "own.asc", "local_rpms_trusted": True}
    for given in ({}, both):
        error = refusal("small", params, {"local_rpms": "own", **given})
        assert error.message.startswith("override: local_rpms: 'own' needs one of two: ")
    for name, value in both.items():
        assert load_variant("small", params, {"local_rpms": "own", name: value}).local_rpms == "own"


@pytest.mark.parametrize("boots", [-1, 10, 1.5])
def test_a_new_version_gets_a_number_of_boots_of_one_digit(params: Path, boots: object) -> None:
    assert "automatic_return: " in refusal("small", params, {"automatic_return": boots}).message


def test_a_traditional_image_has_no_version_to_return_to() -> None:
    values = {"variant": "own", "recipe": "own", "agent": "cloud-init", "automatic_return": 2}
    assert variant_from({**values, "method": "ostree"}).automatic_return == 2
    with pytest.raises(WorkbookError, match="automatic_return: 2 is for method: ostree"):
        variant_from({**values, "method": "traditional"})


@pytest.mark.parametrize("url", ["", "ftp://updates.example/", "/srv/repo", "https://", "file:///srv/with space"])
def test_updates_come_from_a_directory_or_a_web_server(params: Path, url: str) -> None:
    assert "remote_url: " in refusal("small", params, {"remote_url": url, "signing_key": "own.asc"}).message


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("method", "traditional", "'ostree'"),
        ("recipe", "large", "'small'"),
        ("variant", "large", "'small'"),
        ("description", "another", "''"),
    ],
)
def test_an_override_that_contradicts_what_the_variant_is_names_the_file(
    params: Path, key: str, value: str, said: str
) -> None:
    error = refusal("small", params, {key: value})
    assert (
        error.message == f"override: {key}: {value!r} contradicts {params / 'variants/small.yaml'}, which says {said}"
    )
    assert str(params / "variants") in error.hint


def test_an_override_that_says_the_same_is_no_contradiction(params: Path) -> None:
    overrides = {"variant": "small", "method": "ostree", "recipe": "small", "description": ""}
    assert load_variant("small", params, overrides) == load_variant("small", params)
