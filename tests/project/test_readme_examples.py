"""The README's examples of recipes from anywhere work as printed."""

import shlex
from pathlib import Path

import pytest

from atomic_lib import entry
from atomic_lib.cli import main
from atomic_lib.pipeline import why_and_without
from atomic_lib.pipeline.recipe_files import own_recipes, recipe_diff
from atomic_lib.pipeline.study import study_run
from atomic_lib.pipeline.verify import verify

README = Path(__file__).parents[2] / "README.md"
RECIPES = {
    "host.yaml": "ref: own/host\ninclude: base.yaml\npackages: [bash]\n",
    "base.yaml": "packages: [tar]\n",
    "cloud.ks": "lang C.UTF-8\n%packages\nbash\ndocker.io\n%end\n%post\ntrue\n%end\n",
}
READERS = ("check", "show", "convert", "diff")


def examples() -> list[str]:
    """The commands of that section, without their comments."""
    block = README.read_text().partition("### Use a recipe of your own")[2].split("```")[1].removeprefix("sh\n")
    return [line.partition("#")[0].strip() for line in block.splitlines()]


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The recipes of the examples in the current directory; the variants that a command would build are kept here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(own_recipes, "BUILD", tmp_path / "build")
    monkeypatch.setattr(entry, "is_inside", lambda: True)
    for name, text in RECIPES.items():
        Path(name).write_text(text)
    built: list[str] = []

    def build(_: object, variant: object = None, **options: object) -> int:
        loaded = [variant] if variant else own_recipes.variants_named(["host.yaml", "cloud.ks"])
        built.extend(str(getattr(one, "recipe", one)) for one in loaded)
        return 0

    monkeypatch.setattr(study_run, "run_study", build)
    monkeypatch.setattr(why_and_without, "print_why", build)
    monkeypatch.setattr(verify, "verify", build)
    monkeypatch.setattr(recipe_diff, "package_differences", lambda *_, **__: None)
    return built


@pytest.mark.parametrize("line", examples())
def test_an_example_is_accepted(line: str, seen: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    program, *words = shlex.split(line)
    assert program == "./workbook"
    assert main(words) == (1 if words[0] == "diff" else 0)
    if words[0] in READERS:
        assert {"bash", "tar", "cloud.ks:"} & set(capsys.readouterr().out.split())
    else:
        assert seen
        assert seen[0] == "host"


def test_all_commands_that_take_a_recipe_are_shown() -> None:
    assert [line.split()[1] for line in examples()] == [
        "check", "show", "convert", "diff", "run", "why", "verify",
    ]  # fmt: skip
