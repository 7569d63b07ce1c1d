"""How far a guest is, by its console: for the progress of a boot. What is measured comes from the guest's own clock."""

import re

_SIGNS = {
    "kernel": re.compile(r"Linux version|^\[ *\d+\.\d{6}\]", re.MULTILINE),
    "systemd in the initrd": re.compile(r"Booting initrd|Reached target initrd"),
    "systemd": re.compile(r"^Welcome to ", re.MULTILINE),
    "network": re.compile(r"Reached target network\.target"),
    "login prompt": re.compile(r" login: "),
    "agent": re.compile(r"Finished (?:min-cloud-agent|cloud-final|ignition-fetch)"),
    "multi-user.target": re.compile(r"Reached target multi-user\.target"),
}
"""What the kernel and systemd write to the console, in the usual order; systemd(1), ``systemd.show_status``."""


def console_milestone(console: str) -> str:
    """The last milestone that a guest's console shows; "firmware" before the first one."""
    ends = {name: max((found.end() for found in sign.finditer(console)), default=0) for name, sign in _SIGNS.items()}
    first = {name: end for name, end in ends.items() if end and name != "kernel"}
    if first:
        return max(first, key=lambda name: first[name])
    return "kernel" if ends["kernel"] else "firmware"
