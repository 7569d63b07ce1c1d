"""One fault, run in network and mount namespaces of its own: ``python -m atomic_lib.guest.faults.namespaces``.

Reads the agent as JSON from standard input; the fault's name and a scratch directory are arguments; prints the
states as JSON. What persists in a guest (/etc, /root, /var) is below ``disk`` in the scratch directory.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atomic_lib.base import command
from atomic_lib.guest.faults import power_cut
from atomic_lib.guest.faults.agents import RunnableAgent
from atomic_lib.guest.faults.catalogue import fault_named
from atomic_lib.guest.faults.fault import PROOF, Fault
from atomic_lib.guest.faults.faulty_service import scripted_service
from atomic_lib.guest.faults.outcome import AgentRequest, BootSeen, State
from atomic_lib.guest.programs import program_text

_PERSISTENT = ("etc", "root", "var")
_OUTSIDE = "var/outside"
_UNTOUCHED = "# a comment in a file of keys\n"
_LINES_MOST = 5000
_MOST_CUTS = 60
_FULL = ("full", "nearly full")
_PAGE_BYTES = 4096
_ROOM_PAGES = 10
# What stands for mount(8), as a file system cannot be mounted everywhere that tests run; the disc is at /mnt/disc.
_STAND_INS = ("mount", "systemd-detect-virt", "umount")


@dataclass
class NamespaceGuest:
    """The machine that is provisioned: its disk and the directories that its boots share."""

    agent: RunnableAgent
    fault: Fault
    directory: Path
    boots: list[BootSeen] = field(default_factory=list)

    @property
    def disk(self) -> Path:
        return self.directory / "disk"

    @property
    def proof(self) -> Path:
        return self.directory / "proof"


def new_guest(agent: RunnableAgent, fault: Fault, directory: Path) -> NamespaceGuest:
    """A machine that was never booted, with the links that the fault wants."""
    guest = NamespaceGuest(agent, fault, directory)
    for name in ("disk", "proof", "run", "disc", "programs"):
        (directory / name).mkdir(parents=True)
    if fault.disk in _FULL:
        command.run(["mount", "-t", "tmpfs", "-o", f"size={_full_kib(agent)}k,mode=0755", "tmpfs", guest.disk])
    for name in _PERSISTENT:
        (guest.disk / name).mkdir()
    (guest.disk / "root").chmod(0o700)
    (guest.disk / "var/lib").mkdir()
    (guest.disk / _OUTSIDE).mkdir()
    (guest.disk / _OUTSIDE / "file").write_text(_UNTOUCHED)
    if agent.etc:
        shutil.copytree(agent.etc, guest.disk / "etc", symlinks=True, dirs_exist_ok=True)
    for _, target in agent.files_for(fault):
        if target.startswith("/etc/"):  # a mount point, also where the disk is read-only
            (guest.disk / target.lstrip("/")).touch()
    for link in fault.links:
        path = guest.disk / link.path.lstrip("/")
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.symlink_to(link.target)
    for name in _STAND_INS:
        power_cut.make_program(directory / "programs" / name, program_text(__file__, f"mocked_commands/{name}"))
    return guest


def _full_kib(agent: RunnableAgent) -> int:
    """The size of a disk that is to be full: room for its content before the first boot."""
    return 65536 if agent.etc else 256


def guest_argv(guest: NamespaceGuest, words: list[str]) -> list[str]:
    """The bubblewrap line that runs ``words`` in the guest, in the network of this process."""
    path = f"/mnt/programs:{os.environ['PATH']}"
    line = ["bwrap", "--die-with-parent", "--unshare-pid", "--ro-bind", str(guest.agent.root), "/", "--proc", "/proc"]
    line += ["--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/mnt", "--tmpfs", "/sys", "--setenv", "PATH", path]
    line += ["--setenv", "MIN_CLOUD_AGENT_SECONDS", str(guest.fault.limit_seconds)]
    for name in _PERSISTENT:
        line += ["--ro-bind" if guest.fault.disk == "read-only" else "--bind", str(guest.disk / name), f"/{name}"]
    for name, target in (("run", "/run"), ("proof", PROOF), ("programs", "/mnt/programs"), ("disc", "/mnt/disc")):
        line += ["--bind", str(guest.directory / name), target]
    for source, target in guest.agent.files_for(guest.fault):
        line += ["--ro-bind", str(source), target]
    if guest.fault.disc:
        line += ["--ro-bind", str(guest.directory / "disc"), "/dev/disk/by-label/cidata"]
    return [*line, "--chdir", "/", "--", *words]


def boot(guest: NamespaceGuest, instance_id: str) -> None:
    """One boot: an empty /run, the agent's commands one after another."""
    fault, agent = guest.fault, guest.agent
    _empty(guest.directory / "run")
    _empty(guest.directory / "disc")
    for name, content in fault.disc:
        (guest.directory / "disc" / name).write_bytes(content.replace(b"i-1", instance_id.encode()))
    requests: list[AgentRequest] = []
    statuses: list[int] = []
    said: list[str] = []
    started = time.monotonic()
    with scripted_service(fault, len(guest.boots), requests), _filled(guest):
        for words in (*(agent.disc_commands if fault.disc else ()), *agent.commands):
            left_seconds = agent.seconds - (time.monotonic() - started)
            try:
                done = command.run(guest_argv(guest, list(words)), timeout_seconds=max(left_seconds, 0.1))
                statuses.append(0)
                said += [done.stdout, done.stderr]
            except command.CommandError as error:
                said += [error.stdout, error.stderr]
                if error.status is None or error.status < 0:  # it reached its time limit, or the power was cut
                    break
                statuses.append(error.status)
        seconds = time.monotonic() - started
    guest.boots.append(
        BootSeen(round(seconds, 2), seconds < agent.seconds, tuple(statuses), "".join(said)[:20000], tuple(requests))
    )


