"""The faults that ``injected_faults`` puts into real runs: stops, damage, hostile recipes and scripts, full disks."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from atomic_lib.base import command

_SIGNAL_STATUS = 128
_TREE, _LAYER, _IMAGE = ("tree", "image"), ("layer", "tree", "image"), ("image",)
SMALL_LIMITS = ("script_memory_mib=300", "script_processes=60", "script_timeout_seconds=60", "script_file_size_mib=200")


@dataclass(frozen=True)
class Place:
    """A copy of the checkout, with a build directory of its own."""

    top: Path

    @property
    def store(self) -> Path:
        """The store of the copy."""
        return self.top / "build/store"

    def results(self, *stages: str) -> list[Path]:
        """The stored results of some stages."""
        return [path for stage in stages for path in sorted((self.store / stage).glob("*"))]

    def one_of_each(self, stage: str, pattern: str) -> list[Path]:
        """The largest file that matches in each stored result of a stage; which of them a run will use is not known."""
        found = [[path for path in result.glob(pattern) if path.is_file()] for result in self.results(stage)]
        return [max(paths, key=lambda path: path.stat().st_size) for paths in found if paths]


Change = Callable[[Place], None]


@dataclass(frozen=True)
class Fault:
    """A fault: what is changed before a run, and what happens at a line of its progress.

    ``again``: the stages that the run makes anew. ``status``: its exit status. ``said``: a pattern of its output.
    """

    name: str
    said: str
    status: int = 1
    again: tuple[str, ...] = ()
    before: Change | None = None
    at: str = ""
    kill: signal.Signals | None = None
    victim: str = ""
    recipe: str = ""
    settings: tuple[str, ...] = ()
    after: Change | None = None


def _stops() -> list[Fault]:
    """The driver is killed, or told to stop, at each step; its kernel or its notebook's process is killed."""
    steps = [("resolve packages", ("rpm-set", *_TREE)), ("install the layer", _LAYER), ("install 12 packages", _TREE),
             ("configure the tree", _TREE), ("commit", _TREE), ("deploy", _IMAGE), ("write the disk", _IMAGE),
             ("compress", _IMAGE)]  # fmt: skip
    killed = [Fault(f"kill -9 at: {at}", "", -9, again, at=at, kill=signal.SIGKILL) for at, again in steps]
    told = [
        Fault(f"{kill.name} at: {at}", f"stopped by {kill.name}", _SIGNAL_STATUS + kill, again, at=at, kill=kill)
        for kill, (at, again) in ((signal.SIGTERM, steps[1]), (signal.SIGTERM, steps[6]), (signal.SIGINT, steps[2]),
                                  (signal.SIGINT, steps[7]), (signal.SIGHUP, steps[4]))
    ]  # fmt: skip
    others = [
        Fault(f"kill -9 of {what} at: {at}", "ended|killed|died|SIGKILL", 1, _TREE, at=at, kill=signal.SIGKILL,
              victim=pattern)
        for what, pattern, at in (("the kernel", "ipykernel_launcher", "install 12 packages"),
                                  ("the notebook's process", "multiprocessing.spawn", "commit"))
    ]  # fmt: skip
    return [*killed, *told, *others]


def _cut(path: Path, size_bytes: int = 100) -> None:
    os.truncate(path, size_bytes)


