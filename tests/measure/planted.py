"""A small file system with one of each, and single changes to plant in it, each with what has to be found."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.formats.disk.file_system import FileSystem
from tests.formats.disk.disk_image import ROOT_START, make_raw

ODD, ODDER = os.fsdecode(b"/odd \xff"), os.fsdecode(b"/odd \xfe")
LABEL = "system_u:object_r:{}_t:s0"
# struct vfs_cap_data, revision 2: cap_net_raw=ep (bit 13), and variations of it.
NET_RAW, NET_ADMIN = b"\1\0\0\2\0\x20\0\0" + bytes(12), b"\1\0\0\2\0\x10\0\0" + bytes(12)
NOT_EFFECTIVE = b"\0" + NET_RAW[1:]
BYTES = {"net_raw": NET_RAW, "net_admin": NET_ADMIN, "not_effective": NOT_EFFECTIVE, "large": b"v" * 900,
         "other_large": b"v" * 899 + b"w", "text": b"a new file\n"}  # fmt: skip
_LABELLED = {"/etc/shadow": "shadow", "/bin/tool": "bin", "/lib": "lib", "/lib/short": "lib"}


def make_content(top: Path) -> None:
    """The tree that the file system is made of; what needs rights of root comes later, by debugfs."""
    for name in ("etc", "bin", "lib", "empty", "deep/er/est", "dev", "home"):
        (top / name).mkdir(parents=True)
    (top / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home:/bin/sh\n")
    (top / "etc/group").write_text("root:x:0:\nbob:x:1000:\n")
    (top / "etc/shadow").write_text("root:*:1::::::\n")
    for name in ("tool", "suid", "net"):
        (top / "bin" / name).write_bytes(f"#!{name}\n".encode() * 1000)
    (top / "lib/big").write_bytes(bytes(range(256)) * 1200)
    (top / "lib/one").write_bytes(b"shared\n")
    (top / "lib/two").hardlink_to(top / "lib/one")
    (top / "lib/three").write_bytes(b"shared\n")
    (top / "lib/short").symlink_to("big")
    (top / "lib/long").symlink_to("x/" * 100)
    (top / "home/mine").write_text("bob's\n")
    (top / "pipe").touch()
    (top / ODD[1:]).write_text("odd\n")
    (top / "line_break").write_text("a line\n")
    with open(top / "hole", "wb") as file:
        file.seek(100_000)
        file.write(b"end")
    for path in top.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


def make_base(raw: Path, directory: Path) -> None:
    """The file system on a disk image ``raw``; ``directory`` gets what it is made of."""
    (directory / "content").mkdir()
    make_content(directory / "content")
    for name, value in BYTES.items():
        (directory / name).write_bytes(value)
    make_raw(raw, directory / "content")
    paths = [f"/{path.relative_to(directory / 'content')}" for path in sorted((directory / "content").rglob("*"))]
    lines = [f'sif "{path}" {field} 0' for path in paths for field in ("uid", "gid")]
    lines += ["sif /home/mine uid 1000", "sif /home/mine gid 1000", "sif /bin/suid mode 0104755"]
    lines += ["rm /pipe", "mknod pipe p", "cd /dev", "mknod null c 1 3", "mknod disk b 8 0", "cd /"]
    lines += [f"ea_set {path} security.selinux {LABEL.format(name)}" for path, name in _LABELLED.items()]
    lines += [f"ea_set -f {directory}/net_raw /bin/net security.capability", "ea_set /bin/tool user.note first"]
    lines += [f"ea_set -f {directory}/large /lib/big user.large"]
    debugfs(raw, lines)


def debugfs(raw: Path, lines: Iterable[str]) -> None:
    """Change a file system as debugfs is told to, which reports its errors in words only."""
    text = "".join(f"{line}\n" for line in lines)
    done = command.run(
        ["debugfs", "-w", "-f", "-", f"{raw}?offset={ROOT_START}"], input=os.fsencode(text), timeout_seconds=30
    )
    errors = done.stderr.splitlines()[1:]
    assert not errors, errors


@dataclass(frozen=True)
class Planted:
    """One change: debugfs's words, or new bytes in a file or link; ``found``: path and kind of each.

    ``old``: bytes that are on the disk once, and that ``new`` replaces.
    """

    name: str
    found: frozenset[tuple[str, str]]
    lines: tuple[str, ...] = ()
    path: str = ""
    offset: int = 0
    new: bytes = b""
    old: bytes = b""

    def plant(self, raw: Path, base: FileSystem) -> None:
        """Make the change on a copy of the image that ``base`` was read from."""
        if self.lines:
            debugfs(raw, self.lines)
        if self.new:
            with open(raw, "r+b") as file:
                file.seek(_only(file.read(), self.old) if self.old else self._place(base))
                file.write(self.new)

    def _place(self, base: FileSystem) -> int:
        """Where on the disk the byte is that is to change, or that comes after the last one."""
        place, entry = self.offset, base.entries[self.path]
        for start, count in entry.pieces:
            if place < count or self.offset == entry.size_bytes == place:
                assert start is not None
                return start + place
            place -= count
        raise AssertionError(f"{self.path} has no byte {self.offset}")


def _only(disk: bytes, wanted: bytes) -> int:
    assert disk.count(wanted) == 1
    return disk.index(wanted)


def _by(name: str, found: str, *lines: str) -> Planted:
    """A change by debugfs. ``found``: words ``PATH:KIND``, with commas between several."""
    pairs = (word.rsplit(":", 1) for word in found.split(","))
    return Planted(name, frozenset((path, kind) for path, kind in pairs), lines)


def _at(name: str, path: str, offset: int, data: bytes, found: str, *lines: str) -> Planted:
    """A change of bytes of a file, or of the target of a long link."""
    return Planted(name, _by(name, found).found, lines, path, offset, data)


def _sif(path: str, field: str, value: object) -> str:
    return f'sif "{path}" {field} {value}'


def changes(directory: Path) -> list[Planted]:
    """The changes; ``directory`` has the files of ``BYTES``."""
    return [
        *_contents(),
        *_rights(),
        *_attributes(directory),
        *_links(directory),
        *_names(directory),
        *_types(directory),
    ]


def _contents() -> list[Planted]:
    size = "{0}:size,{0}:content"
    return [
        _at("a bit of the first byte", "/bin/tool", 0, b"\x22", "/bin/tool:content"),
        _at("a byte in the middle", "/lib/big", 150_000, b"?", "/lib/big:content"),
        _at("the last byte", "/lib/big", 307_199, b"\0", "/lib/big:content"),
        _at("a trailing byte", "/home/mine", 6, b"\n", size.format("/home/mine"), _sif("/home/mine", "size", 7)),
        _by("grown by a zero", size.format("/home/mine"), _sif("/home/mine", "size", 7)),
        _by("grown by many zeros", size.format("/hole"), _sif("/hole", "size", 5_000_000)),
        _by("a byte shorter", size.format("/home/mine"), _sif("/home/mine", "size", 5)),
        _by("emptied", size.format("/bin/suid"), _sif("/bin/suid", "size", 0)),
        _at("the name of a user", "/etc/passwd", 26, b"eve", "/etc/passwd:content,/home/mine:user"),
        _at("the name of a group", "/etc/group", 10, b"eve", "/etc/group:content,/home/mine:group"),
        _at("the end of a file with a hole", "/hole", 100_000, b"E", "/hole:content"),
    ]


def _rights() -> list[Planted]:
    return [
        _by("fewer rights", "/etc/passwd:mode", _sif("/etc/passwd", "mode", "0100600")),
        _by("executable", "/lib/big:mode", _sif("/lib/big", "mode", "0100755")),
        _by("set-uid", "/bin/tool:mode", _sif("/bin/tool", "mode", "0104644")),
        _by("no more set-uid", "/bin/suid:mode", _sif("/bin/suid", "mode", "0100755")),
        _by("set-gid for set-uid", "/bin/suid:mode", _sif("/bin/suid", "mode", "0102755")),
        _by("sticky", "/home:mode", _sif("/home", "mode", "0041755")),
        _by("the mode of a pipe", "/pipe:mode", _sif("/pipe", "mode", "0010600")),
        _by("the mode of the root", "/:mode", _sif("/", "mode", "0040700")),
        _by("an owner", "/etc/shadow:user", _sif("/etc/shadow", "uid", 1000)),
        _by("an owner by its high bits", "/etc/shadow:user", _sif("/etc/shadow", "uid", 65536)),
        _by("a group", "/etc/shadow:group", _sif("/etc/shadow", "gid", 42)),
        _by("a group by its high bits", "/etc/shadow:group", _sif("/etc/shadow", "gid", 65536)),
        _by("the owner of a directory", "/empty:user", _sif("/empty", "uid", 1000)),
        _by("the owner of a link", "/lib/short:user", _sif("/lib/short", "uid", 1000)),
        _by("the owner of one file with two names", "/lib/one:user,/lib/two:user", _sif("/lib/two", "uid", 1)),
    ]


def _attributes(directory: Path) -> list[Planted]:
    tool, net = "/bin/tool security.capability", "/bin/net security.capability"
    return [
        _by("a label", "/etc/shadow:label", f"ea_set /etc/shadow security.selinux {LABEL.format('etc')}"),
        _by("the end of a label", "/bin/tool:label", f"ea_set /bin/tool security.selinux {LABEL.format('bin')[:-1]}1"),
        _by("no label", "/etc/shadow:label", "ea_rm /etc/shadow security.selinux"),
        _by("a label where none was", "/etc/group:label", f"ea_set /etc/group security.selinux {LABEL.format('etc')}"),
        _by("the label of a directory", "/lib:label", f"ea_set /lib security.selinux {LABEL.format('bin')}"),
        _by("the label of a link", "/lib/short:label", f"ea_set /lib/short security.selinux {LABEL.format('bin')}"),
        _by("a capability less", "/bin/net:capabilities", f"ea_rm {net}"),
        _by("a capability more", "/bin/tool:capabilities", f"ea_set -f {directory}/net_raw {tool}"),
        _by("another capability", "/bin/net:capabilities", f"ea_set -f {directory}/net_admin {net}"),
        _by("a capability not in effect", "/bin/net:capabilities",
            f"ea_set -f {directory}/not_effective {net}"),
        _by("an attribute more", "/etc/group:attribute", "ea_set /etc/group user.note new"),
        _by("an attribute less", "/bin/tool:attribute", "ea_rm /bin/tool user.note"),
        _by("another value of an attribute", "/bin/tool:attribute", "ea_set /bin/tool user.note First"),
        _by("the last byte of a large attribute", "/lib/big:attribute",
            f"ea_set -f {directory}/other_large /lib/big user.large"),
    ]  # fmt: skip


def _links(directory: Path) -> list[Planted]:
    label = f"ea_set /lib/short security.selinux {LABEL.format('lib')}"
    return [
        _by("a link target", "/lib/short:target", "rm /lib/short", "symlink /lib/short bog", label),
        _by("a link target made absolute", "/lib/short:target", "rm /lib/short", "symlink /lib/short /lib/big", label),
        _at("a letter of a long link target", "/lib/long", 150, b"y", "/lib/long:target"),
        _by("a broken hard link", "/lib/one:hard links,/lib/two:hard links", "unlink /lib/two",
            _sif("/lib/one", "links_count", 1), f"write {directory}/content/lib/one /lib/two",
            _sif("/lib/two", "mode", "0100644"), *(_sif("/lib/two", field, 0) for field in ("uid", "gid"))),
        _by("a hard link for an equal file", "/lib/one:hard links,/lib/two:hard links,/lib/three:hard links",
            "rm /lib/three", "ln /lib/one /lib/three", _sif("/lib/one", "links_count", 3)),
    ]  # fmt: skip


def _names(directory: Path) -> list[Planted]:
    return [
        _by("an empty directory less", "/empty:missing", "rmdir /empty"),
        _by("an empty directory less, deep down", "/deep/er/est:missing", "rmdir /deep/er/est"),
        _by("an empty directory more", "/deep/more:added", "mkdir /deep/more"),
        _by("a file less", "/bin/suid:missing", "rm /bin/suid"),
        _by("a file more", "/bin/new:added", f"write {directory}/text /bin/new"),
        _by("a name that ends in another case", "/bin/tool:missing,/bin/tooL:added", "ln /bin/tool /bin/tooL",
            "unlink /bin/tool"),
        _by("a name with another odd byte", f"{ODD}:missing,{ODDER}:added", f'ln "{ODD}" "{ODDER}"', f'unlink "{ODD}"'),
        _by("a name that ends in a blank", "/bin/net:missing,/bin/net :added", 'ln /bin/net "/bin/net "',
            "unlink /bin/net"),
        replace(_by("a name with a newline", "/line_break:missing,/line\nbreak:added"), old=b"line_break",
                new=b"line\nbreak"),
    ]  # fmt: skip


def _types(directory: Path) -> list[Planted]:
    return [
        _by("the number of a device", "/dev/null:device", _sif("/dev/null", "block[0]", (1 << 8) + 5)),
        _by("the number of a disk", "/dev/disk:device", _sif("/dev/disk", "block[0]", 9 << 8)),
        _by("a character device for a block device", "/dev/disk:type", "cd /dev", "rm disk", "mknod disk c 8 0"),
        _by("a link for a file", "/lib/three:type", "rm /lib/three", "symlink /lib/three one"),
        _by("a file for a link", "/lib/long:type", "rm /lib/long", f"write {directory}/text /lib/long"),
        _by("a directory for a file", "/hole:type", "rm /hole", "mkdir /hole"),
        _by("a file for a directory", "/empty:type", "rmdir /empty", f"write {directory}/text /empty"),
        _by("a file for a pipe", "/pipe:type", "rm /pipe", f"write {directory}/text /pipe"),
    ]
