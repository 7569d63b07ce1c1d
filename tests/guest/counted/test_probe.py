"""The probe's report: read, checked, and every counted second given to its unit."""

import hashlib
import re
from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.guest.counted import probe_initramfs
from atomic_lib.guest.counted.probe import counted_milestones, read_report
from atomic_lib.guest.counted.probe_initramfs import PROBE_UNIT, REPORT_HEAD
from atomic_lib.guest.counted.unit_costs import unit_costs

SECTIONS = {
    "state": "running\n",
    "clock": (
        "now at 21465398053 nsecs\n  .idle_sleeptime : 1838093568 nsecs\n"
        "  .iowait_sleeptime: 0 nsecs\nusage_usec 45000\n"
    ),
    "initrd": "46000\n",
    "script": "16.21\n",
    "groups": (
        "./init.scope/cpu.stat:usage_usec 3700000\n"
        "./dev-mqueue.mount/cpu.stat:usage_usec 26000\n"
        "./system.slice/cpu.stat:usage_usec 9000000\n"
        "./system.slice/docker.service/cpu.stat:usage_usec 1400000\n"
        "./system.slice/docker.service/inner.service/cpu.stat:usage_usec 400000\n"
        "./system.slice/counted-probe.service/cpu.stat:usage_usec 60000\n"
        "./system.slice/counted-metadata.service/cpu.stat:usage_usec 97000\n"
        "./system.slice/system-getty.slice/cpu.stat:usage_usec 67000\n"
        "./system.slice/system-getty.slice/getty@tty1.service/cpu.stat:usage_usec 67000\n"
        "./cpu.stat:usage_usec 20000000\n"
    ),
    "manager": "InitRDTimestampMonotonic=3060709\nUserspaceTimestampMonotonic=7776804\nFinishTimestampMonotonic=0\n",
    "units": (
        "Id=docker.service\nActiveState=active\nCPUUsageNSec=1500000000\nSlice=system.slice\n"
        "ActiveEnterTimestampMonotonic=21356136\n\n"
        "Id=ldconfig.service\nActiveState=failed\nCPUUsageNSec=66000000\nSlice=system.slice\n\n"
        "Id=odd\\x2dname@a.b.service\nActiveState=active\nCPUUsageNSec=5000000\nSlice=system-odd.slice\n\n"
        "Id=idle.mount\nActiveState=active\nCPUUsageNSec=18446744073709551615\nSlice=system.slice\n\n"
        "Id=system.slice\nCPUUsageNSec=9100000000\n"
    ),
    "journal": (
        '{"UNIT":"cloud-init-main.service","CPU_USAGE_NSEC":"1250000000","__MONOTONIC_TIMESTAMP":"8000000"}\n'
        '{"UNIT":"docker.service","CPU_USAGE_NSEC":"1100000000","__MONOTONIC_TIMESTAMP":"9000000"}\n'
        '{"UNIT":"cloud-init-main.service","CPU_USAGE_NSEC":"1750000000","__MONOTONIC_TIMESTAMP":"9500000"}\n'
        '{"UNIT":"docker.service","CPU_USAGE_NSEC":"1000000000","__MONOTONIC_TIMESTAMP":"7776803"}\n'
    ),
}


def report(**changed: str) -> str:
    sections = SECTIONS | changed
    body = REPORT_HEAD + "\n" + "".join(f"== {name}\n{text}" for name, text in sections.items())
    return f"{body}== sum\n{hashlib.sha256(body.encode()).hexdigest()}  -\n"


def test_the_probe_writes_the_sections_that_are_read() -> None:
    probe = (Path(probe_initramfs.__file__).parent / "initramfs/probe").read_text()
    assert re.findall(r'^echo "== (\w+)"', probe, flags=re.MULTILINE) == [*SECTIONS, "sum"]
    assert f'\necho "{REPORT_HEAD}"\n' in probe
    assert f"/{PROBE_UNIT}/cpu.stat" in probe


def test_the_units_and_the_remainder_are_all_of_the_busy_time() -> None:
    counts = read_report(report()).counts
    costs = {unit.unit: unit.cpu_seconds for unit in counts.units}
    assert counts.busy_seconds == round(sum(costs.values()) + counts.outside_units_seconds, 6)
    probe_seconds = 0.046 + 0.045 + 0.097
    assert counts.probe_seconds == pytest.approx(probe_seconds)
    assert counts.busy_seconds == pytest.approx(21.465398053 - 1.838093568 - probe_seconds, abs=1e-6)
    assert costs["init.scope"] == 3.7
    assert [unit.cpu_seconds for unit in counts.units] == sorted(costs.values(), reverse=True)


def test_a_running_unit_has_its_groups_figure_and_an_ended_one_what_systemd_remembers() -> None:
    costs = {unit.unit: unit.cpu_seconds for unit in read_report(report()).counts.units}
    assert costs["docker.service"] == 1.4  # not 1.5: systemd was asked later
    assert costs["ldconfig.service"] == 0.066
    assert costs["getty@tty1.service"] == 0.067
    assert costs["odd\\x2dname@a.b.service"] == 0.005
    assert "inner.service" not in costs  # inside of docker.service, and in its figure
    assert "idle.mount" not in costs  # systemd never counted it
    assert not [unit for unit in costs if unit.startswith("counted-")]


