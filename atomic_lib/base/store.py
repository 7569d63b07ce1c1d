"""The store: results by the sha256 of their inputs.

A stored result is a directory ``<store>/<stage>/<key>/`` with the stage's files,
``key.json``, which records the inputs of the key, and a manifest of all its files. A
single rename publishes it once it is complete, so a reader never sees an incomplete
result. A killed run leaves only a directory in ``<store>/tmp``, which the next run
removes.

Each use compares a result with its manifest (see ``files``). A damaged result is renamed
to ``<key>.damaged``, and made again.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import SetupError, WorkbookError, full_disk
from atomic_lib.base.files import find_damage, write_manifest
from atomic_lib.base.progress import say, step

KEY_LENGTH = 32
DAMAGED = ".damaged"
"""How the name of what was damaged and set aside ends."""
USES_VARIABLE = "WORKBOOK_USES"
"""The environment variable with the file to which a process adds each result that it uses, as ``STAGE/KEY``."""
_EVERYWHERE = frozenset({"code", "tools"})
"""Inputs that all stages have: if one has changed, what the stage needs is made anew as well, so it takes longer."""
_FS_IOC_SETFLAGS = 0x40086602  # linux/fs.h, 64-bit


@dataclass(frozen=True)
class Stored:
    """One stored result; ``reused``: whether it was there already, ``seconds``: how long it took to make."""

    key: str
    path: Path
    reused: bool
    seconds: float


@dataclass(frozen=True)
class Store:
    """A directory of results by stage and key; several processes may use it at once."""

    root: Path

    def path_of(self, stage: str, key: str) -> Path:
        """The directory of the result with this key, whether it exists or not."""
        return self.root / stage / key

    def find(self, stage: str, inputs: Mapping[str, object]) -> Stored | None:
        """The undamaged result for ``inputs``; None if there is none."""
        key = key_of(inputs)
        path = self.path_of(stage, key)
        if not path.is_dir() or _damage_of(path):
            return None
        _note_use(stage, key)
        return Stored(key, path, True, _read_seconds(path))

    def results(self, stage: str = "*") -> list[Path]:
        """The directories of all results of a stage, or of all stages; those that were set aside are not among them."""
        form = re.compile(f"[0-9a-f]{{{KEY_LENGTH}}}")
        return sorted(path for path in self.root.glob(f"{stage}/*") if form.fullmatch(path.name))

    def get_or_make(
        self,
        stage: str,
        inputs: Mapping[str, object],
        make: Callable[[Path], Mapping[str, str] | None],
        *,
        what: str,
        need_bytes: int = 0,
        silent: bool = False,
    ) -> Stored:
        """The stored result for ``inputs``. If there is none, or it is damaged, ``make(directory)`` creates its files.
        It may return what ``file_digest`` says of some of them, which is then not computed again.

        ``inputs`` is JSON data: everything that the result depends on. ``what`` is the
        step's name in progress lines, which ``silent`` leaves out. ``need_bytes`` is the
        free disk space that the step needs.

        Raises WorkbookError if less space is free, and whatever ``make`` raises. In both
        cases nothing is published.
        """
        key = key_of(inputs)
        final = self.path_of(stage, key)
        _note_use(stage, key)
        with self.locked(stage, key):
            if os.path.lexists(final):
                damage = _damage_of(final)
                if not damage:
                    return Stored(key, final, True, _read_seconds(final))
                set_aside(final, f"{what}: the stored result is damaged, so it is made again", damage)
            require_space(self.root, need_bytes, what)
            changed, expected_seconds = ([], None) if silent else self.most_similar(stage, inputs)
            scratch = self._scratch(stage)
            started = time.monotonic()
            try:
                note = f"changed: {', '.join(changed)}" if changed else ""
                if _EVERYWHERE & {*changed}:
                    expected_seconds = None
                shown = nullcontext() if silent else step(what, expected_seconds, note)
                with _full_disk_named(what, scratch):
                    with shown, _usual_umask():
                        known = make(scratch)
                    seconds = time.monotonic() - started
                    record = {"inputs": inputs, "seconds": round(seconds, 3)}
                    (scratch / "key.json").write_text(json.dumps(record, indent=1, sort_keys=True))
                    write_manifest(scratch, known)
                    final.parent.mkdir(parents=True, exist_ok=True)
                    os.rename(scratch, final)
            except BaseException:
                remove_tree(scratch)
                raise
        return Stored(key, final, False, seconds)

    def most_similar(self, stage: str, inputs: Mapping[str, object]) -> tuple[list[str], float | None]:
        """The names of the inputs that differ from those of the most similar result, and how many seconds it took.

        The most recent result would not do: it may belong to another variant. A result whose key.json is damaged
        does not count; it is named when it is used.
        """
        now = json.loads(json.dumps(inputs))
        found: list[tuple[list[str], float | None]] = [
            (sorted(name for name in {*one, *now} if one.get(name) != now.get(name)), seconds)
            for one, seconds in self.seconds_of(stage)
        ]
        return min(found, key=lambda one: (len(one[0]), one[0]), default=([], None))

    def seconds_of(self, stage: str) -> list[tuple[Mapping[str, object], float]]:
        """The inputs of every result of a stage, and how many seconds it took to make."""
        return list(filter(None, map(_read_record, self.results(stage))))

    @contextmanager
    def scratch(self, stage: str) -> Iterator[Path]:
        """A temporary directory, removed after the block; if this process is killed, by ``remove_abandoned``."""
        path = self._scratch(stage)
        try:
            yield path
        finally:
            remove_tree(path)

    def _scratch(self, stage: str) -> Path:
        parent = self.root / "tmp"
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{stage}-{os.getpid()}-", dir=parent))

    @contextmanager
    def locked(self, stage: str, key: str) -> Iterator[None]:
        """Hold the lock of one result, or of any other name, against other processes."""
        locks = self.root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with open(locks / f"{stage}-{key}", "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def remove_abandoned(self) -> None:
        """Remove the temporary directories of processes that no longer run."""
        for path in (self.root / "tmp").glob("*-*-*"):
            pid = path.name.split("-")[-2]
            if not (pid.isdigit() and Path("/proc", pid).exists()):
                remove_tree(path)


def _note_use(stage: str, key: str) -> None:
    """Add a result to the file of the uses, if there is one; a line is written at once, so that lines do not mix."""
    file = os.environ.get(USES_VARIABLE)
    if file:
        with open(file, "a", encoding="utf-8") as uses:
            uses.write(f"{stage}/{key}\n")


@contextmanager
def _usual_umask() -> Iterator[None]:
    """Set umask 022 while a result is made, so that file modes do not depend on the caller's umask."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _full_disk_named(what: str, directory: Path) -> Iterator[None]:
    """Turn ENOSPC into a SetupError that names the step, which writes to ``directory``."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        path = Path(error.filename) if isinstance(error.filename, str) else None
        raise full_disk(what, path, written_to=[directory]) from error


def set_aside(path: Path, what: str, damage: Sequence[str] = ()) -> None:
    """Rename a damaged file or directory to NAME.damaged, replacing an older one, and say so in one line.

    It may be gone already, if another process did the same.
    """
    aside = path.with_name(path.name + DAMAGED)
    more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
    say(f"! {what}: {': '.join([str(path), *damage[:1]])}{more}; kept as {aside.name}")
    remove_tree(aside)
    with suppress(FileNotFoundError):
        os.rename(path, aside)


def remove_tree(path: Path) -> None:
    """Remove a directory tree, immutable files included, or a file.

    What cannot be removed stays; this raises nothing.
    """
    if os.path.isfile(path) and not os.path.islink(path):
        with suppress(OSError):
            path.unlink()
    else:
        shutil.rmtree(path, onerror=_remove_immutable)


def _remove_immutable(_: Callable[[str], object], path: str, __: object) -> None:
    # ostree marks the root of a deployment as immutable, which also protects its entries from removal.
    for marked in (os.path.dirname(path), path):
        _clear_flags(marked)
    with suppress(OSError):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)


def _clear_flags(directory: str) -> None:
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.ioctl(descriptor, _FS_IOC_SETFLAGS, struct.pack("l", 0))
        finally:
            os.close(descriptor)


def key_of(inputs: Mapping[str, object]) -> str:
    """The first 32 hex digits of the sha256 of ``inputs`` as canonical JSON."""
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def file_sha256(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def require_space(directory: Path, need_bytes: int, what: str) -> None:
    """Raise SetupError unless ``need_bytes`` are free on the disk of ``directory``, which is created."""
    directory.mkdir(parents=True, exist_ok=True)
    free_bytes = shutil.disk_usage(directory).free
    if free_bytes < need_bytes:
        raise SetupError(
            f"{what} needs {need_bytes / 1e9:.1f} GB of free disk below {directory}; "
            f"{free_bytes / 1e9:.1f} GB are free",
            hint="free some space; ./workbook clean shows what it can free",
        )


def _damage_of(path: Path) -> list[str]:
    """``find_damage``. Raises WorkbookError for what this user may not read."""
    try:
        return find_damage(path)
    except PermissionError as error:
        raise WorkbookError(
            f"{error.filename}: permission denied, so the stored result cannot be checked",
            hint="if root created it: use sudo",
        ) from None


def _read_record(path: Path) -> tuple[dict[str, object], float] | None:
    """The inputs in a result's key.json, and the seconds that it took to make; None if the file is damaged."""
    try:
        record = json.loads((path / "key.json").read_bytes())
        inputs, seconds = record["inputs"], float(record["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (inputs, seconds) if isinstance(inputs, dict) else None


def _read_seconds(path: Path) -> float:
    return float(json.loads((path / "key.json").read_text())["seconds"])