@contextmanager
def _filled(guest: NamespaceGuest) -> Iterator[None]:
    """Fill the disk for the first boot where the fault wants that: no byte is free, or hardly any."""
    filler = guest.disk / "filler"
    if guest.fault.disk in _FULL and not guest.boots:
        with suppress(OSError), open(filler, "wb", buffering=0) as file:
            while file.write(b"x" * _PAGE_BYTES):
                pass
        if guest.fault.disk == "nearly full":
            os.truncate(filler, filler.stat().st_size - _ROOM_PAGES * _PAGE_BYTES)
    yield
    filler.unlink(missing_ok=True)


def look(guest: NamespaceGuest, cut: str = "") -> State:
    """The state as it is now."""
    keys = _first_lines(guest.disk / "root/.ssh/authorized_keys")
    hostname = guest.disk / "etc/hostname"
    runs = guest.proof / "runs"
    return State(
        keys=tuple(line for line in keys if line and not line.startswith("#")),
        hostname=hostname.read_text(errors="replace").removesuffix("\n") if hostname.is_file() else None,
        runs=tuple(int(line or 0) for line in runs.read_text().splitlines()) if runs.is_file() else (),
        outside=tuple(_changed_outside(guest)),
        modes=tuple(_mode(guest.disk / name) for name in ("root/.ssh", "root/.ssh/authorized_keys")),
        boots=tuple(guest.boots),
        cut=cut,
    )


def _first_lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines()[:_LINES_MOST] if path.is_file() else []


def _mode(path: Path) -> str:
    try:
        return oct(path.lstat().st_mode)
    except OSError:
        return ""


def _changed_outside(guest: NamespaceGuest) -> Iterator[str]:
    """What changed where nothing should write."""
    outside = guest.disk / _OUTSIDE
    yield from sorted(path.name for path in outside.iterdir() if path.name != "file")
    if (outside / "file").read_text() != _UNTOUCHED:
        yield "file"
    yield from sorted(path.name for path in guest.proof.iterdir() if path.name not in ("runs", "config"))


def _empty(directory: Path) -> None:
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def run_once(agent: RunnableAgent, fault: Fault, directory: Path) -> State:
    """All boots under a fault without a power cut."""
    guest = new_guest(agent, fault, directory)
    for instance_id in fault.boots:
        boot(guest, instance_id)
    return look(guest)


def run_with_cuts(agent: RunnableAgent, fault: Fault, directory: Path) -> Iterator[State]:
    """The boots under a fault once for each step, with the power cut at that step of the first boot."""
    for number in range(1, _MOST_CUTS):
        guest = new_guest(agent, fault, directory / str(number))
        cutter = power_cut.install(guest.directory / "programs", guest.directory / "proof/.cut", agent.root, guest.disk)
        first, *others = fault.boots
        with cutter.armed(fault.cut, number):
            boot(guest, first)
        name = cutter.cut_at()
        if name:
            power_cut.lose_unsynced(guest.disk, cutter)
        cutter.remove()
        for instance_id in others if name else []:
            boot(guest, instance_id)
        yield look(guest, f"{fault.cut} step {number}, {name}" if name else "")
        if not name:
            return


def main() -> None:
    """See the module's first line."""
    name, scratch = sys.argv[1:]
    data: dict[str, Any] = json.load(sys.stdin)
    files = tuple((Path(source), target) for source, target in data.pop("files"))
    words = {name: tuple(tuple(line) for line in data[name]) for name in ("commands", "disc_commands")}
    agent = RunnableAgent(**{**data, **words, "root": Path(data["root"]), "files": files})
    fault = fault_named(name)
    states = list(run_with_cuts(agent, fault, Path(scratch))) if fault.cut else [run_once(agent, fault, Path(scratch))]
    print(json.dumps([state.to_json() for state in states]))


if __name__ == "__main__":
    main()
