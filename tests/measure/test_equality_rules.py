"""A rule explains what it expects, and nothing that only looks like it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.file_system import FileEntry, FileSystem
from atomic_lib.measure.equality_rules import RULES_FILE, EqualityRule, load_rules
from atomic_lib.measure.file_system_comparison import compare

REASON = "a reason that is long enough"


def entry(kind: str = "file", **values: Any) -> FileEntry:
    facts: dict[str, Any] = {"mode": 0o755 if kind == "directory" else 0o644, "uid": 0, "gid": 0, "size_bytes": 5}
    facts |= {"sha256": "s" if kind == "file" else "", "target": "", "device": "", "attributes": {}, "inode": 0}
    return FileEntry(type=kind, **{**facts, **values})


def side(tmp_path: Path, entries: dict[str, FileEntry], **texts: str) -> FileSystem:
    """A file system of entries, each an inode of its own unless it says one; ``texts``: the content of its files."""
    raw = tmp_path / f"{len(list(tmp_path.iterdir()))}.raw"
    data, found = b"", {}
    for number, (path, one) in enumerate(entries.items(), start=1000):
        text = texts.get(path.rpartition("/")[2].partition(".")[0], "").encode()
        pieces = ((len(data), len(text)),) if text else ()
        data += text
        found[path] = replace(one, inode=one.inode or number, pieces=pieces)
    raw.write_bytes(data or b"-")
    return FileSystem(raw, found)


def unexplained(rule: EqualityRule, left: FileSystem, right: FileSystem) -> list[tuple[str, str]]:
    return [(one.path, one.kind) for one in compare(left, right, [rule]).unexplained]


def make_rule(**values: Any) -> EqualityRule:
    return EqualityRule.model_validate({"rule": "r", "reason": REASON, **values})


def test_a_copy_has_to_be_the_same_in_everything(tmp_path: Path) -> None:
    rule = make_rule(paths=["/usr/etc{rest}"], kinds=["added"], copy_of="/etc{rest}")
    etc = {"/etc": entry("directory"), "/etc/a": entry()}
    left = side(tmp_path, etc)
    good = {**etc, "/usr/etc": entry("directory"), "/usr/etc/a": entry()}
    assert unexplained(rule, left, side(tmp_path, good)) == []
    for changed in ({"mode": 0o600}, {"sha256": "t"}, {"uid": 1}, {"attributes": {"user.x": "y"}}, {"type": "fifo"}):
        other = side(tmp_path, {**good, "/usr/etc/a": replace(entry(), **changed)})
        assert unexplained(rule, left, other) == [("/usr/etc/a", "added")], changed
    assert unexplained(rule, left, side(tmp_path, {**etc, "/usr/etc/b": entry()})) == [("/usr/etc/b", "added")]


def test_what_is_elsewhere_on_the_other_side_has_to_be_the_same_but_for_what_may_differ(tmp_path: Path) -> None:
    rule = make_rule(
        paths=["/boot/vmlinuz-{kernel}"], kinds=["missing"], same_as="/usr/lib/modules/{kernel}/vmlinuz",
        ignoring=["label"],
    )  # fmt: skip
    left = side(tmp_path, {"/boot/vmlinuz-6.1": entry(attributes={"security.selinux": "boot_t"})})
    for version, sha256, expected in (("6.1", "s", []), ("6.2", "s", ["6.1"]), ("6.1", "t", ["6.1"])):
        path = f"/usr/lib/modules/{version}/vmlinuz"
        found = compare(left, side(tmp_path, {path: entry(sha256=sha256)}), [rule]).unexplained
        assert [one.path.removeprefix("/boot/vmlinuz-") for one in found if one.path != path] == expected


@pytest.mark.parametrize(
    ("line", "explained"),
    [
        ("d /var/log 0750 root adm -", True),
        ("d /var/log 0750 0 4 -", True),
        ("q! /var/log/ :0750 root adm 30d", True),
        ("d /var/log 0755 root adm -", False),
        ("d /var/log 0750 root root -", False),
        ("d /var/log 0750", False),
        ("f /var/log 0750 root adm -", False),
        ("# d /var/log 0750 root adm -", False),
        ("d /var/lock 0700\nd /var/log 0750 root adm -", True),
        ("d /var/log 0700 root adm -\nd /var/log 0750 root adm -", False),
    ],
)
def test_what_is_made_at_boot_has_to_be_declared_as_it_was(tmp_path: Path, line: str, explained: bool) -> None:
    rule = make_rule(paths=["/var{rest}"], kinds=["missing"], tmpfiles="/var{rest}")
    accounts = {"/etc/passwd": entry(), "/etc/group": entry()}
    texts = {"passwd": "root:x:0:0::/root:/bin/sh\n", "group": "adm:x:4:\n"}
    left = side(tmp_path, {"/var/log": entry("directory", mode=0o750, gid=4), **accounts}, **texts)
    right = side(tmp_path, {"/usr/lib/tmpfiles.d/x.conf": entry(), **accounts}, x=line, **texts)
    found = [pair for pair in unexplained(rule, left, right) if pair[0] != "/usr/lib/tmpfiles.d/x.conf"]
    assert found == ([] if explained else [("/var/log", "missing")])


@pytest.mark.parametrize(
    ("line", "explained"),
    [
        ("L /var/run - - - - ../run", True),
        ("L+ /var/run - - - - ../run", True),
        ("L /var/run - - - - /run", False),
        ("d /var/run 0777 - - -", False),
    ],
)
def test_a_link_made_at_boot_has_to_have_its_target(tmp_path: Path, line: str, explained: bool) -> None:
    rule = make_rule(paths=["/var{rest}"], kinds=["missing"], tmpfiles="/var{rest}")
    left = side(tmp_path, {"/var/run": entry("link", mode=0o777, target="../run")})
    right = side(tmp_path, {"/etc/tmpfiles.d/x.conf": entry()}, x=line)
    assert (("/var/run", "missing") in unexplained(rule, left, right)) is not explained


@pytest.mark.parametrize(
    ("line", "source", "explained"),
    [
        ("C /root/.rc - - - - /usr/share/rc", "/usr/share/rc", True),
        ("C /root/.rc", "/usr/share/factory/root/.rc", True),
        ("C /root/.rc 0600 - - - /usr/share/rc", "/usr/share/rc", False),
        ("C /root/.rc - bob - - /usr/share/rc", "/usr/share/rc", False),
        ("C /root/.rc - - - - /usr/share/rc", "/usr/share/other", False),
    ],
)
def test_a_file_copied_at_boot_has_to_be_there(tmp_path: Path, line: str, source: str, explained: bool) -> None:
    rule = make_rule(paths=["/root/{rest}"], kinds=["missing"], tmpfiles="/root/{rest}")
    right = side(tmp_path, {"/usr/lib/tmpfiles.d/x.conf": entry(), source: entry()}, x=line)
    assert (("/root/.rc", "missing") in unexplained(rule, side(tmp_path, {"/root/.rc": entry()}), right)) is not (
        explained
    )


def test_a_file_of_the_administrator_hides_the_packages(tmp_path: Path) -> None:
    rule = make_rule(paths=["/var{rest}"], kinds=["missing"], tmpfiles="/var{rest}")
    left = side(tmp_path, {"/var/log": entry("directory")})
    entries = {"/usr/lib/tmpfiles.d/log.conf": entry(), "/etc/tmpfiles.d/log.conf": entry()}
    right = side(tmp_path, entries, log="d /var/log 0755")
    assert ("/var/log", "missing") not in unexplained(rule, left, right)
    hidden = FileSystem(right.raw, {**right.entries, "/etc/tmpfiles.d/log.conf": entry(size_bytes=0)})
    assert ("/var/log", "missing") in unexplained(rule, left, hidden)


def test_hard_links_may_be_joined_between_equal_files_and_never_broken(tmp_path: Path) -> None:
    rule = make_rule(paths=["**"], kinds=["hard links"], joined=True)
    apart = {"/a": entry(inode=1), "/b": entry(inode=2), "/c": entry(inode=3, mode=0o600)}
    joined = {**apart, "/b": entry(inode=1)}
    assert unexplained(rule, side(tmp_path, apart), side(tmp_path, joined)) == []
    assert unexplained(rule, side(tmp_path, joined), side(tmp_path, apart)) == [
        ("/a", "hard links"), ("/b", "hard links"),
    ]  # fmt: skip
    wrong = {**apart, "/c": entry(inode=1)}
    assert ("/c", "hard links") in unexplained(rule, side(tmp_path, apart), side(tmp_path, wrong))


def test_lines_that_differ_have_to_be_those(tmp_path: Path) -> None:
    rule = make_rule(paths=["/conf"], kinds=["content"], lines=["+ store=/etc"])
    left = side(tmp_path, {"/conf": entry(sha256="1")}, conf="a\nb\n")
    for text, explained in (("a\nb\nstore=/etc\n", True), ("a\nb\nstore=/usr\n", False), ("a\nstore=/etc\n", False)):
        right = side(tmp_path, {"/conf": entry(sha256="2")}, conf=text)
        assert unexplained(rule, left, right) == ([] if explained else [("/conf", "content")])


def test_a_top_level_link_has_to_lead_where_its_name_says(tmp_path: Path) -> None:
    rule = make_rule(paths=["/{name}"], kinds=["type"], left="directory", right="link to var/{name}")
    left = side(tmp_path, {"/home": entry("directory"), "/a.c": entry("directory")})
    for targets, found in (
        (("var/home", "var/a.c"), []),
        (("var/hom", "var/abc"), [("/a.c", "type"), ("/home", "type")]),
    ):
        links = {"/home": entry("link", target=targets[0]), "/a.c": entry("link", target=targets[1])}
        assert unexplained(rule, left, side(tmp_path, links)) == found


def test_a_rule_that_explains_nothing_is_named(tmp_path: Path) -> None:
    left, right = side(tmp_path, {"/a": entry()}), side(tmp_path, {"/a": entry(mode=0o600)})
    used = make_rule(paths=["/*"], kinds=["mode"])
    unused = make_rule(rule="unused", paths=["/*/*", "/b"], kinds=["mode"])
    comparison = compare(left, right, [unused, used])
    assert comparison.unused_rules == (unused,)
    assert [one.path for one in comparison.explained_by(used)] == ["/a"]


def test_the_rules_of_the_workbook_are_read() -> None:
    rules = load_rules()
    assert {"etc-defaults", "var-at-boot", "kernel", "rpmdb", "policy-store"} <= {rule.rule for rule in rules}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: [{rule: a, reason: too short, paths: [/a], kinds: [mode]}]", r"rules.0.reason"),
        (f"rules: [{{rule: a, reason: {REASON}, paths: [/a], kinds: [mod]}}]", r"kinds.0: 'mod' is not accepted"),
        (f"rules: [{{rule: a, reason: {REASON}, paths: [/a], kinds: [mode], sameas: /b}}]", r"rules.0.sameas"),
        (f"rules: [{{rule: a, reason: {REASON}, paths: [/a], kinds: [mode], same_as: /b}}]", "kinds missing and added"),
        (f"rules: [{{rule: a, reason: {REASON}, paths: [/a], kinds: [added], same_as: '/{{x}}'}}]", r"\{x\} is not in"),
        (f"rules: [{{rule: a, reason: {REASON}, paths: [], kinds: [mode]}}]", "rules.0.paths: must not be empty"),
    ],
)  # fmt: skip
def test_a_rule_that_is_not_accepted_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "equality.yaml").write_text(text)
    with pytest.raises(WorkbookError, match=f"equality.yaml.*{message}"):
        load_rules(tmp_path / "equality.yaml")


def test_a_name_is_given_once(tmp_path: Path) -> None:
    text = RULES_FILE.read_text()
    (tmp_path / "equality.yaml").write_text(text + text.partition("rules:\n")[2])
    with pytest.raises(WorkbookError, match="'etc-defaults' is listed twice"):
        load_rules(tmp_path / "equality.yaml")
