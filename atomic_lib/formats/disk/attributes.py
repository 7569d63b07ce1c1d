"""Extended attributes as text: a label, a list of capabilities, plain text or hex digits.

Formats: linux/capability.h (struct vfs_cap_data); text form: cap_from_text(3). No library: Python
has none for capabilities, and getcap needs the file on a mounted file system.
"""

import struct

LABEL = "security.selinux"
CAPABILITY = "security.capability"
# In the order of their bits: linux/capability.h.
_CAPABILITIES = (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service "
    "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct "
    "sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap "
    "mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
)
_REVISIONS = {0x02: 20, 0x03: 24}
_EFFECTIVE = 1


def attribute_text(name: str, value: bytes) -> str:
    """The value of an attribute as text; two texts are equal only if the values are."""
    if name == LABEL and value.endswith(b"\0"):
        value = value[:-1]
        return _plain(value) or f"0x{value.hex()}00"
    if name == CAPABILITY:
        return _capabilities(value) or f"0x{value.hex()}"
    return _plain(value) or f"0x{value.hex()}"


def _plain(value: bytes) -> str:
    """A value as text; empty where it is not printable, or could be mistaken for hex digits."""
    text = value.decode("ascii", errors="replace")
    return text if value.isascii() and text.isprintable() and not text.startswith("0x") else ""


def _capabilities(value: bytes) -> str:
    """Capabilities as setcap takes them: ``cap_net_raw=ep``; empty for an unknown form."""
    if len(value) not in _REVISIONS.values():
        return ""
    head, *words = struct.unpack(f"<{len(value) // 4}I", value)
    if _REVISIONS.get(head >> 24) != len(value) or head & 0xFFFFFE:
        return ""
    names = _CAPABILITIES.split()
    permitted, inheritable = words[0] | words[2] << 32, words[1] | words[3] << 32
    if (permitted | inheritable) >> len(names):
        return ""
    sets: dict[str, list[str]] = {}
    for bit, name in enumerate(names):
        flags = ("p" if permitted >> bit & 1 else "") + ("i" if inheritable >> bit & 1 else "")
        if flags:
            sets.setdefault(flags, []).append(f"cap_{name}")
    effective = "e" if head & _EFFECTIVE else ""
    text = " ".join(f"{','.join(names)}={effective}{flags}" for flags, names in sets.items()) or f"={effective}"
    return text + (f" in the namespace of user {words[4]}" if len(words) > 4 else "")
