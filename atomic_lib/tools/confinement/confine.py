"""A program that starts bubblewrap with limits and a filter of system calls, and ends it with its caller.

    confine.py CALLER LIMIT… bwrap OPTION… -- COMMAND…

bubblewrap takes the filter and its options from open files, so neither the environment nor
``/proc/1/cmdline`` in the sandbox shows paths of the host. A LIMIT is ``cgroup=DIRECTORY``, a control group to enter,
or a resource limit by its name in setrlimit(2), ``RLIMIT_CORE=0``.

bubblewrap's ``--die-with-parent`` holds only once the sandbox is made: of a caller that is killed earlier, the command
would stay. So bubblewrap runs in a namespace whose first process the kernel ends with this program, and this program
with the process CALLER; with the first process, all others of a namespace end. Sources: pid_namespaces(7), prctl(2).

The filter is a list of refusals, after flatpak's (``common/flatpak-run.c``, ``setup_seccomp``): keyrings
of the kernel have no namespace of their own; a new user namespace would give a command capabilities
that it lacks; mounts could uncover what the sandbox covers; the rest concerns the whole host.
Format: linux/filter.h, linux/seccomp.h. Numbers: x86-64's, in asm/unistd_64.h.

It starts with every command, so it imports none of the modules that take longer than the rest together:
``pathlib``, ``json``, ``signal``, ``contextlib`` (with them: 25 ms instead of 11).
"""

import ctypes
import errno
import os
import resource
import select
import struct
import sys

REFUSED_CALLS = {
    "add_key": 248, "request_key": 249, "keyctl": 250,
    "mount": 165, "umount2": 166, "pivot_root": 155, "open_tree": 428, "move_mount": 429, "fsopen": 430,
    "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442, "open_tree_attr": 467, "setns": 308,
    "acct": 163, "settimeofday": 164, "adjtimex": 159, "clock_settime": 227, "clock_adjtime": 305, "swapon": 167,
    "swapoff": 168, "reboot": 169, "quotactl": 179, "quotactl_fd": 443, "iopl": 172, "ioperm": 173,
    "init_module": 175, "delete_module": 176, "finit_module": 313, "kexec_load": 246, "kexec_file_load": 320,
    "syslog": 103, "bpf": 321, "perf_event_open": 298, "fanotify_init": 300, "userfaultfd": 323,
    "open_by_handle_at": 304,
}  # fmt: skip
"""Refused with EPERM, by name."""

_CLONE, _UNSHARE, _CLONE3 = 56, 272, 435
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_X32 = 0x40000000
_ARCHITECTURE = 0xC000003E
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENT_AT = 0, 4, 16

_LIBC = ctypes.CDLL(None)
_NEW_PROCESSES = 0x20000000  # CLONE_NEWPID
_END_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_SIGKILL, _SIGPIPE, _SIGXFSZ, _DEFAULT = 9, 13, 25, None  # signal(7); SIG_DFL is a null pointer
_CALLER_ENDED = "the process that started this command has ended"


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _fail(number: int) -> bytes:
    return _instruction(_RETURN, _FAIL | number)


def seccomp_filter() -> bytes:
    """The filter as a classic BPF program."""
    # clone3's flags are in memory, which a filter cannot read: with ENOSYS, libc uses clone
    program = [
        _instruction(_LOAD, _ARCHITECTURE_AT), _instruction(_EQUAL, _ARCHITECTURE, 1, 0), _fail(errno.ENOSYS),
        _instruction(_LOAD, _NUMBER_AT), _instruction(_AT_LEAST, _X32, 0, 1), _fail(errno.ENOSYS),
        _instruction(_EQUAL, _CLONE3, 0, 1), _fail(errno.ENOSYS),
    ]  # fmt: skip
    for number in REFUSED_CALLS.values():
        program += [_instruction(_EQUAL, number, 0, 1), _fail(errno.EPERM)]
    program += [
        _instruction(_EQUAL, _CLONE, 2, 0), _instruction(_EQUAL, _UNSHARE, 1, 0), _instruction(_RETURN, _ALLOW),
        _instruction(_LOAD, _ARGUMENT_AT), _instruction(_ANY_BIT, _NEW_NAMESPACES, 0, 1), _fail(errno.EPERM),
        _instruction(_RETURN, _ALLOW),
    ]  # fmt: skip
    return b"".join(program)


def _open_file(name: str, data: bytes) -> str:
    """The number of an open file with ``data``, for the next program."""
    descriptor = os.memfd_create(name, 0)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return str(descriptor)


def _become_child_that_ends_with(caller: int) -> None:
    """Go on in a process of a new namespace, which the kernel ends as soon as ``caller`` ends; wait for it here.

    An ordinary user may not make such a namespace: then it goes on here, and bubblewrap makes one of its own.
    """
    _end_with_parent()
    if os.getppid() != caller:
        sys.exit(_CALLER_ENDED)
    if _LIBC.unshare(_NEW_PROCESSES):
        return
    waits, own = os.pipe()
    if first := os.fork():
        os.close(waits)
        os._exit(_exit_status(os.waitpid(first, 0)[1]))
    os.close(own)
    _end_with_parent()
    if select.select([waits], [], [], 0)[0]:  # nobody holds the other end any more
        sys.exit(_CALLER_ENDED)
    if child := os.fork():
        _wait_for_all(child)


def _end_with_parent() -> None:
    _LIBC.prctl(_END_WITH_PARENT, _SIGKILL)


def _wait_for_all(child: int) -> None:
    """As the first process of a namespace: wait for ``child`` and what it leaves, and end with its exit status.

    bubblewrap does not wait for the first process of its own namespace; what that has used counts only if somebody
    does. If bubblewrap is killed, all others are.
    """
    code = 0
    while True:
        try:
            process, status = os.wait()
        except ChildProcessError:
            os._exit(code)
        if process == child:
            code = _exit_status(status)
            if os.WIFSIGNALED(status):
                os._exit(code)


def _exit_status(status: int) -> int:
    """The exit status of a process, for a shell: one that was killed has 128 and the number of the signal."""
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def main(caller: str, *words: str) -> None:
    """Enter the control groups, set the limits, and become the program with the filter."""
    _become_child_that_ends_with(int(caller))
    limits = words[: words.index("bwrap")]
    for name, _, value in (limit.partition("=") for limit in limits):
        if name == "cgroup":
            with open(f"{value}/cgroup.procs", "w") as file:
                file.write("0")
        else:
            _limit(getattr(resource, name), int(value))
    for number in (_SIGPIPE, _SIGXFSZ):  # Python ignores them, and so would the command
        _LIBC.signal(number, _DEFAULT)
    program, *line = words[len(limits) :]
    start = line.index("--")
    options = "".join(f"{word}\0" for word in line[:start])
    line[:start] = ["--seccomp", _open_file("filter", seccomp_filter()), "--args",
                    _open_file("options", os.fsencode(options))]  # fmt: skip
    try:
        os.execvp(program, [program, *line])
    except OSError as error:
        sys.exit(f"{program}: {error.strerror}; ./workbook doctor shows which tools are missing")


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    lower = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (lower, lower))


def confined(limits: list[str], words: list[str]) -> list[str]:
    """The command line that runs bubblewrap's command line ``words`` through this program, for this process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *limits, *words]


if __name__ == "__main__":
    main(*sys.argv[1:])
