"""The columns of the CSV tables: data type, unit and meaning of each. ``docs/tables.md`` is made of this.

``python -m atomic_lib.results.tables.csv_columns`` prints that page.
"""

from dataclasses import dataclass
from typing import Literal

from atomic_lib.results.tables.csv_tables import csv_headers

Dtype = Literal["string", "Int64", "Float64", "boolean", "datetime64[us, UTC]"]
"""The pandas data type of a column; all of them have a value for "not measured", an empty field in the file."""

_HEAD = """# The tables of a run

`./workbook run` writes these CSV files beside the page of the run. They are tidy: one observation in a row, one
quantity in a column, the unit in the name of the column (in `figures.csv` in the column `unit`). An empty field means
"not measured". `figures.csv` has every figure of the comparison, counted boots included; the other files have the
single packages, boots and units behind them. Only a run of a study with updates ([updates.md](updates.md)) has the
last five files.

`atomic_lib.load_results()` reads them as pandas tables with the data types below:

```python
import atomic_lib

tables = atomic_lib.load_results()  # of build/runs/latest-default; or load_results("build/runs/ID")
figures = tables["figures"]
trees = figures[figures.figure == "tree_bytes"].set_index("variant").value / 1e6
print(trees - trees["cloud-docker"])  # MB more or less than the baseline

packages = tables["packages"]
print(packages.groupby(["variant", "class"])["bytes"].sum().unstack("variant"))
```

<!-- Made by: python -m atomic_lib.results.tables.csv_columns >docs/tables.md -->
"""


@dataclass(frozen=True)
class Column:
    """What a column holds. ``unit``: empty where the values are no quantity."""

    dtype: Dtype
    unit: str
    meaning: str


def column_of(table: str, name: str) -> Column:
    """The column of a table (``figures``, without ``.csv``); raises KeyError for one that is not described."""
    return _COLUMNS.get(f"{table}.{name}") or _COLUMNS[name]


def columns_page() -> str:
    """The documentation of all tables, as Markdown."""
    parts = [_HEAD]
    for file, names in csv_headers().items():
        rows = [(name, column_of(file.removesuffix(".csv"), name)) for name in names]
        lines = [f"| `{name}` | {c.dtype} | {c.unit} | {c.meaning} |" for name, c in rows]
        parts.append(
            "\n".join([f"## {file}\n", "| column | dtype | unit | meaning |", "|---|---|---|---|", *lines, ""])
        )
    return "\n".join(parts)


def _text(meaning: str) -> Column:
    return Column("string", "", meaning)


def _flag(meaning: str) -> Column:
    return Column("boolean", "", meaning)


def _size(meaning: str) -> Column:
    return Column("Int64", "bytes", meaning)


def _count(unit: str, meaning: str = "") -> Column:
    return Column("Int64", unit, meaning or f"number of {unit}")


def _wall(meaning: str) -> Column:
    return Column("Float64", "seconds", meaning)


def _counted(meaning: str) -> Column:
    return Column("Float64", "counted seconds", meaning)


def _number(unit: str, meaning: str) -> Column:
    return Column("Float64", unit, meaning)


