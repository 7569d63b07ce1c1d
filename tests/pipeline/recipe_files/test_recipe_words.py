"""check and show: what they print and which status they end with."""

import json
from pathlib import Path

import pytest

from atomic_lib.cli import main
from atomic_lib.content.yum_repository import YumRepository
from atomic_lib.pipeline.recipe_files.recipe_words import settings_of
from atomic_lib.recipe.load import read_recipe
from atomic_lib.recipe.recipe import Recipe

BASE = "packages: [bash, tar]\nunits: [sshd.service]\npostprocess:\n  - |\n    #!/bin/bash\n    true\n"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "own.yaml").write_text("ref: own\ninclude: base.yaml\npackages: [nano]\ndocumentation: false\n")
    return tmp_path / "own.yaml"


def test_all_parameters_of_this_checkout_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    seen = capsys.readouterr().out.splitlines()
    assert {"✓ variant atomic-min", "✓ study default", "✓ content standin"} <= set(seen)


def test_each_recipe_has_a_line_and_each_problem_is_told(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text("ref: own\npackages: 5\n")
    (tmp_path / "worse.ks").write_text("%packages\nbash\n")
    words = [str(recipe), *(str(tmp_path / name) for name in ("bad.yaml", "worse.ks", "none.yaml"))]
    assert main(["check", *words]) == 1
    said = capsys.readouterr()
    assert said.out == f"✓ {recipe}: 3 packages, 0 groups, 0 notes\n"
    assert [line[2:] for line in said.err.splitlines() if line.startswith("✗ ")] == words[1:]
    assert "packages: must be a list" in said.err
    assert "%packages has no %end" in said.err
    assert "no such file" in said.err


def test_its_own_repositories_and_last_programs_are_shown(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (recipe.parent / "a.repo").write_text("[a]\nbaseurl=https://a.example/\n")
    (recipe.parent / "finalize.d").mkdir()
    (recipe.parent / "finalize.d/10-own").write_text("#!/bin/sh\n")
    (recipe.parent / "finalize.d/10-own").chmod(0o755)
    assert main(["show", str(recipe), "--json"]) == 0
    settings = json.loads(capsys.readouterr().out)["settings"]
    assert settings["repositories"] == ["a baseurl=https://a.example/"]
    program = "10-own (100755, 10 bytes, sha256 a8076d3d28d2…)"
    assert settings["finalization"] == {"programs": [program], "files they see": 5}
    assert main(["show", str(recipe)]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("  finalization")
    assert lines[at + 1 : at + 3] == ["    programs: 1 entry", "    files they see: 5"]


def test_a_recipe_is_shown_flat_with_its_places(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(recipe)]) == 0
    lines = [line.replace(f"{recipe.parent}/", "") for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "own.yaml: 2 files"
    assert {"packages (3)", "  bash  base.yaml:1", "  nano  own.yaml:3", "enabled units (1)",
            "  sshd.service  base.yaml:2", "scripts (1)", "  base.yaml:4  /bin/bash, 2 lines", "  documentation: False",
            "  ref: own"} <= set(lines)  # fmt: skip


def test_json_has_the_same(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(recipe), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {"name": "bash", "origin": [f"{recipe.parent}/base.yaml:1"]} in data["packages"]
    assert data["settings"] == {"ref": "own", "documentation": False}
    assert data["scripts"][0]["interpreter"] == "/bin/bash"


def test_scripts_say_where_they_run_and_what_becomes_of_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.ks"
    path.write_text(
        "%packages\nbash\n%end\n%post\nprintf '\f\u2028'\n%end\n%post --nochroot --erroronfail\na\nb\n%end\n"
    )
    assert main(["show", str(path)]) == 0
    said = capsys.readouterr().out
    assert f"  {path}:4  /bin/sh, 1 line, a failure is ignored\n" in said
    assert f"  {path}:7  /bin/sh, 2 lines, outside of the tree\n" in said
    assert main(["show", str(path), "--json"]) == 0
    scripts = json.loads(capsys.readouterr().out)["scripts"]
    assert [(one["in_tree"], one["stop_on_error"]) for one in scripts] == [(True, False), (False, True)]


def test_files_that_a_recipe_adds_are_shown_by_path_and_size(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (recipe.parent / "motd").write_text("hello\n")
    recipe.write_text(recipe.read_text() + "add-files:\n  - [motd, /usr/etc/motd]\n")
    assert main(["show", str(recipe), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["added_files"] == [
        "usr/etc/motd (100644, 6 bytes, sha256 5891b5b522d5…)"
    ]


def test_lists_of_settings_have_a_line_for_each_entry_and_accounts_are_counted(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(
        recipe.read_text()
        + "remove-from-packages:\n  - [bash, /usr/share/doc, /usr/share/man]\ninitramfs-args: [--add=a, --add=b]\n"
        + "check-groups:\n  type: data\n  entries:\n    root: 0\n    wheel: 10\n"
    )
    assert main(["show", str(recipe)]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("  initramfs_arguments (2)")
    assert lines[at + 1 : at + 3] == ["    --add=a", "    --add=b"]
    assert lines[lines.index("  removed_from_packages (1)") + 1] == "    bash /usr/share/doc /usr/share/man"
    assert lines[lines.index("  account_rules") + 1] == "    groups: 2 entries"


def test_repositories_that_a_recipe_brings_along_are_settings() -> None:
    own = YumRepository("own", "a.ks:3", baseurl=("https://a.example/", "https://b.example/"), cost=5, sslverify=False)
    assert settings_of(Recipe(files=(), packages=(), repositories=(own,))) == {
        "repositories": ["own baseurl=https://a.example/,https://b.example/ cost=5 sslverify=False"]
    }


@pytest.mark.parametrize(("option", "said"), [("", "signature checked"), (" --nogpg", "signature not checked")])
def test_a_commit_that_is_deployed_is_shown_as_one_setting(tmp_path: Path, option: str, said: str) -> None:
    path = tmp_path / "own.ks"
    path.write_text(f"ostreesetup{option} --osname=own --url=https://own.example/repo --ref=a/b\n")
    shown = settings_of(read_recipe(path))["ostree_source"]
    assert shown == f"own:a/b of https://own.example/repo, stateroot own, {said}"
