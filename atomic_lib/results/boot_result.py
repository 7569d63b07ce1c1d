"""The parts of a result that are about boots: wall-clock, counted, and what was found in the guest."""

from typing import Literal

from pydantic import Field

from atomic_lib.base.model import Accelerator, Bytes, Count, Firmware, Model, Seconds


class Phases(Model):
    """The parts of a boot, as the guest's systemd counts them; None where it could not tell."""

    firmware_loader_seconds: Seconds | None = None
    kernel_seconds: Seconds | None = None
    initrd_seconds: Seconds | None = None
    userspace_seconds: Seconds | None = None


class UnitTime(Model):
    """One systemd unit in a boot. ``seconds``: from the start of its activation to its end.

    ``started_seconds`` counts from the start of QEMU. ``critical``: on the chain of units that
    the boot's end waited for. ``package`` owns the unit's file, None where none does.
    ``cpu_seconds`` and ``memory_bytes`` are its cgroup's, once the boot was done.
    """

    unit: str
    seconds: Seconds
    started_seconds: Seconds | None = None
    critical: bool = False
    package: str | None = None
    cpu_seconds: Seconds | None = None
    memory_bytes: Bytes | None = None


class Mark(Model):
    """A milestone of a boot, ``seconds`` after the start of QEMU."""

    name: Literal[
        "kernel", "initrd", "userspace", "ssh-banner", "ssh-login", "provisioned", "multi-user", "docker-ready",
        "container-exited",
    ]  # fmt: skip
    seconds: Seconds


class Listener(Model):
    """A listening socket of the running guest."""

    protocol: str
    address: str
    program: str = ""


class Denial(Model):
    """One distinct denial of SELinux in a boot, with how often it came; ``permissive``: it was logged only.

    ``source`` and ``target`` are types; ``name``: the path, where the kernel knew it, else its last part.
    """

    permissions: tuple[str, ...]
    source: str
    target: str
    target_class: str
    comm: str = ""
    name: str = ""
    permissive: bool = False
    count: Count = 1


class CountedUnit(Model):
    """Processor time of one unit in a counted boot."""

    unit: str
    cpu_seconds: Seconds
    package: str | None = None


class CountedBoot(Model):
    """One boot under instruction counting. Its seconds are counted, never wall-clock seconds.

    ``busy_seconds`` is the sum of the units' and ``kernel_seconds`` (what no unit owns).
    ``milestones`` count from the start of the guest's clock. ``changed_units`` ran otherwise than
    in a plain boot; ``apparatus_seconds``, what the counting itself cost, are not in it.
    """

    busy_seconds: Seconds
    kernel_seconds: Seconds
    milestones: dict[str, Seconds] = Field(default_factory=dict)
    units: tuple[CountedUnit, ...] = ()
    masked_units: tuple[str, ...] = ()
    changed_units: tuple[str, ...] = ()
    failed_units: tuple[str, ...] = ()
    apparatus_seconds: Seconds | None = None
    seed: Count | None = None
    shift: Count
    qemu_version: str | None = None
    console_log: str | None = None


class Check(Model):
    """One proof of life."""

    name: str
    passed: bool
    detail: str = ""


class BootHost(Model):
    """The machine that a boot was measured on. ``load_1m`` is its load average at the start.

    ``other_busy_cpus``: how many of its processors were busy with anything else, on average over the boot.
    """

    cpu_model: str | None = None
    cpus: Count | None = None
    load_1m: Seconds | None = None
    load_1m_after: Seconds | None = None
    other_busy_cpus: Seconds | None = None
    qemu_version: str | None = None


class Boot(Model):
    """One boot of one image. Times count from the start of QEMU unless named a phase.

    ``console_log``: path relative to the run's directory. ``warm_up``: not counted in
    medians. ``started``: UTC, ISO 8601.
    ``denials``: from the kernel's start to the end of the first container; ``denials_lost`` of
    them were too many at once to be printed.
    ``marks`` are in order of time. Counts of what runs are of the moment when the boot was done.
    """

    index: Count
    warm_up: bool = False
    started: str | None = None
    firmware: Firmware
    accelerator: Accelerator
    cpus: Count | None = None
    memory_mib: Count | None = None
    ssh_login_seconds: Seconds | None = None
    docker_ready_seconds: Seconds | None = None
    script_done_seconds: Seconds | None = None
    multi_user_seconds: Seconds | None = None
    phases: Phases = Phases()
    marks: tuple[Mark, ...] = ()
    units: tuple[UnitTime, ...] = ()
    memory_used_bytes: Bytes | None = None
    memory_total_bytes: Bytes | None = None
    process_count: Count | None = None
    service_count: Count | None = None
    setuid_files: tuple[str, ...] | None = None
    listeners: tuple[Listener, ...] | None = None
    failed_units: tuple[str, ...] = ()
    selinux_mode: Literal["enforcing", "permissive", "disabled"] | None = None
    denials: tuple[Denial, ...] | None = None
    denials_lost: Count | None = None
    checks: tuple[Check, ...] = ()
    host: BootHost = BootHost()
    kernel_release: str | None = None
    console_log: str | None = None
