"""SELinux's messages as a real guest logged them: parsed, counted once each, and never taken for none."""

from pathlib import Path

import pytest

from atomic_lib.base.command import run
from atomic_lib.guest.evidence.denials import DENIALS_COMMAND, Denial, container_label, read_denials, read_mode

GENERATOR = (
    'audit: type=1400 audit(1795396144.439:5): avc:  denied  { link } for  pid=412 comm="ostree-system-g" '
    'name="#612" dev="tmpfs" ino=612 scontext=system_u:system_r:systemd_generator_t:s0 '
    "tcontext=system_u:object_r:init_runtime_t:s0 tclass=file permissive=1"
)
JOURNALD = (
    'audit: type=1400 audit(1795396152.{time}): avc:  denied  {{ read write }} for  pid=443 comm="systemd-journal" '
    'name="memory.pressure" dev="cgroup2" ino=1710 scontext=system_u:system_r:syslogd_t:s0 '
    "tcontext=system_u:object_r:cgroup_t:s0 tclass=file permissive=0"
)
DOCKERD = (
    'audit: type=1400 audit(1795396884.412:139): avc:  denied  { mounton } for  pid=1283 comm="runc:[2:INIT]" '
    'path="/var/lib/docker/overlay2/105653f1/merged/host" dev="vda3" ino=48 '
    "scontext=system_u:system_r:dockerd_t:s0 tcontext=system_u:object_r:etc_t:s0 tclass=dir permissive=0"
)
BUS = (
    "audit: type=1107 audit(1795396166.101:77): pid=546 uid=101 auid=4294967295 ses=4294967295 "
    "subj=system_u:system_r:system_dbusd_t:s0 msg='avc:  denied  { send_msg } for msgtype=method_call "
    "interface=org.freedesktop.login1.Manager member=CreateSession dest=org.freedesktop.login1 spid=599 tpid=549 "
    "scontext=system_u:system_r:sshd_t:s0 tcontext=system_u:system_r:systemd_logind_t:s0 tclass=dbus permissive=0 "
    ' exe="/usr/bin/dbus-daemon" sauid=101 hostname=? addr=? terminal=?\''
)
SUPPRESSED = "kauditd_printk_skb: 85 callbacks suppressed"
END = "journal read"


def test_the_fields_of_a_denial_by_the_kernel() -> None:
    found = read_denials("\n".join([GENERATOR, DOCKERD, END]))
    assert found is not None
    assert found.distinct == (
        Denial(permissions=("link",), source="systemd_generator_t", target="init_runtime_t", target_class="file",
               comm="ostree-system-g", name="#", permissive=True),
        Denial(permissions=("mounton",), source="dockerd_t", target="etc_t", target_class="dir", comm="runc:[2:INIT]",
               name="/var/lib/docker/overlay2/105653f1/merged/host"),
    )  # fmt: skip


def test_a_denial_by_the_message_bus_counts_as_well() -> None:
    found = read_denials(f"{BUS}\n{END}")
    assert found is not None
    assert found.distinct == (
        Denial(permissions=("send_msg",), source="sshd_t", target="systemd_logind_t", target_class="dbus",
               comm="/usr/bin/dbus-daemon"),
    )  # fmt: skip


def test_equal_denials_are_one_with_a_count_and_one_message_counts_once() -> None:
    lines = [JOURNALD.format(time="255:13"), JOURNALD.format(time="255:13"), JOURNALD.format(time="300:20"), END]
    found = read_denials("\n".join(lines))
    assert found is not None
    assert [(denial.permissions, denial.count) for denial in found.distinct] == [(("read", "write"), 2)]


def test_what_the_kernel_did_not_print_is_counted_as_lost() -> None:
    found = read_denials("\n".join([GENERATOR, SUPPRESSED, END]))
    assert found is not None
    assert (found.count, found.lost) == (86, 85)


def test_no_denial_is_told_from_a_journal_that_was_not_read() -> None:
    none = read_denials(f"{END}\n")
    assert none is not None
    assert none.count == 0
    assert read_denials("") is None
    assert read_denials(GENERATOR) is None


@pytest.mark.parametrize(("journal", "read"), [("echo nothing", True), ("echo half; false", False)])
def test_the_end_mark_is_of_a_whole_journal(tmp_path: Path, journal: str, read: bool) -> None:
    fake = tmp_path / "journalctl"
    fake.write_text(f"#!/bin/sh\n{journal}\n")
    fake.chmod(0o755)
    told = run(["sh", "-c", f"PATH={tmp_path}:$PATH; {DENIALS_COMMAND} || :"]).stdout
    assert (read_denials(told) is not None) == read


@pytest.mark.parametrize(
    ("answer", "mode"), [("1", "enforcing"), ("0\n", "permissive"), ("disabled", "disabled"), ("", None), ("x", None)]
)
def test_the_mode(answer: str, mode: str | None) -> None:
    assert read_mode(answer) == mode


def test_the_label_of_a_container() -> None:
    assert (
        container_label("system_u:system_r:container_t:s0:c449,c550\0\n")
        == "system_u:system_r:container_t:s0:c449,c550"
    )
    assert container_label("system_u:system_r:dockerd_t:s0") == ""
