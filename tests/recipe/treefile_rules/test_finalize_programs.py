"""Programs of finalize.d: which are run, in which order, and what they see."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.tree import recipe_inputs
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.treefile import read_treefile
from atomic_lib.recipe.treefile_rules import finalize_programs

MINIMAL = "ref: a/b\npackages: [bash]\ninclude: sub/base.yaml\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in {"a.yaml": MINIMAL, "sub/base.yaml": "", "data/motd": "hello\n", ".git/HEAD": "x"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("20-own", "sub/10-base", "sub/20-own"):
        program = tmp_path / name.replace("sub/", "sub/finalize.d/" if "sub" in name else "")
        program = program if "sub" in name else tmp_path / "finalize.d" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n# {name}\n")
        program.chmod(0o755)
    return tmp_path


def read(directory: Path) -> Recipe:
    return read_treefile(directory / "a.yaml")


def test_programs_run_by_name_and_those_of_an_included_file_replace_others(directory: Path) -> None:
    last = read(directory).finalization
    assert last is not None
    assert [(one.path, one.content.split()[2]) for one in last.programs] == [
        ("10-base", b"sub/10-base"), ("20-own", b"sub/20-own")
    ]  # fmt: skip
    assert {"data/motd", "a.yaml", "sub/base.yaml"} <= {file.path for file in last.files}
    assert not any(file.path.startswith(".git") for file in last.files)


def test_the_programs_beside_an_included_kickstart_run_too(directory: Path) -> None:
    (directory / "sub/list.ks").write_text("%packages\nvim\n%end\n")
    (directory / "a.yaml").write_text("ref: a\ninclude: sub/list.ks\n")
    last = read(directory).finalization
    assert last is not None
    assert [one.path for one in last.programs] == ["10-base", "20-own"]
    assert last.programs[1].content.split()[2] == b"sub/20-own"


def test_the_programs_and_what_they_see_are_in_the_key_of_the_tree(directory: Path) -> None:
    before = recipe_inputs(read(directory))
    (directory / "data/motd").write_text("other\n")
    after = recipe_inputs(read(directory))
    assert before != after
    (directory / "sub/finalize.d/10-base").write_text("#!/bin/sh\n")
    assert recipe_inputs(read(directory)) != after


def test_what_is_not_executable_is_noted_and_what_runs_too(directory: Path) -> None:
    program = directory / "finalize.d/20-own"
    program.chmod(0o644)
    ignored, ran = sorted(read(directory).notes)
    assert ignored == f"{program} has no effect: it is not executable, and rpm-ostree does not run it either"
    assert ran.startswith("finalize.d: 10-base, 20-own: run with the build tools")


def test_a_program_from_elsewhere_and_too_large_a_directory_are_refused(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finalize_programs, "MOST_FILES", 3)
    (directory / "finalize.d/30-link").symlink_to("/bin/sh")
    with pytest.raises(WorkbookError) as caught:
        read(directory)
    link, size = caught.value.message.splitlines()
    assert "30-link: /" in link
    assert "outside of the recipe's directory" in link
    assert "has more than 3 files" in size
