"""Where a recipe may read: below its own directories, only regular files, which no error quotes."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.variant import Variant
from atomic_lib.recipe import source
from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.load import load_recipe
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.treefile import read_treefile

SECRET = "hunter2 'correct: [horse"
Reader = Callable[[Path, str], Recipe]


def included_treefile(directory: Path, name: str) -> Recipe:
    (directory / "own.yaml").write_text(f"ref: a/b\npackages: [bash]\ninclude: {name}\n")
    return read_treefile(directory / "own.yaml")


def script_of_a_treefile(directory: Path, name: str) -> Recipe:
    (directory / "own.yaml").write_text(f"ref: a/b\npackages: [bash]\npostprocess-script: {name}\n")
    return read_treefile(directory / "own.yaml")


def included_kickstart(directory: Path, name: str) -> Recipe:
    (directory / "own.ks").write_text(f"%include {name}\n%packages --nocore\nbash\n%end\n")
    return read_kickstart(directory / "own.ks", "F41")


READERS = pytest.mark.parametrize("read", [included_treefile, script_of_a_treefile, included_kickstart])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The directory of a recipe; a file that it has no business with lies beside it."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "recipe").mkdir()
    (tmp_path / "recipe/link").symlink_to("../secret")
    (tmp_path / "recipe/up").symlink_to("..")
    (tmp_path / "recipe/loop").symlink_to("loop")
    return tmp_path / "recipe"


@READERS
@pytest.mark.parametrize(
    "name",
    ["../secret", "{}/secret", "link", "up/secret", "/proc/self/environ", "/dev/stdin", "../nothing", "loop", "{}/a\0"],
)
def test_a_file_elsewhere_is_refused_whether_it_exists_or_not(directory: Path, read: Reader, name: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        read(directory, name.format(directory.parent))
    said = f"{caught.value.message} {caught.value.hint} {caught.value.log}"
    assert re.search("outside of the recipe's directory|cannot be read|null byte|NUL|special characters", said)
    assert "hunter2" not in said
    assert "secret" not in caught.value.hint


@READERS
def test_a_fifo_a_directory_and_a_large_file_are_refused_at_once(
    directory: Path, read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "LARGEST_BYTES", 2 << 20)
    os.mkfifo(directory / "fifo")
    with open(directory / "large", "wb") as file:
        file.truncate((2 << 20) + 1)
    with pytest.raises(WorkbookError, match="fifo: is not a regular file"):
        read(directory, "fifo")
    with pytest.raises(WorkbookError, match="large: is larger than 2 MiB"):
        read(directory, "large")
    with pytest.raises(WorkbookError, match=r"Is a directory|not a regular file"):
        read(directory, ".")


@READERS
def test_a_link_within_the_directory_is_followed(directory: Path, read: Reader) -> None:
    (directory / "below").mkdir()
    (directory / "below/empty").write_text("{}" if read is included_treefile else "\n")
    (directory / "inner").symlink_to("below/empty")
    assert directory / "inner" in read(directory, "inner").files


@pytest.mark.parametrize("read", [included_treefile, included_kickstart])
def test_what_cannot_be_read_as_a_recipe_is_not_quoted(directory: Path, read: Reader) -> None:
    (directory / "text").write_text(SECRET)
    with pytest.raises(WorkbookError) as caught:
        read(directory, "text")
    assert "text:1" in caught.value.message
    assert "horse" not in f"{caught.value.message} {caught.value.hint} {caught.value.log}"


@pytest.mark.parametrize(("method", "suffix"), [("ostree", "yaml"), ("traditional", "ks")])
def test_a_variant_can_name_further_directories(directory: Path, method: str, suffix: str) -> None:
    kind = {"yaml": "treefiles", "ks": "kickstarts"}[suffix]
    own = directory / kind
    own.mkdir(parents=True)
    other = directory.parent / "other"
    other.mkdir()
    (other / "part.yaml").write_text("ref: a/b\npackages: [bash]\n")
    (other / "part.ks").write_text("%packages --nocore\nbash\n%end\n")
    include = {"yaml": "include: {}\n", "ks": "%include {}\n"}[suffix]
    (own / f"small.{suffix}").write_text(include.format(other / f"part.{suffix}"))
    values = {"variant": "x", "method": method, "recipe": "small", "agent": "cloud-init"}
    with pytest.raises(WorkbookError, match=f"outside of the recipe's directory {directory}") as caught:
        load_recipe(Variant.model_validate(values), directory)
    assert "recipe_roots" in caught.value.hint
    assert load_recipe(Variant.model_validate({**values, "recipe_roots": str(other)}), directory).packages == ("bash",)


@pytest.mark.parametrize("language", ["%(touch /x)", "en\n%_dbpath /x", "en:%{lua:x}", "a b"])
def test_a_language_cannot_be_a_macro_of_rpm(directory: Path, language: str) -> None:
    (directory / "own.json").write_text(json.dumps({"ref": "a/b", "packages": ["a"], "install-langs": [language]}))
    with pytest.raises(WorkbookError, match=r"is not a language|has a control character"):
        read_treefile(directory / "own.json")
    (directory / "own.ks").write_text(f"%packages --nocore '--inst-langs={language}'\nbash\n%end\n")
    with pytest.raises(WorkbookError):
        read_kickstart(directory / "own.ks", "F41")


@pytest.mark.parametrize("key", ["units", "initramfs-args", "repos", "remove-files", "packages", "exclude-packages"])
def test_a_list_has_no_control_characters(directory: Path, key: str) -> None:
    values = {"ref": "a/b", "packages": ["a"], key: ["x\0.service"]}
    (directory / "own.json").write_text(json.dumps(values))
    with pytest.raises(WorkbookError, match=f"own.json:1: {key}: .* has a control character"):
        read_treefile(directory / "own.json")


@pytest.mark.parametrize("kind", ["file", "string", "kickstart", "included"])
def test_scripts_with_the_line_ends_of_windows_are_read_without_them(tmp_path: Path, kind: str) -> None:
    body = "set -e\r\necho a > /etc/x.conf\r\n"
    section = f"%post\r\n{body}%end\r\n"
    texts = {
        "file": ("own.yaml", "ref: a\npackages: [bash]\npostprocess-script: post.sh\n", f"#!/bin/bash -e\r\n{body}"),
        "string": ("own.json", json.dumps({"ref": "a", "packages": ["bash"], "postprocess": [body]}), ""),
        "kickstart": ("own.ks", f"%packages --nocore\r\nbash\r\n%end\r\n{section}", ""),
        "included": ("own.ks", "%packages --nocore\nbash\n%end\n%include post.sh\n", section),
    }
    name, text, other = texts[kind]
    (tmp_path / name).write_bytes(text.encode())
    (tmp_path / "post.sh").write_bytes(other.encode())
    recipe = read_kickstart(tmp_path / name, "F41") if name.endswith("ks") else read_treefile(tmp_path / name)
    assert recipe.packages == ("bash",)
    first = "#!/bin/bash -e\n" if kind == "file" else ""
    assert [script.text.lstrip() for script in recipe.post_scripts] == [f"{first}set -e\necho a > /etc/x.conf\n"]
    assert recipe.post_scripts[0].interpreter == ("/bin/bash -e" if kind == "file" else "/bin/sh")


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"a\rb\r\nc", "a\rb\nc"), (b"a\r\nb\n", "a\r\nb\n"), (b"a\r\n\r\nb\r\n", "a\n\nb\n"), (b"a\r", "a\r"), (b"", "")],
)
def test_only_where_all_line_ends_are_those_of_windows_they_are_changed(tmp_path: Path, data: bytes, text: str) -> None:
    (tmp_path / "text").write_bytes(data)
    assert source.read_text(tmp_path / "text") == text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\nb", ["a", "b"]),
        ("a\r\n\nb\n", ["a", "", "b"]),
        ("a\fb\x85c\u2028d\re\n", ["a\fb\x85c\u2028d\re"]),
        ("", [""]),
    ],
)
def test_a_line_ends_at_a_line_feed_only(text: str, lines: list[str]) -> None:
    assert source.lines_of(text) == lines


def test_a_directory_with_directories_only_has_no_files(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with pytest.raises(WorkbookError) as caught:
        source.read_text(tmp_path / "a.yaml")
    assert caught.value.hint == f"{tmp_path} has no files"
