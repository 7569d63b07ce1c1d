"""README and the pages of docs: what they name exists, and their measured tables are those of their files."""

import argparse
import re
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.cli import command_parser
from atomic_lib.tools.mirror import choose_mirror
from benchmarks.docs import problems
from tests.project.test_structure import ROOMS

CHECKOUT = Path(__file__).parents[2]
README = CHECKOUT / "README.md"
PAGES = [README, CHECKOUT / "benchmarks/README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
LINES_MOST = 200
TOP_FOLDERS = "atomic_lib|benchmarks|docs|notebooks|params|tests"


def named(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def paths_in(text: str) -> list[str]:
    """Paths of the checkout in code spans; those with a placeholder in capitals aside."""
    spans = re.findall(r"`([^`\n]+)`", text)
    found = [path for span in spans for path in re.findall(rf"(?:^|\s)((?:{TOP_FOLDERS})/[\w./-]*)", span)]
    return [path for path in found if not re.search(r"\b[A-Z]{3,}\b", path)]


def test_paths_in_code_spans_are_found() -> None:
    text = "`params/base.yaml`, `papermill notebooks/x.ipynb out.ipynb`, `params/studies/NAME.yaml`, params/none.yaml"
    assert paths_in(text) == ["params/base.yaml", "notebooks/x.ipynb"]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_and_every_named_path_exists(page: Path) -> None:
    text = page.read_text()
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [path for path in paths_in(text) if not (CHECKOUT / path).exists()]
    assert missing == []


def test_the_readme_links_every_page() -> None:
    links = set(re.findall(r"\]\((docs/[^)]+)\)", README.read_text()))
    assert links == {named(page) for page in PAGES if page.parent.name == "docs"}


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= LINES_MOST


def test_the_first_paragraph_says_what_the_content_is() -> None:
    paragraph = README.read_text().split("\n\n")[1].replace("\n", " ")
    for words in ("stand-in", "Debian", "not the sizes", "does not run rpm-ostree"):
        assert words in paragraph


def test_the_two_commands_and_the_picture_stand_in_the_readme() -> None:
    text = README.read_text()
    assert re.search(r"^\./workbook run\b", text, re.MULTILINE)
    assert re.search(r"^\./workbook test\b", text, re.MULTILINE)
    assert "](notebooks/report.png)" in text


def test_the_quick_start_names_the_command_that_the_error_of_a_missing_mirror_names() -> None:
    with pytest.raises(WorkbookError) as caught:
        choose_mirror("")
    command = caught.value.hint.removeprefix("name one: ")
    assert f"`{command}`" in README.read_text().partition("## What is compared")[0]


def test_every_command_of_the_workbook_that_a_page_names_exists() -> None:
    usage = (CHECKOUT / "workbook").read_text()
    commands = {
        name for page in PAGES for name in re.findall(r"\./workbook (?:--mirror URL )?([a-z]+)", page.read_text())
    }
    assert {"run", "test", "why", "without", "verify", "equality", "lab"} <= commands
    assert [name for name in sorted(commands) if not re.search(rf"^  {name}\b", usage, re.MULTILINE)] == []


def options_of(name: str) -> set[str]:
    """The options of a command; none for one that passes all its words on, or that is not there."""
    (commands,) = (one for one in command_parser()._actions if isinstance(one, argparse._SubParsersAction))
    parser = commands.choices.get(name)
    hidden = argparse.SUPPRESS
    return {word for one in parser._actions if one.help != hidden for word in one.option_strings} if parser else set()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_option_that_a_page_names_with_its_command_exists(page: Path) -> None:
    lines = re.findall(r"\./workbook (?:--mirror URL |--no-install )?([a-z][a-z-]*)([^`\n#]*)", page.read_text())
    given = [(name, option) for name, words in lines for option in re.findall(r"(?<!\S)--[a-z-]+", words)]
    assert [pair for pair in given if pair[0] not in ("test", "lab") and pair[1] not in options_of(pair[0])] == []


@pytest.mark.parametrize("name", ["equality", "update", "power-cuts", "layers", "container", "release-notes"])
def test_the_help_of_the_launcher_has_each_option_of_a_page(name: str) -> None:
    usage = (CHECKOUT / "workbook").read_text()
    (told,) = re.findall(rf"^  {name} .*\n(?:   .*\n)*", usage, re.MULTILINE)
    assert [option for option in options_of(name) - {"-h", "--help"} if option not in told] == []


def test_the_design_lists_the_folders_of_the_library_in_the_order_of_their_imports() -> None:
    rows = re.findall(r"^\| `(atomic_lib/\w+)` \|", (CHECKOUT / "docs/design.md").read_text(), re.MULTILINE)
    assert rows == [f"atomic_lib/{room}" for room in ROOMS if (CHECKOUT / "atomic_lib" / room).is_dir()]


def test_the_default_study_is_described() -> None:
    table = re.findall(r"^\| `([\w-]+)`", README.read_text().partition("## How to")[0], re.MULTILINE)
    study = re.findall(r"^  - ([\w-]+)$", (CHECKOUT / "params/studies/default.yaml").read_text(), re.MULTILINE)
    assert set(study) <= set(table)


def test_every_measured_table_is_that_of_its_file() -> None:
    assert problems(CHECKOUT) == []
