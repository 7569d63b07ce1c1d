"""How a kickstart becomes lines: scripts byte for byte, includes, and input that no file should have."""

import os
import random
import re
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from atomic_lib.recipe.recipe import Recipe

PACKAGES = b"%packages --nocore\nbash\n%end\n"
SAMPLE = """\
#version=F41
lang C
url --url=https://a.example/
repo --name=own --baseurl=https://b.example/ --cost=3
user --name=ada --groups=wheel,own(5) --uid=7
part / --size=900 --grow
services --enabled=sshd --disabled=b
%packages --nocore
bash
@one --optional
-@two
%end
%post --interpreter=/bin/bash
echo 1
%end
"""
PIECES = (
    b"\0", b"\x1b[2J", b"\xff", b"\r\n", b"\x0c", b"'", b'"', b"%end\n", b"%post\n", b"%packages\n", b"--", b"=", b"-1",
    b"%include a.ks\n", b"99999999999999999999", b"\xe2\x80\xa8", b"#version=F9\n", b"logvol / ", b"@^", b"$(a)",
)  # fmt: skip
"""What a mutated kickstart gets somewhere."""


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
        (b"\x1b]0;own C\n" + PACKAGES, "a.ks:1: command '\\x1b]0;own' is not supported"),
        (b"%packages --nocore\nba sh\x1b[2J\n%end\n", "a.ks:2: %packages: ba sh\\x1b[2J: must be one package"),
        (b"la\0ng C\n" + PACKAGES, "a.ks:1: command 'la\\x00ng' is not supported"),
        (b"#version=F12\nraid / --device=md_a --level=1 raid.1 raid.2\n%packages\nbash\n%end\n", "a.ks:2: raid: "),
        (b"lang C\n\xff\xfe\n" + PACKAGES, "a.ks: not UTF-8 text (byte 7)"),
        (("lang C\n" + PACKAGES.decode()).encode("utf-16"), "a.ks: not UTF-8 text (byte 0)"),
        (b"\xef\xbb\xbf" + PACKAGES, "a.ks:1: begins with a byte order mark"),
        (b"%packages --nocore\nba\0sh\n%end\n", "a.ks:2: %packages: ba\\x00sh: must be one package or one @group"),
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


def test_a_chain_of_200_includes_is_refused_with_its_place(tmp_path: Path) -> None:
    for number in range(200):
        word = ("%include", "%ksappend")[number % 2]
        (tmp_path / f"{number}.inc").write_text(f"{word} {number + 1}.inc\n")
    message = refusal(tmp_path, b"%ksappend 0.inc\n" + PACKAGES).message
    assert re.search(r"^\S+/\d+\.inc:1: %(include|ksappend): more than 1000 includes, or 50 in one another$", message)


def test_sections_may_be_repeated(tmp_path: Path) -> None:
    text = b"%packages --nocore\nbash\n%end\n%packages --excludedocs --nocore\nvim\n%end\n"
    recipe = read(tmp_path, text + b"%post\none\n%end\n%post\none\n%end\n")
    assert (recipe.packages, recipe.documentation) == (("bash", "vim"), False)
    assert [script.text for script in recipe.post_scripts] == ["one\n", "one\n"]


def test_mutated_kickstarts_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    chosen = random.Random(13)
    messages = []
    for _ in range(150):
        data = bytearray(SAMPLE.encode())
        for _ in range(chosen.randint(1, 6)):
            place = chosen.randrange(len(data))
            data[place : place + chosen.choice([0, 1, 30])] = chosen.choice(PIECES)
        try:
            read(tmp_path, bytes(data))
        except WorkbookError as error:
            messages.append(error.message)
    assert len(messages) > 50
    assert [message for message in messages if not message.replace("\n", "").isprintable()] == []
