"""Requirements taken apart: what they ask for, and all that they name."""

import pytest

from atomic_lib.formats.rpm_capabilities import named_capabilities, wanted_capabilities


@pytest.mark.parametrize(
    ("text", "present", "names"),
    [
        ("bash", "", ["bash"]),
        ("bash >= 5.2-1", "", ["bash"]),
        ("libc.so.6(GLIBC_2.34)(64bit)", "", ["libc.so.6(GLIBC_2.34)(64bit)"]),
        ("/bin/sh", "", ["/bin/sh"]),
        ("(a or b)", "", ["a", "b"]),
        ("(a >= 1:2-3 or b < 4)", "", ["a", "b"]),
        ("(libx.so.1()(64bit) or (b and c(y)))", "", ["libx.so.1()(64bit)", "b", "c(y)"]),
        ("(a if b)", "b", ["a"]),
        ("(a if b)", "a", []),
        ("(a if b >= 2 else c)", "", ["c"]),
        ("(a unless b)", "b", []),
        ("(a unless b else c)", "b", ["c"]),
        ("(a unless b)", "", ["a"]),
        ("(a if (b and c))", "b", []),
        ("(a if (b and c))", "b c", ["a"]),
        ("(a if (b or c))", "c", ["a"]),
        ("((a and b) if c else d)", "c", ["a", "b"]),
        ("(a without b)", "", ["a"]),
        ("(a with b)", "", ["a", "b"]),
        ("(a", "", ["a"]),
        ("()", "", []),
        ("", "", []),
        ("   ", "", []),
    ],
)
def test_the_capabilities_that_a_requirement_asks_for(text: str, present: str, names: list[str]) -> None:
    assert wanted_capabilities(text, lambda name: name in present.split()) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("bash", ["bash"]),
        ("libc.so.6(GLIBC_2.34)(64bit)", ["libc.so.6(GLIBC_2.34)(64bit)"]),
        ("(python3dist(requests) >= 2 if libfoo(x86-64))", ["libfoo(x86-64)", "python3dist(requests)"]),
        ("((a and b) if c else d)", ["a", "b", "c", "d"]),
        ("", []),
    ],
)
def test_all_names_of_a_requirement(text: str, names: list[str]) -> None:
    assert sorted(named_capabilities(text)) == names
