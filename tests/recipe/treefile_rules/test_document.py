"""One treefile as data: YAML 1.2, JSON, lines, and what is no treefile."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.treefile_rules.document import Document, parse_document


def of_yaml(text: str) -> Document:
    return parse_document(Path("a.yaml"), text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("off", "off"), ("yes", "yes"), ("True", True), ("false", False), ("TRUE", True),
        ("~", None), ("", None), ("null", None), ("012", "012"), ("0o12", 10), ("0x1f", 31), ("1_000", "1_000"),
        ("2024-10-24", "2024-10-24"), ("1:30", "1:30"), ("-3", -3), ("1.5", 1.5), ("4.10", 4.1), ("'5'", "5"),
        (".inf", float("inf")), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_yaml_has_the_types_of_its_version_1_2(text: str, value: object) -> None:
    found = of_yaml(f"key: {text}\n").values["key"]
    assert (found, type(found)) == (value, type(value))


def test_a_key_is_text_and_a_merge_key_is_none() -> None:
    assert of_yaml("yes: 1\n<<: {a: 2}\n12: 3\n").values == {"yes": 1, "<<": {"a": 2}, "12": 3}


@pytest.mark.parametrize("text", ["", "# nothing to override\n#packages: [foo]\n", "---\n", "null\n"])
def test_a_file_of_comments_says_nothing(text: str) -> None:
    assert of_yaml(text).values == {}


def test_keys_and_entries_of_yaml_have_lines() -> None:
    document = of_yaml("ref: a\npackages:\n  - bash\n  # why\n  - sed\n")
    assert [document.location("ref"), document.location("packages", 1)] == ["a.yaml:1", "a.yaml:5"]
    assert document.location("unknown") == "a.yaml"


def test_a_key_of_json_has_a_line_where_it_stands_in_the_text_once() -> None:
    document = parse_document(Path("a.json"), '{"ref": "a",\n "units" : [],\n "x": {"ref": 1}}')
    assert [document.location("units"), document.location("ref")] == ["a.json:2", "a.json"]
    assert document.is_json


def test_a_key_of_json_that_is_given_twice_is_named_and_one_deeper_is_not() -> None:
    document = parse_document(Path("a.json"), '{"m": {"b": 1, "b": 2}, "a": 1, "a": 2, "c": {"d": 1}}')
    assert document.twice == ("a",)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "ref: a\nref: b\n", "a.yaml:2: not valid YAML: duplicate key 'ref'"),
        ("a.yaml", "ref: a\nm: {b: 1, b: 2}\n", "a.yaml:2: not valid YAML: duplicate key 'b'"),
        ("a.yaml", "[a]: b\n", "a.yaml:1: not valid YAML: a key must be text"),
        ("a.yaml", "a: !!python/name:os.system x\n", "a.yaml:1: not valid YAML: could not determine a constructor for "
         "the tag 'tag:yaml.org,2002:python/name:os.system'"),
        ("a.yaml", "- a\n", "a.yaml:1: must be a mapping of keys to values"),
        ("a.yaml", "a: \0\n", "a.yaml: not valid YAML: unacceptable character #x0000: special characters are not "
         'allowed in "<unicode string>", position 3'),
        ("a.json", '{"a":\n x}', "a.json:2: not valid JSON: Expecting value"),
        ("a.json", "[]", "a.json: must be a mapping of keys to values"),
        ("a.json", "", "a.json:1: not valid JSON: Expecting value"),
        ("a.json", "\ufeff{}", "a.json:1: not valid JSON: begins with a byte order mark, which rpm-ostree refuses"),
        ("a.json", '{"a": ' + "9" * 5000 + "}", "a.json: not valid JSON: a number is too long"),
        ("a.yaml", "a: !!bool x\n", "a.yaml: not valid YAML: a value does not have the form of its tag"),
        ("a.yaml", "a: !!timestamp x\n", "a.yaml: not valid YAML: a value does not have the form of its tag"),
        ("a.json", '{"a": ' + "[" * 200 + "]" * 200 + "}", "a.json: values are nested more than 100 levels deep"),
        ("a.yaml", "a: " + "[" * 200 + "]" * 200, "a.yaml: values are nested more than 100 levels deep"),
        ("a.yaml", "a: " + "[" * 20000, "a.yaml: values are nested more than 100 levels deep"),
        ("a.json", '{"a": ' + "[" * 100000, "a.json: values are nested more than 100 levels deep"),
        ("a.json", '{"a": ["\\ud800"]}', "a.json: a text has half of a surrogate pair, which is no character"),
        ("a.json", '{"a": {"\\udc00": 1}}', "a.json: a text has half of a surrogate pair, which is no character"),
        ("a.json", '{"metadata": [NaN]}', "a.json: not valid JSON: NaN is no number of JSON"),
        ("a.yaml", 'a: "\\ud800"\n', "a.yaml: a text has half of a surrogate pair, which is no character"),
        ("a.yaml", f"a: 0x{'f' * 9999}", "a.yaml:1: not valid YAML: a number is too long"),
        ("a.yaml", "a: &x [*x]\n", "a.yaml: values are nested more than 100 levels deep"),
    ],
)  # fmt: skip
def test_what_is_no_treefile_is_refused_in_one_line(name: str, text: str, message: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        parse_document(Path(name), text)
    assert caught.value.message == message


def test_the_next_step_for_yaml_in_another_file_is_its_suffix() -> None:
    with pytest.raises(WorkbookError, match=r"a\.conf:1: not valid JSON") as caught:
        parse_document(Path("a.conf"), "packages: [bash]\n")
    assert "without the suffix .yaml or .yml is read as JSON" in caught.value.hint


def test_aliases_that_would_fill_the_memory_are_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    with pytest.raises(WorkbookError, match="has more than 200000 values, aliases of YAML followed"):
        of_yaml("\n".join(lines))
    assert len(of_yaml("\n".join(lines[:4])).values) == 4


def test_one_text_is_parsed_once() -> None:
    first = of_yaml("ref: once\n")
    assert of_yaml("ref: once\n") is first
    assert parse_document(Path("b.yaml"), "ref: once\n").location("ref") == "b.yaml:1"
    assert of_yaml("ref: twice\n").values == {"ref": "twice"}
