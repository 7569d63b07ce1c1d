"""Guards of a finished image: what could harm whoever boots it, found and allowed for a reason, or not.

Private keys, which every copy of the image would share; set-uid and set-gid files and file
capabilities; files and directories that everybody may write; ports that a booted guest opens.
The image is read unmounted.
"""

import itertools
from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter, model_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Count, Model
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import file_sha256
from atomic_lib.compose.tree_access.ownership import readable
from atomic_lib.formats.disk.attributes import CAPABILITY
from atomic_lib.formats.disk.file_system import FileEntry, FileSystem, root_of
from atomic_lib.guest.evidence.running import Listener
from atomic_lib.image.image_files import ImageFiles
from atomic_lib.measure.guards.guard_rules import GUARDS_FILE, GuardName, GuardRules, load_guard_rules
from atomic_lib.measure.guards.private_keys import may_have_keys, private_keys
from atomic_lib.measure.labels import looked_up_as
from atomic_lib.tools.context import Context

_NAMED = 200
"""How many findings of a guard are named: a tree with wrong rights has tens of thousands."""
_SET_UID_OR_GID, _WRITABLE, _STICKY = 0o6000, 0o002, 0o1000
_EPHEMERAL_PORT = 32768
"""The first port that Linux gives to a socket that asks for any: ip_local_port_range in ip-sysctl."""
_PRIVATE_KEYS: GuardName = "private-keys"


class GuardFinding(Model):
    """What a guard found: a path or a socket, and what about it. ``reason``: why it is allowed; empty: it is not.

    ``package``: what owns the path; None if no package does, or it is not known.
    """

    found: str
    detail: str = ""
    reason: str = ""
    package: str | None = None


class Guard(Model):
    """One guard: how many findings there are, how many have no reason, and the first by name, those first."""

    guard: GuardName
    found: Count
    unexplained: Count
    findings: tuple[GuardFinding, ...] = ()

    @model_validator(mode="after")
    def _names_what_it_counts(self) -> "Guard":
        named = sum(not finding.reason for finding in self.findings)
        if len(self.findings) != min(self.found, _NAMED) or named != min(self.unexplained, _NAMED):
            raise ValueError(f"the findings of {self.guard} are not the {self.found} that it counts")
        return self


_GUARDS = TypeAdapter(tuple[Guard, ...])
_Found = tuple[str, str, str]
"""A path or a socket, what about it, and the fingerprint of a private key."""


def image_guards(files: ImageFiles, context: Context) -> tuple[Guard, ...]:
    """The guards of an image, checked or taken from the store."""
    return _GUARDS.validate_json((GUARDS.get(files, context).path / "guards.json").read_bytes(), strict=False)


def _inputs(files: ImageFiles, _: Context) -> dict[str, object]:
    return {"image": files.image.key, "rules": file_sha256(GUARDS_FILE)}


def _make(files: ImageFiles, context: Context, directory: Path) -> None:
    guards = check_image(files.file_system, load_guard_rules())
    (directory / "guards.json").write_bytes(_GUARDS.dump_json(guards))


GUARDS = Stage("guards", _make, _inputs, title=lambda _: "search the image for private keys and dangerous rights")


def check_image(disk: FileSystem, rules: GuardRules) -> tuple[Guard, ...]:
    """The guards that need no booted guest. Compressed files are not searched."""
    files, root = _files(disk), root_of(disk)
    keys = (
        (place, f"{key.kind}, sha256 {key.fingerprint}", key.fingerprint)
        for place, path, _ in files
        if may_have_keys(disk.parts(path))
        for key in private_keys(disk.content(path))
    )
    privileged = (
        (place, f"{_rights(root, entry)} {entry.attributes.get(CAPABILITY, '')}".rstrip(), "")
        for place, _, entry in files
        if entry.type == "file" and (entry.mode & _SET_UID_OR_GID or CAPABILITY in entry.attributes)
    )
    writable = (
        (place, f"{entry.type} {_rights(root, entry)}", "")
        for place, _, entry in files
        if entry.type != "link" and entry.mode & _WRITABLE and not (entry.type == "directory" and entry.mode & _STICKY)
    )
    return (
        _guard(_PRIVATE_KEYS, keys, rules),
        _guard("set-uid", privileged, rules),
        _guard("world-writable", writable, rules),
    )


def open_ports(listeners: Iterable[Listener], rules: GuardRules) -> Guard:
    """The guard of the sockets that booted guests listened on."""
    sockets = sorted(set(map(socket_words, listeners)))
    return _guard("open-ports", ((socket, "", "") for socket in sockets), rules)


def socket_words(listener: Listener) -> str:
    """A socket as text; a port that the kernel chose, which differs in every boot, is ``*``."""
    host, colon, port = listener.address.rpartition(":")
    address = f"{host}{colon}*" if port.isdecimal() and int(port) >= _EPHEMERAL_PORT else listener.address
    return f"{listener.protocol} {address} {listener.program}".rstrip()


def with_open_ports(
    guards: tuple[Guard, ...] | None, listeners: Iterable[tuple[Listener, ...] | None]
) -> tuple[Guard, ...] | None:
    """The guards with that of the ports; ``listeners``: of each boot, None if it did not tell them."""
    known = [of_boot for of_boot in listeners if of_boot is not None]
    if not known:
        return guards
    ports = open_ports(itertools.chain(*known), load_guard_rules())
    return (*(guard for guard in guards or () if guard.guard != ports.guard), ports)


def require_no_private_key(guards: Iterable[Guard], name: str) -> None:
    """Raise WorkbookError if there is a private key that no rule explains: every copy of the image would share it."""
    for guard in guards:
        if guard.guard == _PRIVATE_KEYS and guard.unexplained:
            keys = [one for one in guard.findings if not one.reason]
            raise WorkbookError(
                f"{name}: a private key is in the image, and every copy would share it: {keys[0].found}",
                hint="remove the file, or make the key at the first boot; "
                "if it is no secret, add a rule with the reason to params/rules/guards.yaml",
                log="\n".join(f"{one.found}: {one.detail}" for one in keys),
            )


def _guard(name: GuardName, found: Iterable[_Found], rules: GuardRules) -> Guard:
    findings = [
        GuardFinding(found=readable(path), detail=detail, reason=rules.reason(name, path, key))
        for path, detail, key in found
    ]
    findings.sort(key=lambda one: bool(one.reason))
    unexplained = sum(not one.reason for one in findings)
    return Guard(guard=name, found=len(findings), unexplained=unexplained, findings=tuple(findings[:_NAMED]))


def _files(disk: FileSystem) -> list[tuple[str, str, FileEntry]]:
    """Each directory and each other file once: as the booted system sees it, its path on the disk, and what it is."""
    seen: set[int] = set()
    files: list[tuple[str, str, FileEntry]] = []
    # an object of ostree's repository comes after the deployed file that it is
    for path, place in sorted(looked_up_as(disk).items()):
        entry = disk.entries[path]
        if entry.type == "directory" or entry.inode not in seen:
            files.append((place, path, entry))
            seen.add(entry.inode)
    return sorted(files, key=lambda file: file[:2])


def _rights(root: FileSystem, entry: FileEntry) -> str:
    """The mode in octal, and the owners by name."""
    user, group = root.users.get(entry.uid, str(entry.uid)), root.groups.get(entry.gid, str(entry.gid))
    return f"{entry.mode:04o} {user}:{group}"
