"""Lines of tmpfiles.d: which files count, what each line creates."""

from pathlib import Path

import pytest

from atomic_lib.formats.disk.file_system import FileSystem, read_file_system
from atomic_lib.formats.tmpfiles import TmpfilesLine, escape, lines_of, path_of, read_tmpfiles, split_line
from tests.formats.disk.disk_image import make_raw


def configured(tmp_path: Path, **texts: str) -> FileSystem:
    """A file system with configuration by the names of its directories (``etc``, ``usr_lib``)."""
    for place, text in texts.items():
        directory = tmp_path / "content" / place.replace("_", "/") / "tmpfiles.d"
        directory.mkdir(parents=True)
        (directory / "a.conf").write_text(text)
    make_raw(tmp_path / "disk.raw", tmp_path / "content")
    return read_file_system(tmp_path / "disk.raw")


@pytest.mark.parametrize(
    ("line", "path", "found"),
    [
        ("d /var/lib 0755 root root -", "/var/lib", TmpfilesLine("directory", "0755", "root", "root", "")),
        ("q /var/tmp/ 1777", "/var/tmp", TmpfilesLine("directory", "1777", "", "", "")),
        ("L+ /var/link - - - - ../x", "/var/link", TmpfilesLine("link", "", "", "", "../x")),
        ("L /etc/link", "/etc/link", TmpfilesLine("link", "", "", "", "/usr/share/factory/etc/link")),
        ("C /etc/copy - - - - /usr/copy", "/etc/copy", TmpfilesLine("file", "", "", "", "/usr/copy", copied=True)),
        ("d '/var/a b' :0700 alice", "/var/a b", TmpfilesLine("directory", "0700", "alice", "", "")),
        (r"d /var/a\x20b", "/var/a b", TmpfilesLine("directory", "", "", "", "")),
        ("d /var//./run/x/", "/run/x", TmpfilesLine("directory", "", "", "", "")),
        ("d /var/100%%", "/var/100%", TmpfilesLine("directory", "", "", "", "")),
    ],
)
def test_a_line_says_what_is_created(tmp_path: Path, line: str, path: str, found: TmpfilesLine) -> None:
    assert read_tmpfiles(configured(tmp_path, usr_lib=f"# comment\n\n{line}\n")) == {path: found}


def test_lines_that_create_nothing_are_left_out(tmp_path: Path) -> None:
    text = "x /var/keep\nr /var/gone\nz /etc 0755\nd\nd '/var/unclosed\n"
    assert read_tmpfiles(configured(tmp_path, usr_lib=text)) == {}


def test_the_first_line_for_a_path_counts(tmp_path: Path) -> None:
    found = read_tmpfiles(configured(tmp_path, usr_lib="d /var/a 0700\nd /var/a 0755\n"))
    assert found["/var/a"].mode == "0700"


def test_a_file_of_etc_hides_the_one_of_usr(tmp_path: Path) -> None:
    found = read_tmpfiles(configured(tmp_path, etc="d /var/own\n", usr_lib="d /var/vendor\n"))
    assert list(found) == ["/var/own"]


ODD = [
    "it's", 'say "x"', "tab\there", "nl\nhere", "back\\slash", "end ", "50%", "%h", "d\udce9", "déjà", "\x01\x7f", "-",
    "a\\x41", "\x85",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_an_escaped_path_and_target_are_read_back(name: str) -> None:
    line = f"L /var/{escape(name)} - - - - {escape(name)}"
    assert lines_of(line) == [line]
    assert split_line(line) == ["L", f"/var/{name}", "-", "-", "-", "-", name]


@pytest.mark.parametrize(
    ("word", "text"), [("/var/a b", r"/var/a\x20b"), ("it's", r"it\x27s"), ("d\udce9", r"d\xe9"), ("déjà%", "déjà%%")]
)
def test_only_what_systemd_would_read_otherwise_is_escaped(word: str, text: str) -> None:
    assert escape(word) == text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r"d /a\tb\041\u00e9", ["d", "/a\tb!é"]),
        (r"d '/a b'\"c\"", ["d", '/a b"c"']),
        (r"""L /a - - - - it's "x" """, ["L", "/a", "-", "-", "-", "-", 'it\'s "x"']),
        ("  d\t/a  ", ["d", "/a"]),
        (r"d /a\q", []),
        (r"d /a\x00", []),
        ("d '/a", []),
        ("d /a\\", []),
        ("L /a - - - - \\q", []),
        ("d!- /a :~0755", ["d!-", "/a", ":~0755"]),
        ("d %S/a 01777", ["d", "%S/a", "01777"]),
        ("d /a 0999", []),
        ("d /a u=rwx", []),
        ("d /a 17777", []),
        ("dd /a", []),
        ("d a", []),
        ("d /a/../b", []),
    ],
)
def test_a_line_is_split_as_systemd_splits_it(line: str, words: list[str]) -> None:
    assert split_line(line) == words


@pytest.mark.parametrize(
    ("word", "path"),
    [("/var/a/", "/var/a"), ("//var//./a", "/var/a"), ("/var/run/a", "/run/a"), ("/var/run", "/var/run"),
     ("/var/runner", "/var/runner")],
)  # fmt: skip
def test_a_path_is_what_systemd_makes_of_it(word: str, path: str) -> None:
    assert path_of(word) == path


def test_a_line_ends_where_it_ends_for_systemd() -> None:
    assert lines_of("d /a\x85b\x1cc\n\rd /d\0d /e") == ["d /a\x85b\x1cc", "", "d /d", "d /e"]
