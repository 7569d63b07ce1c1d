"""How a kickstart becomes lines: scripts byte for byte, includes, and input that no file should have."""

import os
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.recipe import Recipe

PACKAGES = b"%packages --nocore\nbash\n%end\n"


def read(directory: Path, text: bytes) -> Recipe:
    (directory / "a.ks").write_bytes(text)
    return read_kickstart(directory / "a.ks", "F41")


def refusal(directory: Path, text: bytes) -> WorkbookError:
    with pytest.raises(WorkbookError) as caught:
        read(directory, text)
    return caught.value


@pytest.mark.parametrize(
    "script",
    [
        b"printf 'one\x0ctwo\x0b\x1c\x1d\x1e three'\n",
        "printf 'one\u2028two\u2029three\x85four'\n".encode(),
        b"echo a\r\necho b\r\n",
        b"echo 'a\rb'\n",
        b"\n\n  # comment\n\n",
        b"%frobnicate\n\t%endless\n",
        b"cat <<'E'\n%packagesx\nlang en\nE\n",
    ],
)
def test_a_script_reaches_its_interpreter_byte_for_byte(tmp_path: Path, script: bytes) -> None:
    recipe = read(tmp_path, b"%post\n" + script + b"%end\n" + PACKAGES)
    assert [one.text.encode() for one in recipe.post_scripts] == ([script] if script.strip() else [])


def test_a_line_after_such_a_script_keeps_its_number(tmp_path: Path) -> None:
    error = refusal(tmp_path, "%post\necho 'a\u2028b\x0cc'\n%end\nlilo\n".encode() + PACKAGES)
    assert error.message.startswith(f"{tmp_path}/a.ks:4: command 'lilo'")


def test_a_kickstart_of_another_system_with_its_line_ends_is_read(tmp_path: Path) -> None:
    recipe = read(tmp_path, b"lang C\r\n%packages --nocore\r\nbash\r\n-vim\r\n%end\r\n")
    assert (recipe.locale, recipe.packages, recipe.excludes) == ("C", ("bash",), ("vim",))


@pytest.mark.parametrize("word", ["%include", "%ksappend"])
def test_an_included_file_is_read_where_it_is_named(tmp_path: Path, word: str) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more/list.inc").write_text("vim")  # without a line end
    (tmp_path / "more/script.inc").write_text("echo two\n%include last.inc\n")
    (tmp_path / "more/last.inc").write_text("echo three")
    text = f"%packages --nocore\nbash\n{word} more/list.inc\nzsh\n%end\n"
    text += f"%post\necho one\n{word} more/script.inc # why\necho four\n%end\n"
    recipe = read(tmp_path, text.encode())
    assert recipe.packages == ("bash", "vim", "zsh")
    assert recipe.post_scripts[0].text == "echo one\necho two\necho three\necho four\n"
    assert [path.name for path in recipe.files] == ["a.ks", "list.inc", "script.inc", "last.inc"]


def test_an_address_is_refused_with_what_to_do(tmp_path: Path) -> None:
    error = refusal(tmp_path, b"lang C\n%ksappend https://a.example/b.ks\n" + PACKAGES)
    assert error.message == (
        f"{tmp_path}/a.ks:2: %ksappend: https://a.example/b.ks is an address, and a recipe consists of files"
    )
    assert error.hint == "save the file beside this one, and include it from there"


def test_an_include_that_pre_would_write_is_refused_with_what_to_do(tmp_path: Path) -> None:
    error = refusal(tmp_path, b"%pre\necho part > /tmp/part-include\n%end\n%include /tmp/part-include\n" + PACKAGES)
    assert error.message.startswith(f"{tmp_path}/a.ks:4: %include: /tmp/part-include is outside of")
    assert "%pre does not run here" in error.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"%include a\0b\n" + PACKAGES, "a.ks:1: %include: the name of a file has a null byte"),
        (b"%include /dev/zero\n" + PACKAGES, "a.ks:1: %include: /dev/zero is outside of the recipe's directory"),
        (b"%include " + b"a" * 5000 + b"\n" + PACKAGES, "a.ks:1: %include: "),
        (b"lang \0\n" + PACKAGES, "a.ks:1: lang: '\\x00' is not a locale"),
        (b"la\0ng C\n" + PACKAGES, "a.ks:1: command 'la\\x00ng' is not supported"),
        (b"lang C\n\xff\xfe\n" + PACKAGES, "a.ks: not UTF-8 text (byte 7)"),
        (("lang C\n" + PACKAGES.decode()).encode("utf-16"), "a.ks: not UTF-8 text (byte 0)"),
        (b"%packages --nocore\nba\0sh\n%end\n", "a.ks:2: %packages: ba\0sh: must be one package or one @group"),
    ],
)
def test_input_that_no_file_should_have_is_one_error(tmp_path: Path, text: bytes, message: str) -> None:
    error = refusal(tmp_path, text)
    assert error.message.startswith(f"{tmp_path}/{message}")
    assert "\n" not in error.message


def test_includes_have_an_end(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number}.inc").write_text(f"%include {number + 1}.inc\n")
    assert "more than 1000 includes, or 50 in one another" in refusal(tmp_path, b"%include 0.inc\n").message
    for number in range(30):
        (tmp_path / f"{number}.inc").write_text(f"%include {number + 1}.inc\n" * 2)
    (tmp_path / "30.inc").write_text("")
    assert "more than 1000 includes" in refusal(tmp_path, b"%include 0.inc\n").message


def test_an_included_file_of_a_gigabyte_and_a_fifo_are_refused_at_once(tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.truncate(1 << 30)
    os.mkfifo(tmp_path / "fifo")
    assert "larger than" in refusal(tmp_path, b"%include large\n" + PACKAGES).message
    assert "not a regular file" in refusal(tmp_path, b"%include fifo\n" + PACKAGES).message
