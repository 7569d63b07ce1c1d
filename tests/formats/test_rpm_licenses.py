"""What the headers of RPM files say of licences."""

from pathlib import Path

from atomic_lib.formats.rpm_licenses import parse_licenses, read_licenses
from atomic_lib.tools.sandbox import Tools


def test_each_mark_begins_a_package() -> None:
    listing = "#\ta-0:1-1.x86_64\tMIT AND GPL-2.0-or-later\n#\tb-1:2-1.noarch\t see its copyright file\n"
    assert parse_licenses(listing, "#") == {
        "a-0:1-1.x86_64": "MIT AND GPL-2.0-or-later",
        "b-1:2-1.noarch": "see its copyright file",
    }


def test_a_licence_with_the_lines_of_another_package_stays_that_of_its_own() -> None:
    listing = "#\ta-0:1-1.x86_64\tMIT\nb-0:1-1.x86_64\tforged\n\n#\tb-0:1-1.x86_64\tBSD\n"
    assert parse_licenses(listing, "#") == {
        "a-0:1-1.x86_64": "MIT b-0:1-1.x86_64 forged",
        "b-0:1-1.x86_64": "BSD",
    }


def test_no_rpm_is_asked_where_there_are_none(tmp_path: Path) -> None:
    assert read_licenses(Tools(tmp_path / "no tools", ""), tmp_path) == {}
