"""Names in entries of packages, and in a kickstart that a treefile includes."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.source import read_text
from atomic_lib.recipe.treefile_rules.package_entries import KickstartPackages, names_in, read_kickstart_packages


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("bash", ["bash"]),
        (" efitools\tpesign\n sbsigntools ", ["efitools", "pesign", "sbsigntools"]),
        ("'podman >= 4.1'", ["podman >= 4.1"]),
        ("bash 'podman >= 4.1' vim-minimal", ["bash", "podman >= 4.1", "vim-minimal"]),
        ("'a >= 1' 'b >= 2'", ["a >= 1", "b >= 2"]),
        ("corge'quuz >= 1.0'x", ["corge", "quuz >= 1.0", "x"]),
        ("/usr/sbin/zipl kernel-6.9.11-100.fc39", ["/usr/sbin/zipl", "kernel-6.9.11-100.fc39"]),
    ],
)
def test_quotes_anywhere_keep_a_name_together(entry: str, names: list[str]) -> None:
    assert names_in(entry) == names


def test_a_missing_quote_is_refused() -> None:
    with pytest.raises(WorkbookError, match="a single quote is missing"):
        names_in("bash 'podman >= 4.1")


def read(directory: Path, text: str, **others: str) -> KickstartPackages:
    for name, content in others.items():
        (directory / f"{name}.ks").write_text(content)
    (directory / "list.ks").write_text(text)
    return read_kickstart_packages(directory / "list.ks", read_text)


def test_a_kickstart_gives_its_packages(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "# comment\n%packages --exclude-weakdeps\nvim-minimal\n\n#sed\n-nano\n%end\n%include more.ks\n",
        more="\n%packages\n sed \n%end\n",
    )
    assert found.problems == []
    assert (found.packages, found.excludes) == (["vim-minimal", "sed"], ["nano"])
    assert found.exclude_weak_dependencies


def test_a_form_feed_ends_no_line_of_a_kickstart(tmp_path: Path) -> None:
    found = read(tmp_path, "%packages\n\fvim\nse\fd\n%end\nlang en_US\n")
    assert found.packages == ["vim"]
    assert [where.rpartition(":")[2] for where, _ in found.problems] == ["3", "5"]


def test_all_else_of_a_kickstart_is_named_with_its_line(tmp_path: Path) -> None:
    text = "lang en_US\n%packages --nocore\n@core\nbash sed\n%end\n%post\n%packages\nbash\n"
    problems = read(tmp_path, text).problems
    assert [(where.rpartition(":")[2], message.partition(":")[0]) for where, message in problems] == [
        ("1", "lang"), ("2", "%packages --nocore"), ("3", "@core"), ("4", "bash sed"), ("6", "%post"),
        ("7", "%packages has no %end"),
    ]  # fmt: skip


def test_a_kickstart_that_is_missing_names_who_includes_it_and_does_not_end_the_reading(tmp_path: Path) -> None:
    found = read(tmp_path, "%include no.ks\n%packages\nsed\n%end\n")
    (error,) = found.errors
    assert error.message == f"{tmp_path / 'list.ks'}:1: %include: no such file: {tmp_path / 'no.ks'}"
    assert found.packages == ["sed"]


def test_includes_of_kickstarts_end_at_a_depth(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number}.ks").write_text(f"%include {number + 1}.ks\n")
    found = read(tmp_path, "%include 0.ks\n%packages\nsed\n%end\n")
    assert [error.message.replace(f"{tmp_path}/", "") for error in found.errors] == [
        "49.ks:1: %include: includes are nested more than 50 levels deep"
    ]
    assert found.packages == ["sed"]