def test_a_unit_that_is_no_longer_loaded_has_what_the_journal_noted() -> None:
    costs = {unit.unit: unit.cpu_seconds for unit in read_report(report()).counts.units}
    assert costs["cloud-init-main.service"] == 3.0  # both of its runs
    assert costs["docker.service"] == 1.4  # loaded: the journal is not asked
    assert costs["docker.service (initrd)"] == 1.0  # another unit of that name, before userspace
    quiet = {unit.unit: unit.cpu_seconds for unit in read_report(report(journal="")).counts.units}
    assert quiet["system.slice"] == pytest.approx(costs["system.slice"] + 4.0)


@pytest.mark.parametrize("line", ["No journal files\n", "{}\n", "[1]\n", '{"UNIT":"a","CPU_USAGE_NSEC":null}\n'])
def test_a_line_that_is_no_message_is_an_error(line: str) -> None:
    with pytest.raises(WorkbookError, match="not a unit's usage"):
        read_report(report(journal=line))


def test_a_slice_keeps_what_its_units_do_not_explain() -> None:
    costs = {unit.unit: unit.cpu_seconds for unit in read_report(report()).counts.units}
    explained = 4.0 + 1.4 + 0.06 + 0.097 + 0.067 + 0.066 + 0.005 + 0.046
    assert costs["system.slice"] == pytest.approx(9.0 - explained)


def test_a_slice_whose_units_explain_it_all_has_no_row() -> None:
    groups = {"/": 2.0, "/system.slice": 1.0, "/system.slice/a.service": 1.0005, "/user.slice": 0.0}
    assert unit_costs(groups, [], {}) == {"a.service": 1.0005}  # read a moment later than the slice


def test_units_that_explain_more_than_their_slice_are_an_error() -> None:
    groups = {"/": 2.0, "/system.slice": 1.0, "/system.slice/a.service": 0.8}
    remembered = [{"Id": "b.service", "CPUUsageNSec": "300000000", "Slice": "system.slice"}]
    with pytest.raises(WorkbookError, match=r"units of system\.slice took longer"):
        unit_costs(groups, remembered, {})


def test_units_that_explain_more_than_the_processor_are_an_error() -> None:
    text = report(groups=SECTIONS["groups"].replace("init.scope/cpu.stat:usage_usec 3700000",
                                                    "init.scope/cpu.stat:usage_usec 37000000"))  # fmt: skip
    with pytest.raises(WorkbookError, match="busy for longer"):
        read_report(text)


def test_a_serial_port_ends_lines_in_its_own_way() -> None:
    assert read_report(report().replace("\n", "\r\n")) == read_report(report())


def test_milestones_leave_out_what_never_happened() -> None:
    counts = read_report(report()).counts
    assert counts.milestones == {"initrd": 3.060709, "userspace": 7.776804, "docker": 21.356136, "script": 16.21}
    assert "script" not in read_report(report(script="")).counts.milestones
    cloud = [{"Id": "cloud-final.service", "ActiveEnterTimestampMonotonic": "32860021"}]
    assert counted_milestones({}, cloud) == {"provisioned": 32.860021}


def test_state_and_failed_units_are_kept() -> None:
    found = read_report(report(state="degraded\n"))
    assert (found.state, found.counts.failed_units) == ("degraded", ("ldconfig.service",))


@pytest.mark.parametrize("length", [0, 10, 200, 700])
def test_a_report_that_is_cut_off_is_an_error(length: int) -> None:
    with pytest.raises(WorkbookError, match=r"cut off|does not begin"):
        read_report(report()[:length])


def test_a_garbled_report_is_an_error() -> None:
    with pytest.raises(WorkbookError, match="garbled"):
        read_report(report().replace("usage_usec 1400000", "usage_usec 1400"))


def test_a_time_of_the_script_that_is_none_is_an_error() -> None:
    with pytest.raises(WorkbookError, match="script: not a number of seconds: 'soon'"):
        read_report(report(script="soon\n"))


@pytest.mark.parametrize("name", ["state", "clock", "initrd", "groups", "manager", "units"])
def test_an_empty_section_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(WorkbookError, match=f"lacks its section {name}"):
        read_report(report(**{name: ""}))


def test_a_kernel_without_idle_times_is_an_error_and_not_a_zero() -> None:
    clock = SECTIONS["clock"].replace("idle_sleeptime", "something")
    with pytest.raises(WorkbookError, match="lacks the idle time"):
        read_report(report(clock=clock))


@pytest.mark.parametrize("line", ["cat: can't open 'x'\n", "./a.service/cpu.stat:usage_usec -5\n"])
def test_a_line_that_is_no_usage_is_an_error(line: str) -> None:
    with pytest.raises(WorkbookError, match="not a control group's usage"):
        read_report(report(groups=SECTIONS["groups"] + line))
