"""Builds a variant from scratch under given conditions, in a process of its own.

``python -m atomic_lib.pipeline.verify.rebuild TASK RESULT`` reads a ``Task`` and writes a ``Built``, both as JSON.
"""

import json
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say, step
from atomic_lib.base.signals import end_with_parent, unwind
from atomic_lib.base.store import Store
from atomic_lib.content.repositories import Content
from atomic_lib.content.signing import index_repository
from atomic_lib.params.variant import variant_from
from atomic_lib.pipeline.build import Build
from atomic_lib.pipeline.verify.conditions import Conditions, impose, in_force, with_clock, with_order
from atomic_lib.pipeline.verify.directories import make_cold_cache
from atomic_lib.results.verification import QCOW2, RAW
from atomic_lib.solve.lock import LOCK_FILE, read_lock
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools
from atomic_lib.tools.tools_tree import open_tools, tool_versions

RPM_REPOSITORY, LOCK, CONTENT, COMMIT = "RPM repository", "lock", "content", "commit"


@dataclass(frozen=True)
class Task:
    """What to build: the variant's parameters, the conditions, and the lock of the other build, if there is one.

    ``warm_cache``: the user's cache, from which a cold one gets tools and downloads. The build itself makes the cold
    one, because its root may be another user, to whom all that it writes to must belong.
    """

    parameters: Mapping[str, object]
    conditions: Conditions
    lock: str = ""
    warm_cache: str = ""


@dataclass(frozen=True)
class Built:
    """The result. ``conditions``: as observed in the build; ``checksums``: by artifact, in the order of the stages."""

    checksums: dict[str, str]
    conditions: dict[str, str]
    keys: dict[str, str]
    versions: dict[str, str]
    paths: dict[str, str]
    seconds: float


def main(words: Sequence[str]) -> int:
    """Build what the task file says; returns the exit status."""
    signal.signal(signal.SIGTERM, unwind)
    end_with_parent()
    try:
        data = json.loads(Path(words[0]).read_text())
        task = Task(**{**data, "conditions": Conditions(**data["conditions"])})
        impose(task.conditions)
        cache = Path(task.conditions.cache)
        if task.conditions.cold_cache and not cache.exists():  # that of an earlier variant serves for all
            make_cold_cache(Path(task.warm_cache), cache)
        Path(words[1]).write_text(json.dumps(asdict(build(task)), indent=1))
    except WorkbookError as error:
        say(f"error: {error}")
        return 1
    return 0


@dataclass(frozen=True)
class HostileBuild(Build):
    """A build from scratch under the conditions of a task.

    If it resolves to another lock than the task's, it continues with the task's: trees of different packages
    cannot be compared. Raises WorkbookError if the content no longer has these packages.
    """

    task: Task

    @cached_property
    def content(self) -> Content:
        """The content, with its repositories in the order of the conditions."""
        reversed_order = self.task.conditions.repositories_reversed
        return with_order(super().content, reversed_order=reversed_order)

    @cached_property
    def own_rpm_set(self) -> RpmSet:
        """The packages that this build resolves to by itself."""
        return self.packages_by(self.variant.lock)

    @cached_property
    def rpm_set(self) -> RpmSet:
        """The packages to build from; their files copied in reverse order if the conditions say so."""
        own, lock = self.own_rpm_set, self.task.lock
        if lock and own.lock.sha256 != read_lock(Path(lock)).sha256:
            name = self.task.conditions.name
            say(f"! {self.variant.variant}: build {name} resolved to another lock; continuing with the first build's")
            own = self.packages_by(lock)
        if self.task.conditions.packages_reversed and not own.lock.commit:
            return copied_in_reverse(own, self.context.tools, self.context.store.root / "reversed")
        return own


def build(task: Task) -> Built:
    """Build RPM set, tree and image in an empty store, with the content in the cache.

    Raises WorkbookError as the stages do.
    """
    started, conditions = time.monotonic(), task.conditions
    store, cache = Store(Path(conditions.store)), Path(conditions.cache)
    tools = with_clock(open_tools(cache), conditions.clock_days_ahead, store.root)
    stored_before = stored_in(cache)
    made = HostileBuild(variant_from(task.parameters), Context(tools, cache, store), task)
    content, image, tree = made.content, made.image, made.tree
    checksums = {
        RPM_REPOSITORY: content.key,
        LOCK: made.own_rpm_set.lock.sha256,
        CONTENT: tree.content_checksum,
        COMMIT: tree.commit,
        RAW: image.sha256,
        QCOW2: image.compressed_sha256,
    }
    made_anew = stored_before.isdisjoint(content.local.values())
    return Built(
        checksums={name: checksum for name, checksum in checksums.items() if checksum},
        conditions=in_force(conditions, tools, content, made.rpm_set.directory, made_anew=made_anew),
        keys={"tools": tools.key, "tree": tree.key, "image": image.key},
        versions=tool_versions(tools),
        paths={
            "raw": str(image.raw_disk(made.context)),
            "qcow2": str(image.qcow2),
            "lock": str(made.rpm_set.directory.parent / LOCK_FILE),
            "commits": str(tree.repo),
            **{f"repository {name}": str(path) for name, path in content.local.items()},
        },
        seconds=round(time.monotonic() - started, 1),
    )


def stored_in(cache: Path) -> set[Path]:
    """The directories of all results in a cache."""
    return set(cache.glob("*/*"))


def copied_in_reverse(rpm_set: RpmSet, tools: Tools, directory: Path) -> RpmSet:
    """A copy of the RPM set in ``directory``, its files created in reverse order, with a new index."""
    with step("copy the RPM files in reverse order"):
        target = directory / "rpms"
        target.mkdir(parents=True)
        for file in sorted(rpm_set.directory.glob("*.rpm"), reverse=True):
            shutil.copyfile(file, target / file.name)
        shutil.copytree(rpm_set.keys, directory / "keys")
        shutil.copyfile(rpm_set.directory.parent / LOCK_FILE, directory / LOCK_FILE)
        index_repository(tools, target)
    return replace(rpm_set, directory=target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
