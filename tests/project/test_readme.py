"""What the README points at is there."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_every_local_link_and_every_named_path_exists() -> None:
    text = (CHECKOUT / "README.md").read_text()
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    paths = [
        path for path in re.findall(r"`((?:params|notebooks|atomic_lib|tests)/[\w./-]+)`", text) if "NAME" not in path
    ]
    assert links
    assert paths
    missing = [name for name in (*links, *paths) if not (CHECKOUT / name).exists()]
    assert missing == []


def test_the_two_commands_stand_in_the_readme() -> None:
    text = (CHECKOUT / "README.md").read_text()
    assert re.search(r"^(sudo )?\./workbook run\b", text, re.MULTILINE)
    assert re.search(r"^\./workbook test\b", text, re.MULTILINE)