_COLUMNS = {
    "run": _text("the run that measured it: the name of its directory"),
    "date": Column("datetime64[us, UTC]", "", "when the run was finished, ISO 8601"),
    "content": _text("the content: the name of a file in params/content"),
    "variant": _text("the variant"),
    "figure": _text(
        "the name of the figure; `NAME:FIRMWARE:ACCELERATOR` for wall-clock boots, `forbidden:KIND` for files"
    ),
    "value": _number("see `unit`", "the figure; of several boots the median"),
    "unit": _text("`bytes`, `count`, `seconds` (wall-clock) or `counted_seconds`"),
    "n": _count("samples", "how many samples `value` is the median of; 0: not measured"),
    "name": _text("the package"),
    "milestones.name": _text("the milestone"),
    "counted_milestones.name": _text("the milestone"),
    "denials.name": _text("the file or service that was accessed"),
    "checks.name": _text("the check of the proof of life"),
    "epoch": _count("", "the epoch of the package's version"),
    "version": _text("the version of the package"),
    "release": _text("the release of the package"),
    "arch": _text("the architecture of the package"),
    "files": _count("files"),
    "bytes": _size("apparent size in the tree"),
    "class": _text("the footprint class, by params/rules/classes.yaml"),
    "allocated_bytes": _size("whole blocks of the file system that the tree was composed on"),
    "image_bytes": _size("blocks in the raw image"),
    "qcow2_bytes": _size("share of the compressed image"),
    "download_bytes": _size("size of the RPM file"),
    "why": _text("the shortest chain of requirements from the recipe, with the kind of each link"),
    "path": _text("the path"),
    "part": _text("a footprint class, or a part that only an image has"),
    "verdict": _text("`right`, `explained` (by an exception) or `wrong`"),
    "exception": _text("the exception in params/rules/labels.yaml"),
    "paths": _count("paths"),
    "label": _text("the SELinux label that the path has"),
    "wanted": _text("the label that the policy gives it"),
    "reason": _text("why it is allowed, or failed"),
    "guard": _text("the guard"),
    "found": _text("what the guard found"),
    "detail": _text("what was observed"),
    "allowed": _flag("whether a rule allows it"),
    "container": _text("the container image: the name of a file in params/treefiles"),
    "place": _text("`shared` (in the container image and on the host), `container` or `host`: only there"),
    "container_packages.files": _count("files", "files in the container image; of a package of the host only, there"),
    "container_packages.bytes": _size("apparent size in the container image; of a package of the host only, there"),
    "shared_bytes": _size("of these bytes, those that the host has as the same files"),
    "container_files.package": _text("the package that owns the file"),
    "container_files.path": _text("a file that is not the same in the container image and on the host"),
    "container_files.reason": _text("why it is not the same"),
    "removed": _text("the class of packages that is not installed"),
    "title": _text("its title"),
    "packages": _count("packages"),
    "departures.bytes": _size("what the tree loses"),
    "entries": _text("entries of the recipe that need it, separated by spaces"),
    "names": _text("the packages removed, separated by spaces"),
    "arrivals": _text("the packages that come in their place, separated by spaces"),
    "decision": _text("the step of the waterfall"),
    "factor": _text("the factor"),
    "level": _text("the level of the factor in this cell"),
    "package_count": _count("packages"),
    "tree_bytes": _size("the tree"),
    "tree_files": _count("files"),
    "fallback": _text("the variant that stands in for the failed one"),
    "fallbacks.run": _text("the run in which the failed variant last succeeded"),
    "failed_value": _number("see `unit`", "the figure of the failed variant, when it last succeeded"),
    "fallback_value": _number("see `unit`", "the figure of the fallback"),
    "cost": _number("see `unit`", "the difference of the two"),
    "firmware": _text("`bios` or `uefi`; of failed boots also `counted`"),
    "index": _count("", "the number of the boot of its kind, from 0 (a warm-up boot) or 1"),
    "accelerator": _text("`kvm` or `tcg`"),
    "warm_up": _flag("whether it is a warm-up boot, which is in no median"),
    "started": Column("datetime64[us, UTC]", "", "when QEMU was started, ISO 8601"),
    "cpus": _count("CPUs", "CPUs of the guest"),
    "memory_mib": _count("MiB", "memory of the guest"),
    "ssh_login_seconds": _wall("from the start of QEMU to the ssh login"),
    "docker_ready_seconds": _wall("from the start of QEMU to the first answer of `docker version`"),
    "script_done_seconds": _wall("from the start of QEMU to the end of the user-data script"),
    "multi_user_seconds": _wall("from the start of QEMU to multi-user.target"),
    "alone": _flag("whether no other build or boot of the workbook ran beside the boot"),
    "memory_used_bytes": _size("memory in use in the guest after the boot"),
    "memory_total_bytes": _size("memory of the guest as its kernel reports it"),
    "process_count": _count("processes", "user processes after the boot"),
    "service_count": _count("services", "running services after the boot"),
    "selinux_mode": _text("`enforcing`, `permissive` or `disabled`"),
    "denials_lost": _count("messages", "SELinux messages that the kernel dropped"),
    "kernel_release": _text("the kernel (`uname -r`)"),
    "console_log": _text("the console log, relative to the directory of the run"),
    "listeners": _count("sockets", "listening sockets"),
    "setuid_files": _count("files", "set-uid files"),
    "firmware_loader_seconds": _wall("firmware and boot loader"),
    "kernel_seconds": _wall("kernel"),
    "initrd_seconds": _wall("initrd"),
    "userspace_seconds": _wall("userspace"),
    "host_cpu_model": _text("the processor of the host"),
    "host_cpus": _count("CPUs", "CPUs of the host"),
    "host_load_1m": _number("processes", "load of the host before the boot, average of a minute"),
    "host_load_1m_after": _number("processes", "load of the host after the boot, average of a minute"),
    "host_other_busy_cpus": _number("CPUs", "CPUs that other processes of the host kept busy"),
    "host_qemu_version": _text("the version of QEMU"),
    "seconds": _wall("duration of the activation"),
    "milestones.seconds": _wall("from the start of QEMU"),
    "stages.seconds": _wall("how long the stage took when it was made"),
    "units.unit": _text("the systemd unit"),
    "counted_units.unit": _text("the systemd unit"),
    "package": _text("the package that owns the unit's file"),
    "started_seconds": _wall("from the start of QEMU to the start of the activation"),
    "critical": _flag("whether the unit is on the critical chain"),
    "cpu_seconds": _wall("processor time of the unit's cgroup when the boot was done"),
    "memory_bytes": _size("memory of the unit's cgroup when the boot was done"),
    "protocol": _text("`tcp` or `udp`"),
    "address": _text("address and port"),
    "program": _text("the program that listens"),
    "permissions": _text("the permissions that were denied, separated by spaces"),
    "source": _text("the SELinux context that asked"),
    "target": _text("the SELinux context of what was accessed"),
    "target_class": _text("the SELinux class of what was accessed"),
    "comm": _text("the command"),
    "permissive": _flag("whether it was allowed all the same"),
    "count": _count("messages"),
    "passed": _flag("whether the check passed"),
    "counted_boots.index": _count("", "the number of the counted boot, from 1"),
    "busy_counted_seconds": _counted("time in which the processor does not wait"),
    "kernel_counted_seconds": _counted("busy time that belongs to no unit"),
    "shift": _count("", "QEMU's icount shift: an instruction takes 2^shift ns"),
    "qemu_version": _text("the version of QEMU"),
    "seed": _text("the seed of the boot's randomness"),
    "masked_units": _text("units that are masked in counted boots, separated by spaces"),
    "changed_units": _text("units that are changed in counted boots, separated by spaces"),
    "counted_seconds": _counted("from the start of the kernel, on the guest's clock"),
    "cpu_counted_seconds": _counted("processor time of the unit"),
    "stage": _text("the stage of the build"),
    "reused": _flag("whether this run took it from the store"),
    "key": _text("the key of the stage's result in the store"),
    "changes": _text("what version 2 changes, separated by spaces"),
    "way": _text("the way to have the update"),
    "update_ways.source": _text(
        "where the figure is from: predicted from the `locks` or from both `versions`; measured over `loopback` or in "
        "the `guest`"
    ),
    "requests": _count("requests"),
    "update_ways.bytes": _size("what is downloaded, without HTTP headers"),
    "update_steps.step": _text("the step: `deploy` is the installation with dnf, `rollback` the undoing"),
    "update_steps.seconds": _wall("duration of the step; of a reboot, until the login"),
    "docker_seconds": _wall("from the command to reboot until Docker answers"),
    "update_steps.bytes": _size("what the step downloads, without HTTP headers"),
    "written_bytes": _size("what the step writes to the disk"),
    "processor_seconds": _wall("what the processors of the guest worked, in ticks of its clock"),
    "disk_used_bytes": _size("disk used after the step"),
    "recording": _text("the upgrade (`none`), or what a control has: `no-fsync`, `no-sync`, `dnf`"),
    "power_cuts.step": _text("the step in which the power fails"),
    "kind": _text("`at a flush`, or which of the writes since the last one are on the disk"),
    "flush": _count("", "the number of the flush before the cut, among the writes and flushes from the download on"),
    "kept": _count("writes", "how many writes since this flush are on the disk"),
    "outcome": _text("`version 1`, `version 2`, `mixed` or `unbootable`"),
    "damaged_parts": _text("parts of the system that are not whole, separated by commas; empty: all are whole"),
    "fault": _text("what is wrong with version 2"),
    "automatic_returns.version": _text("the version that runs in the end"),
    "as_expected": _flag("whether all is as it must be"),
    "version_2_boots": _count("boots", "boots of version 2 after the update"),
    "version_1_boots": _count("boots", "boots of version 1 after the update"),
    "automatic_returns.seconds": _wall("from the command to reboot until a version is proven"),
    "limit_seconds": _wall("the time limit"),
    "case": _text("what is wrong with the update"),
    "command": _text("what the administrator types; see docs/updates.md"),
    "expected": _text("`refused`, `resumed` or `accepted`"),
    "status": _count("", "exit status of the command"),
    "refused_updates.bytes": _size("what the server sent, without HTTP headers"),
    "objects": _count("objects", "how many objects of version 2 were asked for"),
    "repeat_status": _count("", "the same of the second attempt, without the fault; empty: there was none"),
    "repeat_requests": _count("requests"),
    "repeat_bytes": _size("what the server sent, without HTTP headers"),
    "repeat_objects": _count("objects", "how many objects of version 2 were asked for"),
}


if __name__ == "__main__":
    print(columns_page(), end="")
