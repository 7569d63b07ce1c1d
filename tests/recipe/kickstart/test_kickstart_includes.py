"""Kickstarts of several files: the later line wins, and an error names the file and the line that includes it."""

from pathlib import Path

from atomic_lib.recipe.kickstart.kickstart_reader import read_kickstart
from tests.recipe.kickstart.kickstart_files import refusal, write


def test_a_tailored_kickstart_includes_its_base_and_wins(tmp_path: Path) -> None:
    base = write(
        tmp_path / "shared" / "base.ks",
        "lang C\nbootloader --timeout=5 --append=quiet\nservices --enabled=sshd,cloud-init\n"
        "%packages --nocore\nbash\nvim\n@tools\n%end\n%post\necho base\n%end\n",
    )
    more = write(tmp_path / "shared" / "more.inc", "docker\n")
    path = write(
        tmp_path / "top.ks",
        "%include shared/base.ks\nlang en_US.UTF-8\nbootloader --timeout=1\n"
        "services --enabled=docker --disabled=cloud-init\n"
        "%packages --nocore\n%include shared/more.inc\n-vim\n-@tools\n%end\n%post\necho top\n%end\n",
    )
    recipe = read_kickstart(path, "F41")
    assert recipe.files == (path, base, more)
    assert recipe.locale == "en_US.UTF-8"
    assert (recipe.kernel_arguments, recipe.boot_loader_timeout_seconds) == ("quiet", 1)
    assert recipe.enabled_units == ("docker.service",)
    assert recipe.disabled_units == ("cloud-init.service",)
    assert (recipe.packages, recipe.excludes, recipe.groups) == (("bash", "docker"), ("vim",), ())
    assert [(script.text, script.source) for script in recipe.post_scripts] == [
        ("echo base\n", f"{base}:9"),
        ("echo top\n", f"{path}:10"),
    ]
    assert recipe.notes == ()


def test_an_include_cycle_names_the_chain(tmp_path: Path) -> None:
    a, b = tmp_path / "a.ks", tmp_path / "sub" / "b.ks"
    write(a, "lang C\n%include sub/b.ks\n")
    write(b, "%include ../a.ks\n")
    back = tmp_path / "sub" / ".." / "a.ks"
    assert refusal(a).message == f"{b}:1: %include: include cycle: {a} includes {b} includes {back}"


def test_the_same_file_may_be_included_twice(tmp_path: Path) -> None:
    write(tmp_path / "list.inc", "bash\n")
    path = write(tmp_path / "a.ks", "%packages --nocore\n%include list.inc\n%include list.inc\n%end\n")
    assert read_kickstart(path, "F41").packages == ("bash",)


def test_a_missing_include_names_the_line_that_asks_for_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ks", "lang C\n%include base.ks\n")
    error = refusal(path)
    assert error.message == f"{path}:2: %include: no such file: {tmp_path / 'base.ks'}"
    assert error.hint == f"{tmp_path} has: a.ks"
