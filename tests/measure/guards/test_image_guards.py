"""What guards find on a small disk, ordinary and of ostree; what a rule allows, and what it does not."""

import base64
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from atomic_lib.base.errors import WorkbookError
from atomic_lib.formats.disk.file_system import FileSystem, read_file_system
from atomic_lib.guest.evidence.running import Listener
from atomic_lib.image.image_files import ImageFiles
from atomic_lib.measure.guards import image_guards as module
from atomic_lib.measure.guards.guard_rules import GuardRule, GuardRules, load_guard_rules
from atomic_lib.measure.guards.image_guards import (
    Guard,
    GuardFinding,
    check_image,
    image_guards,
    open_ports,
    require_no_private_key,
)
from tests.contexts import own_context
from tests.image.raw_disks import with_raw_disk
from tests.measure.planted import debugfs, make_base
from tests.measure.test_equality_rules import entry

KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{base64.b64encode(bytes(60)).decode()}\n-----END RSA PRIVATE KEY-----\n"
NO_RULES = GuardRules(guards=())
TOP = f"/ostree/deploy/os/deploy/{'c' * 64}.0"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small file system of the comparison, with a private key, and rights that guards look for."""
    directory = tmp_path_factory.mktemp("guards")
    (directory / "key").write_text(KEY)
    make_base(directory / "disk.raw", directory)
    debugfs(directory / "disk.raw", [
        f"write {directory}/key /etc/host_key", "sif /etc/host_key mode 0100600", "sif /etc/host_key uid 0",
        "sif /etc/host_key gid 0", "sif /bin/tool mode 0102755", "sif /lib/big mode 0100666",
        "sif /home mode 0041777", "sif /deep mode 0040777", "sif /pipe mode 0010622",
    ])  # fmt: skip
    return directory / "disk.raw"


def findings(guards: tuple[Guard, ...], name: str) -> list[tuple[str, str]]:
    (guard,) = (guard for guard in guards if guard.guard == name)
    return [(one.found, one.detail) for one in guard.findings]


def test_an_image_is_searched_for_keys_and_rights(base: Path) -> None:
    guards = check_image(read_file_system(base), NO_RULES)
    ((path, detail),) = findings(guards, "private-keys")
    assert path == "/etc/host_key"
    assert detail.startswith("RSA PRIVATE KEY, sha256 ")
    assert findings(guards, "set-uid") == [
        ("/bin/net", "0644 root:root cap_net_raw=ep"), ("/bin/suid", "4755 root:root"), ("/bin/tool", "2755 root:root"),
    ]  # fmt: skip
    assert findings(guards, "world-writable") == [
        ("/deep", "directory 0777 root:root"), ("/lib/big", "file 0666 root:root"), ("/pipe", "fifo 0622 root:root"),
    ]  # fmt: skip
    assert [guard.unexplained for guard in guards] == [1, 3, 3]


def rule(guard: str, found: str, *keys: str) -> GuardRule:
    fields = {"guard": guard, "reason": "It is needed for this test.", "found": (found,), "keys": keys}
    return GuardRule.model_validate(fields)


def test_a_rule_allows_what_it_names_and_says_why(base: Path) -> None:
    rules = GuardRules(guards=(rule("set-uid", "/bin/(net|suid)"), rule("world-writable", "/bin/tool")))
    guards = {guard.guard: guard for guard in check_image(read_file_system(base), rules)}
    assert [(one.found, one.reason) for one in guards["set-uid"].findings] == [
        ("/bin/tool", ""), ("/bin/net", "It is needed for this test."), ("/bin/suid", "It is needed for this test."),
    ]  # fmt: skip
    assert (guards["set-uid"].found, guards["set-uid"].unexplained) == (3, 1)


def test_a_private_key_is_allowed_by_its_fingerprint_and_its_path_only(base: Path) -> None:
    disk = read_file_system(base)
    fingerprint = findings(check_image(disk, NO_RULES), "private-keys")[0][1].split()[-1]
    for allowed, found, *keys in (
        (True, "/etc/host_key", fingerprint),
        (False, "/etc/host_key", "0" * 64),
        (False, "/etc/host_key"),
        (False, "/etc/other", fingerprint),
    ):
        guards = check_image(disk, GuardRules(guards=(rule("private-keys", found, *keys),)))
        assert guards[0].unexplained == (0 if allowed else 1), (found, keys)


def test_an_unexplained_private_key_is_an_error_that_names_it(base: Path) -> None:
    guards = check_image(read_file_system(base), NO_RULES)
    with pytest.raises(WorkbookError, match=r"own: a private key is in the image, .*: /etc/host_key") as error:
        require_no_private_key(guards, "own")
    assert "sha256" in error.value.log
    allowed = [guard.model_copy(update={"unexplained": 0}) for guard in guards]
    require_no_private_key(allowed, "own")


def test_a_deployed_file_is_named_once_as_the_booted_system_sees_it() -> None:
    suid = entry(mode=0o4755, inode=5)
    alone = entry(mode=0o4755, inode=6, sha256="other")
    shared = entry("directory", mode=0o777)
    objects = f"/ostree/repo/objects/aa/{'0' * 62}.file", f"/ostree/repo/objects/bb/{'0' * 62}.file"
    disk = FileSystem(Path("disk.raw"), {
        "/": entry("directory"), "/ostree/repo": entry("directory"), objects[0]: suid, objects[1]: alone,
        TOP: shared, f"{TOP}/usr/bin/su": suid, "/ostree/deploy/os/var": entry("directory"),
        "/ostree/deploy/os/var/shared": shared,
    })  # fmt: skip
    disk = replace(disk, entries={path: replace(one, sha256=one.sha256 or "s") for path, one in disk.entries.items()})
    found = check_image(without_content(disk), NO_RULES)
    assert [one for one, _ in findings(found, "set-uid")] == [objects[1], "/usr/bin/su"]
    assert [one for one, _ in findings(found, "world-writable")] == ["/", "/var/shared"]


def without_content(disk: FileSystem) -> FileSystem:
    class Empty(FileSystem):
        def parts(self, path: str) -> Iterator[bytes]:
            yield from ()

    return Empty(disk.raw, disk.entries)


def test_findings_are_counted_where_they_are_too_many_to_name() -> None:
    entries = {f"/{number}": entry(mode=0o666, inode=number) for number in range(900)}
    writable = check_image(without_content(FileSystem(Path("disk.raw"), entries)), NO_RULES)[2]
    assert (writable.found, writable.unexplained) == (900, 900)
    assert 0 < len(writable.findings) < 900


def test_a_guard_that_does_not_name_what_it_counts_is_refused() -> None:
    one = GuardFinding(found="/a")
    with pytest.raises(ValidationError, match="are not the 2 that it counts"):
        Guard(guard="set-uid", found=2, unexplained=1, findings=(one,))
    with pytest.raises(ValidationError, match="are not the 1 that it counts"):
        Guard(guard="set-uid", found=1, unexplained=0, findings=(one,))


def test_guards_are_stored_and_made_again_after_a_change_of_the_rules(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = own_context(tmp_path)
    copy = shutil.copyfile(base, tmp_path / "made")
    files = ImageFiles(with_raw_disk(copy, tmp_path, context), context)
    rules = tmp_path / "guards.yaml"
    rules.write_text("guards: []\n")
    monkeypatch.setattr(module, "GUARDS_FILE", rules)
    monkeypatch.setattr(module, "load_guard_rules", lambda: load_guard_rules(rules))
    first = image_guards(files, context)
    assert image_guards(files, context) == first == check_image(read_file_system(base), NO_RULES)
    text = "guards:\n  - {guard: set-uid, reason: Needed for this test only., found: [/bin/suid]}\n"
    rules.write_text(text)
    assert image_guards(files, context)[1].unexplained == first[1].unexplained - 1


def listener(protocol: str, address: str, program: str) -> Listener:
    return Listener(protocol=protocol, address=address, program=program)


def test_the_ports_of_all_boots_are_named_once_and_those_the_kernel_chose_are_one() -> None:
    listeners = [listener("tcp", "0.0.0.0:22", "sshd"), listener("tcp", "127.0.0.1:37637", "containerd"),
                 listener("tcp", "127.0.0.1:38089", "containerd"), listener("tcp", "0.0.0.0:22", "sshd"),
                 listener("udp", "[::]:5000", "")]  # fmt: skip
    ports = open_ports(listeners, load_guard_rules())
    assert [(one.found, bool(one.reason)) for one in ports.findings] == [
        ("udp [::]:5000", False), ("tcp 0.0.0.0:22 sshd", True), ("tcp 127.0.0.1:* containerd", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("guard: other", r"guards\.0\.guard: "),
        ("reason: short", r"guards\.0\.reason: 'short' is not accepted"),
        ("found: ['/x(']", r"guards\.0\.found: '/x\(' is not a valid regular expression"),
        ("found: []", r"guards\.0\.found: must not be empty"),
        ("keys: [abc]", r"guards\.0\.keys\.0: 'abc' is not accepted"),
        ("typo: 1", r"guards\.0\.typo: "),
    ],
)
def test_malformed_rules_are_refused_by_file_and_key(tmp_path: Path, change: str, said: str) -> None:
    fields = {"guard": "set-uid", "reason": "It cannot be otherwise here.", "found": "[/x]"}
    key, _, value = change.partition(": ")
    lines = [f"    {name}: {text}" for name, text in {**fields, key: value}.items()]
    file = tmp_path / "guards.yaml"
    file.write_text("guards:\n  -" + "\n".join(lines)[3:] + "\n")
    with pytest.raises(WorkbookError, match=rf"{file}: {said}"):
        load_guard_rules(file)
