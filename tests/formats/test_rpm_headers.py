"""Headers of RPMs read, and the closure of what they require."""

from atomic_lib.formats.rpm_headers import Header, PackagedFile, closure, parse_headers

LISTING = """\
package\t'app'\tRSA/SHA512, Sun Nov 22 21:36:06 2026, Key ID 7F2A21087AEF86D3
requires\t'base-files'
requires\t'(runtime >= 3.1 or other-runtime)'
provides\t'app'
file\t0100755\t51272\t1735689600\t\'\'\t'/usr/bin/app'
file\t0040755\t4096\t1735689600\t\'\'\t'/usr/share/with\ttab'
file\t0120777\t3\t1735689600\t'app'\t'/usr/bin/other'
file\t0120777\t9\t1735689600\t'tab\there\nfile\tit'\\\'\'s'\t'/usr/bin/odd'
package\t'glue'\t
requires\t'/usr/bin/app'
provides\t'runtime'
"""


def header(name: str, requires: str = "", provides: str = "", files: str = "") -> Header:
    """A header that requires and provides the names given."""
    packaged = {path: PackagedFile(0o100644, 0, 0) for path in files.split()}
    return Header(name, "", frozenset(requires.split()), frozenset(provides.split()), packaged)


def closed(names: str, *headers: Header) -> set[str]:
    return closure({one.name: one for one in headers}, names.split())


def test_a_listing_is_read() -> None:
    found = parse_headers(LISTING)
    assert list(found) == ["app", "glue"]
    assert found["app"].key_id == "7f2a21087aef86d3"
    assert found["app"].requires == {"base-files", "runtime", "other-runtime"}
    assert found["app"].files["/usr/bin/app"] == PackagedFile(0o100755, 51272, 1735689600)
    assert found["app"].files["/usr/share/with\ttab"].is_directory
    assert found["app"].files["/usr/bin/other"].target == "app"
    assert found["app"].files["/usr/bin/odd"].target == "tab\there\nfile\tit's"
    assert len(found["app"].files) == 4
    assert found["glue"].key_id == ""
    assert found["glue"].requires == {"/usr/bin/app"}


def test_nothing_is_read_from_nothing() -> None:
    assert parse_headers("") == {}


def test_the_closure_goes_through_names_capabilities_and_paths() -> None:
    app = header("app", "runtime /usr/bin/tool")
    others = (header("lib", provides="runtime"), header("tools", files="/usr/bin/tool"), header("more"))
    assert closed("app", app, *others) == {"app", "lib", "tools"}
    assert closed("runtime /usr/bin/tool", *others) == {"lib", "tools"}


def test_all_that_provide_the_same_are_in_it_and_a_circle_ends() -> None:
    assert closed("a", header("a", "x"), header("b", "a", "x"), header("c", provides="x")) == {"a", "b", "c"}


def test_names_that_are_not_there_bring_nothing() -> None:
    assert closed("gone a", header("a", "nobody-has-it")) == {"a"}
    assert closed("", header("a")) == set()


def test_packages_of_one_name_are_together_one() -> None:
    listing = (
        "package\t'libc'\tRSA/SHA256, Key ID 0123456789abcdef\nrequires\t'filesystem'\n"
        "file\t0100644\t5\t7\t''\t'/usr/lib/libc.so.6'\n"
        "package\t'libc'\t\nprovides\t'libc.so.6()(64bit)'\nfile\t0100644\t5\t7\t''\t'/usr/lib64/libc.so.6'\n"
    )
    (header,) = parse_headers(listing).values()
    assert header.key_id == "0123456789abcdef"
    assert header.requires == {"filesystem"}
    assert sorted(header.files) == ["/usr/lib/libc.so.6", "/usr/lib64/libc.so.6"]
    assert header.provides
