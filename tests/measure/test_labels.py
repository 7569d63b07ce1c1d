"""Which path a label is looked up as, what explains another one, and exceptions that are refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.file_system import FileEntry, FileSystem
from atomic_lib.measure.label_exceptions import LabelException, load_exceptions
from atomic_lib.measure.labels import LabelFinding, find_labels, looked_up_as, policy_of
from tests.measure.test_equality_rules import entry

ETC, SHADOW, UNKNOWN = (f"system_u:object_r:{name}_t:s0" for name in ("etc", "shadow", "default"))
TOP = f"/ostree/deploy/os/deploy/{'c' * 64}.0"
OBJECTS = "/ostree/repo/objects"
HELD, ALONE, EMPTY = (f"{OBJECTS}/{name}/{'0' * 62}.file" for name in ("aa", "bb", "cc"))
EXCEPTION = LabelException(exception="one", reason="It cannot be otherwise here.", paths=("/x(/.*)?",), label=ETC)


def disk(**entries: FileEntry) -> FileSystem:
    numbered = {path: replace(one, inode=number) for number, (path, one) in enumerate(entries.items())}
    return FileSystem(Path("disk.raw"), numbered)


def labelled(label: str, **values: str) -> FileEntry:
    return entry(attributes={"security.selinux": label}, **values)


def ostree_disk() -> FileSystem:
    paths = ["/", "/boot/grub", "/ostree/repo", f"{OBJECTS}/aa", HELD.replace("file", "dirtree"), TOP, f"{TOP}.origin",
             f"{TOP}/usr", f"{TOP}/etc/shadow", f"{TOP}/var", "/ostree/deploy/os/var", "/ostree/deploy/os/var/log",
             "/ostree/deploy/os/variety"]  # fmt: skip
    same = {HELD: labelled(SHADOW, sha256="k"), f"{TOP}/usr/etc/shadow": labelled(SHADOW, sha256="k")}
    empty = {EMPTY: labelled(SHADOW, sha256="e"), f"{TOP}/usr/empty": labelled(ETC, sha256="e")}
    return disk(**{path: entry("directory") for path in paths}, **same, **empty, **{ALONE: labelled(ETC)})


def test_an_ordinary_disk_is_looked_up_as_it_is() -> None:
    assert looked_up_as(disk(**{"/": entry(), f"{TOP}/etc": entry()})) == {"/": "/", f"{TOP}/etc": f"{TOP}/etc"}


def test_a_deployment_is_looked_up_as_the_booted_system_sees_it() -> None:
    places = looked_up_as(ostree_disk())
    assert {path: place for path, place in places.items() if path != place} == {
        TOP: "/", f"{TOP}/usr": "/usr", f"{TOP}/etc/shadow": "/etc/shadow", f"{TOP}/var": "/var",
        f"{TOP}/usr/etc/shadow": "/usr/etc/shadow", f"{TOP}/usr/empty": "/usr/empty",
        "/ostree/deploy/os/var": "/var", "/ostree/deploy/os/var/log": "/var/log",
        HELD: "/usr/etc/shadow",
    }  # fmt: skip


def test_an_object_with_another_label_than_the_deployed_file_is_not_taken_for_it() -> None:
    assert looked_up_as(ostree_disk())[EMPTY] == EMPTY


def find(path: str, label: str | None, wanted: str, place: str = "") -> LabelFinding | None:
    one = entry() if label is None else labelled(label)
    found = find_labels(disk(**{path: one}), {path: (place or path, wanted)}, [EXCEPTION])
    return found[0] if found else None


def test_the_policys_label_is_right() -> None:
    assert find("/a", ETC, ETC) is None


@pytest.mark.parametrize("label", [None, SHADOW, "unlabeled", ETC.replace("system_u", "user_u"), ETC + "-s1"])
def test_any_other_label_is_wrong(label: str | None) -> None:
    assert find("/a", label, ETC) == LabelFinding("/a", label or "", ETC)


def test_what_the_policy_does_not_know_is_never_simply_right() -> None:
    assert find("/a", UNKNOWN, UNKNOWN) == LabelFinding("/a", UNKNOWN, UNKNOWN)


def test_an_exception_explains_its_paths_with_its_label_only() -> None:
    assert find("/x/y", ETC, UNKNOWN) == LabelFinding("/x/y", ETC, UNKNOWN, "one")
    assert find("/xy", ETC, UNKNOWN) == LabelFinding("/xy", ETC, UNKNOWN)
    assert find("/x/y", SHADOW, UNKNOWN) == LabelFinding("/x/y", SHADOW, UNKNOWN)


def test_passwords_have_their_type_whatever_policy_and_exceptions_say() -> None:
    assert find("/etc/shadow", ETC, ETC) == LabelFinding("/etc/shadow", ETC, "shadow_t")
    assert find("/x/gshadow", ETC, SHADOW, place="/etc/gshadow") == LabelFinding("/x/gshadow", ETC, "shadow_t")
    assert find("/etc/shadow", SHADOW, SHADOW) is None


def test_a_disk_that_names_no_policy_cannot_be_checked() -> None:
    with pytest.raises(WorkbookError, match=r"disk\.raw: /etc/selinux/config names no policy"):
        policy_of(disk(**{"/": entry("directory")}))


def test_the_projects_exceptions_are_accepted() -> None:
    names = [one.exception for one in load_exceptions()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("path", "explained"),
    [
        ("/ostree", True), ("/ostree/deploy/os/var", True), ("/ostree/repo/objects/aa", True), (TOP, True),
        (f"{TOP}.origin", True), (f"{TOP}/sysroot", True), (HELD.replace("file", "dirtree"), True),
        (f"{TOP}/etc/ssh/sshd_config", False), (f"{TOP}/usr/bin/dockerd", False), (HELD, False),
        ("/ostree/deploy/os/var/lib/x", False),
    ],
)  # fmt: skip
def test_the_projects_exceptions_end_where_a_deployment_begins(path: str, explained: bool) -> None:
    label = "system_u:object_r:root_t:s0"
    assert any(one.explains(path, label) for one in load_exceptions()) == explained


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("label: not_a_label", r"exceptions\.0\.label: 'not_a_label' is not accepted"),
        ("reason: short", r"exceptions\.0\.reason: 'short' is not accepted"),
        ("paths: ['/x(']", r"exceptions\.0\.paths: '/x\(' is not a valid regular expression"),
        ("paths: []", r"exceptions\.0\.paths: must not be empty"),
        ("typo: 1", r"exceptions\.0\.typo: "),
    ],
)
def test_malformed_exceptions_are_refused_by_file_and_key(tmp_path: Path, change: str, said: str) -> None:
    fields = {"exception": "one", "reason": "It cannot be otherwise here.", "paths": "[/x]", "label": ETC}
    key, _, value = change.partition(": ")
    lines = [f"    {name}: {text}" for name, text in {**fields, key: value}.items()]
    file = tmp_path / "labels.yaml"
    file.write_text("exceptions:\n  -" + "\n".join(lines)[3:] + "\n")
    with pytest.raises(WorkbookError, match=rf"{file}: {said}"):
        load_exceptions(file)


def test_an_exception_given_twice_is_refused(tmp_path: Path) -> None:
    one = f"  - exception: one\n    reason: It cannot be otherwise here.\n    paths: [/x]\n    label: {ETC}\n"
    (tmp_path / "labels.yaml").write_text(f"exceptions:\n{one}{one}")
    with pytest.raises(WorkbookError, match=r"labels\.yaml: exceptions: 'one' is listed twice"):
        load_exceptions(tmp_path / "labels.yaml")