def _flip(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def _in_each(stage: str, pattern: str, change: Callable[[Path], None]) -> Change:
    def change_all(place: Place) -> None:
        for path in place.one_of_each(stage, pattern):
            change(path)

    return change_all


def _damages() -> list[Fault]:
    """A stored result is damaged; the run names it and makes it anew."""
    changes: dict[str, tuple[str, str, Callable[[Path], None]]] = {
        "an RPM of the set is cut": ("rpm-set", "rpms/*.rpm", _cut),
        "an RPM of the set has another byte": ("rpm-set", "rpms/*.rpm", _flip),
        "the lock is cut": ("rpm-set", "lock.json", _cut),
        "a file of the layer is cut": ("layer", "root/usr/bin/*", _cut),
        "a file of the layer is gone": ("layer", "root/usr/bin/*", Path.unlink),
        "the initramfs has another byte": ("initramfs", "initramfs.img", _flip),
        "tree.json is cut": ("tree", "tree.json", partial(_cut, size_bytes=20)),
        "owners.json is cut": ("tree", "owners.json", _cut),
        "an object of the commit has another byte": ("tree", "repo/objects/*/*.file", _flip),
        "an object of the commit is gone": ("tree", "repo/objects/*/*.dirtree", Path.unlink),
        "a byte of the qcow2 is another": ("image", "disk.qcow2", _flip),
        "the qcow2 is cut": ("image", "disk.qcow2", _cut),
        "the allocated ranges are cut": ("image", "allocated.json", partial(_cut, size_bytes=20)),
        "image.json is cut": ("image", "image.json", partial(_cut, size_bytes=20)),
        "entries.jsonl is cut": ("image", "entries.jsonl", partial(_cut, size_bytes=1000)),
    }
    # a damaged input is only seen by what uses it
    again = {"layer": _TREE, "initramfs": _TREE, "RPM": _TREE}
    return [
        Fault(name, "damaged|made again", 0, next((stages for word, stages in again.items() if word in name), ()),
              before=_in_each(*change))
        for name, change in changes.items()
    ]  # fmt: skip


def _recipes() -> list[Fault]:
    """A recipe is hostile, or its script is."""
    deep, bomb = (
        "[" * 200 + "]" * 200,
        "a: &a [x, x]\n"
        + "".join(
            f"{name}: &{name} [{', '.join([f'*{other}'] * 20)}]\n"
            for other, name in zip("abcdefgh", "bcdefghi", strict=True)
        ),
    )
    texts = {
        "includes a file of the host": ("include: /etc/shadow\n", "outside of the recipe's directory"),
        "includes a parent": ("include: ../../../../etc/passwd\n", "outside of the recipe's directory"),
        "includes a device": ("include: own-zero\n", "outside|not a regular file"),
        "includes a FIFO": ("include: own-fifo\n", "not a regular file"),
        "includes itself": ("include: own.yaml\n", "include cycle|included twice"),
        "has a null byte in a name": ('include: "a\\0b"\n', "null byte"),
        "is a bomb of aliases": (bomb, "not supported|alias"),
        "is nested": (f"packages: {deep}\n", "list of strings|nested"),
        "has an option for a package": ("ref: own\npackages: ['--setopt=reposdir=/etc']\n", "option|not a package"),
        "has a control character": ('packages: ["a\\u001b[31m"]\n', "control character"),
        "is not text": ("packages: \udcff\udcfe\n", "not UTF-8"),
    }
    scripts = {
        "bombs with forks": (":() { :|: & }; :; sleep 5", r"script_processes"),
        "takes all memory": ("head -c 3G /dev/zero | tail", r"script_memory_mib"),
        "never ends": ("sleep 100000", r"script_timeout_seconds"),
        "fills the disk": ("cat /dev/zero >/var/big", r"script_file_size_mib"),
        "fails": ("exit 3", r"script failed"),
    }
    links = "ln -sf /etc/hostname /usr/lib/tmpfiles.d/rpm-ostree-1-autovar.conf"
    return [
        *(Fault(f"a recipe {name}", said, recipe=text) for name, (text, said) in texts.items()),
        *(Fault(f"a script {name}", said, recipe=_with_script(text), settings=SMALL_LIMITS)
          for name, (text, said) in scripts.items()),
        Fault("a script leaves a FIFO", "a commit contains only files", recipe=_with_script("mkfifo /usr/lib/pipe")),
        Fault("a script leaves links to the host", "", 0, recipe=_with_script(links)),
    ]  # fmt: skip


def _with_script(text: str) -> str:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"include: atomic-min.yaml\npostprocess:\n  - |\n    #!/bin/bash\n{lines}"


def _disks() -> list[Fault]:
    """The disk of the store has little space: it becomes a file system in memory with ``mib`` more than it holds."""

    def small(mib: int) -> Change:
        def change(place: Place) -> None:
            copy = place.top / "build/copy"
            copy.mkdir()
            used_mib = int(command.run(["du", "--summarize", "--block-size=1M", place.store]).stdout.split()[0])
            command.run(["mount", "-t", "tmpfs", "-o", f"size={used_mib + mib}m", "tmpfs", copy])
            command.run(["cp", "--archive", "--sparse=always", f"{place.store}/.", copy])
            command.run(["mount", "--move", copy, place.store])
            copy.rmdir()

        return change

    def unmount(place: Place) -> None:
        command.run(["umount", "--lazy", place.store])

    return [
        Fault(f"the disk has {mib} MiB", "full|free", again=again, before=small(mib), after=unmount)
        for mib, again in ((20, ("rpm-set", *_TREE)), (200, _LAYER), (120, _TREE), (300, _IMAGE))
    ]


FAULTS = (*_stops(), *_damages(), *_recipes(), *_disks())
