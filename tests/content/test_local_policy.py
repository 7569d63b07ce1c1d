"""The local policy module: each part has a comment, and all domains may follow the links of an ostree tree."""

import re
from pathlib import Path

import atomic_lib.content.standin
from atomic_lib.compose.ostree import TOPLEVEL_LINKS

DIRECTORY = Path(atomic_lib.content.standin.__file__).parent / "selinux"
MODULE = (DIRECTORY / "standin.cil").read_text()
OF_THE_POLICY = {"/home", "/srv"}
"""Links that have a type in the reference policy."""


def contexts() -> dict[tuple[str, str], str]:
    """The file contexts of the module: the type by pattern and kind of file; empty for paths without a label."""
    lines = re.findall(
        r'^\(filecon "([^"]+)" (\w+) \((?:system_u object_r (\w+) \(\(s0\) \(s0\)\))?\)\)$', MODULE, re.M
    )
    assert len(lines) == MODULE.count("(filecon ")
    return {(path, kind): name for path, kind, name in lines}


def type_of(path: str, kind: str) -> str | None:
    """As in libselinux for a sorted file: the last pattern that matches the whole path."""
    fitting = [
        name for (pattern, of), name in contexts().items() if of in (kind, "any") and re.fullmatch(pattern, path)
    ]
    return fitting[-1] if fitting else None


def test_every_link_of_an_ostree_tree_may_be_followed() -> None:
    links = {f"/{name}" for name in TOPLEVEL_LINKS} - OF_THE_POLICY
    assert {path: type_of(path, "symlink") for path in links} == dict.fromkeys(links, "root_t")
    assert {path for path, kind in contexts() if kind == "symlink"} == links


def test_what_is_shared_with_a_deployment_has_no_label_of_its_own() -> None:
    deployment = f"/ostree/deploy/own/deploy/{'0' * 64}.0"
    assert type_of("/ostree/repo/config", "file") == "root_t"
    assert type_of("/ostree/repo/objects/ab", "dir") == "root_t"
    assert type_of(f"/ostree/repo/objects/ab/{'c' * 62}.file", "file") == ""
    assert type_of(f"/ostree/repo/objects/ab/{'c' * 62}.commit", "file") == "root_t"
    assert type_of(deployment, "dir") == "root_t"
    assert type_of(f"{deployment}.origin", "file") == "root_t"
    assert type_of(f"{deployment}/etc/shadow", "file") == ""
    assert type_of("/ostree/deploy/own/var/lib/docker", "dir") == ""


def test_every_rule_has_its_reason_before_it() -> None:
    parts = [part for part in re.split(r"\n\s*\n", MODULE) if "(" in re.sub(r"^;.*$", "", part, flags=re.M)]
    assert parts
    assert [part for part in parts if not part.startswith(";")] == []
    assert MODULE.count("(") == MODULE.count(")")


def test_booleans_are_switched_on_each_with_its_reason() -> None:
    lines = (DIRECTORY / "booleans.local").read_text().splitlines()
    choices = [place for place, line in enumerate(lines) if not line.startswith("#")]
    assert [lines[place] for place in choices] == [
        "systemd_tmpfiles_manage_all=1", "container_mounton_non_security=1",
    ]  # fmt: skip
    assert all(lines[place - 1].startswith("# ") for place in choices)
