"""SELinux in a guest: its mode, its denials, and whether containers are confined.

Format of the messages: https://selinuxproject.org/page/NB_AL (kernel) and dbus-daemon's and
systemd's USER_AVC, which reach the journal through the kernel's audit as well.
"""

import re
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from atomic_lib.base.model import Count, Model, SelinuxMode

MODE_COMMAND = "cat /sys/fs/selinux/enforce 2>/dev/null || echo disabled"
DENIALS_COMMAND = (
    "{ journalctl -b --no-pager -o cat && echo journal read; } | grep -aE"
    " 'avc: +denied|kauditd_printk_skb: [0-9]+ callbacks suppressed|^journal read$'"
)
_MODES: dict[str, SelinuxMode] = {"1": "enforcing", "0": "permissive", "disabled": "disabled"}
_DENIED = re.compile(r"avc: +denied +\{ ([^}]+) \}(.*?)scontext=(\S+) tcontext=(\S+) tclass=(\w+)(.*)")
_SERIAL = re.compile(r"audit\(([0-9.]+:[0-9]+)\)")
_SUPPRESSED = re.compile(r"kauditd_printk_skb: ([0-9]+) callbacks suppressed")
# The kernel writes what is not plain text as hexadecimal digits, without quotes.
_FIELD = r'(?:^|\s){}=(?:"([^"]*)"|(\S+))'
_ANONYMOUS = re.compile(r"#[0-9]+")
"""The name of a file that has none yet (O_TMPFILE): its inode, another one at each boot."""


class Denial(Model):
    """One distinct SELinux denial of a boot; ``count``: how often it was logged; ``permissive``: logged only.

    ``source`` and ``target`` are types. ``name``: the path where the kernel knew it, else its last part.
    """

    permissions: tuple[str, ...]
    source: str
    target: str
    target_class: str
    comm: str = ""
    name: str = ""
    permissive: bool = False
    count: Count = 1


@dataclass(frozen=True)
class Denials:
    """The denials of a guest; ``lost``: the number of audit messages that the kernel suppressed."""

    distinct: tuple[Denial, ...]
    lost: int = 0

    @property
    def count(self) -> int:
        """The number of messages, lost ones included."""
        return sum(denial.count for denial in self.distinct) + self.lost


def read_mode(text: str) -> SelinuxMode | None:
    """Read the output of ``MODE_COMMAND``; None if it names no mode."""
    return _MODES.get(text.strip())


def read_denials(text: str) -> Denials | None:
    """Read the output of ``DENIALS_COMMAND``; None if the journal was not read to its end."""
    lines = text.strip().splitlines()
    if lines[-1:] != ["journal read"]:
        return None
    found: Counter[Denial] = Counter()
    seen: set[tuple[str, Denial]] = set()
    for line in lines:
        denial = _denial(line)
        serial = _SERIAL.search(line)
        # A message may reach the journal in two ways.
        if denial is None or (serial and (serial[1], denial) in seen):
            continue
        found[denial] += 1
        if serial:
            seen.add((serial[1], denial))
    lost = sum(int(match[1]) for line in lines if (match := _SUPPRESSED.search(line)))
    return Denials(tuple(denial.model_copy(update={"count": count}) for denial, count in found.items()), lost)


READ_LABEL = "/busybox cat /proc/self/attr/current 2>/dev/null; /busybox echo"
"""Prints the SELinux context of a container in it; an empty line where there is none."""


def shadow_command(program: Sequence[str], image: str) -> str:
    """Whether a second container may read the host's /etc/shadow, and its label; for an enforcing guest.

    ``program``: the container runtime. The directory is mounted, as dockerd may not even look at the file.
    """
    run = [*program, "run", "--rm", "--network", "none", "--volume", "/etc:/host:ro", image]
    enforcing = 'test "$(cat /sys/fs/selinux/enforce 2>/dev/null)" = 1 &&'
    return f"{enforcing} {shlex.join([*run, '/busybox', 'sh', '-c', f'{READ_LABEL}; /busybox cat /host/shadow'])}"


def container_label(text: str) -> str:
    """The first SELinux context of a container in an answer; empty if there is none."""
    match = re.search(r"\S+:container_t:\S+", text)
    return match[0].strip("\0") if match else ""


def _denial(line: str) -> Denial | None:
    match = _DENIED.search(line)
    if not match:
        return None
    permissions, about, source, target, target_class, rest = match.groups()
    return Denial(
        permissions=tuple(permissions.split()),
        source=_type_of(source),
        target=_type_of(target),
        target_class=target_class,
        comm=_field(about, "comm") or _field(rest, "exe"),
        name=_ANONYMOUS.sub("#", _field(about, "path") or _field(about, "name")),
        permissive=_field(rest, "permissive").startswith("1"),
    )


def _type_of(context: str) -> str:
    return context.split(":")[2] if context.count(":") >= 2 else context


def _field(text: str, name: str) -> str:
    match = re.search(_FIELD.format(name), text)
    return (match[1] if match[1] is not None else match[2]) if match else ""
