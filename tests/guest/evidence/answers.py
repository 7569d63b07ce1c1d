"""What a guest answers after a good boot, and what is read from answers."""

from collections.abc import Mapping

from atomic_lib.guest.evidence.guest_queries import Answer, Answers, Secret
from atomic_lib.guest.evidence.milestones import BootContext
from atomic_lib.guest.evidence.proof_of_life import Evidence, read_evidence
from atomic_lib.guest.evidence.systemd import Phases
from atomic_lib.guest.timed_boot import BootRequest
from atomic_lib.guest.vm.clock import Clock
from atomic_lib.guest.vm.host_load import BootHost

SECRET = Secret("0123456789abcdef0123456789abcdef")
CLOCK = Clock(4.0, 0.1, 0.02)
CONTEXT = BootContext("min-cloud-agent", "docker", 20.5, 23.0)
MANAGER = "InitRDTimestampMonotonic=2000000\nUserspaceTimestampMonotonic=5000000\nFinishTimestampMonotonic=20000000\n"
UNITS = """Id=docker.service
ActiveState=active
SubState=running
InactiveExitTimestampMonotonic=10000000
ActiveEnterTimestampMonotonic=15000000
FragmentPath=/usr/lib/systemd/system/docker.service
CPUUsageNSec=2000000000

Id=min-cloud-agent-user-data.service
ActiveState=active
SubState=exited
InactiveExitTimestampMonotonic=12000000
ActiveEnterTimestampMonotonic=12750000
CPUUsageNSec=[not set]

Id=multi-user.target
ActiveState=active
InactiveExitTimestampMonotonic=16000000
ActiveEnterTimestampMonotonic=16000000
After=docker.service gone.service
"""
CGROUPS = """./cgroup.procs:2
./system.slice/docker.service/memory.current:4096
./system.slice/docker.service/cpu.stat:usage_usec 1500000
./system.slice/docker.service/cgroup.procs:500
"""
HOST = BootHost(cpu_model="a CPU", cpus=2, load_1m=0.5, qemu_version="10.0.1", load_1m_after=1.5, other_busy_cpus=0.25)
REQUEST = BootRequest("bios", "tcg", 2, 2048, 600, "min-cloud-agent", 3)
CHECKS = (
    "user-data script ran",
    "system is running",
    "docker version answers",
    "docker run prints",
    "host name that the guest was given",
    "the guest's clock kept pace with the host's",
    "the guest's own measurements are complete",
)


def good_answers() -> dict[str, Answer]:
    texts = {
        "state": "running",
        "memory": "MemTotal:  2000 kB\nMemFree: 1 kB\nMemAvailable:  1500 kB\nHugePages_Total: 0",
        "cgroups": CGROUPS,
        "listeners": 'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=5,fd=6))',
        "container_import": "sha256:1",
        "container_run": SECRET.token,
        "container_version": "26.1.5",
        "kernel": "6.12.1",
        "hostname": SECRET.hostname,
        "user_data": f"{SECRET.token} 12.50",
        "manager": MANAGER,
        "units": UNITS,
        "setuid": "/usr/bin/su\n/usr/bin/mount",
    }
    return {name: Answer(text, 0, 30.0 + place) for place, (name, text) in enumerate(texts.items())}


def found(
    answers: Mapping[str, Answer], clock: Clock = CLOCK, context: BootContext = CONTEXT, failure: str = ""
) -> Evidence:
    return read_evidence(Answers(dict(answers), failure), SECRET, clock, context)


def details(evidence: Evidence) -> dict[str, str]:
    return {check.name: check.detail for check in evidence.checks}


def failed(evidence: Evidence) -> list[str]:
    return [check.name for check in evidence.checks if not check.passed]


def phases(*seconds: float | None) -> Phases:
    return Phases(**dict(zip(Phases.model_fields, seconds, strict=True)))
