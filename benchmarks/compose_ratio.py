"""The compose of a variant against the least that any tool has to do for the same packages.

That is a bare ``dnf --installroot``, one dracut and one ``ostree commit``. They use the same tools tree, the same
locked RPM repository and the same configuration (signatures checked, documentation, weak dependencies and dracut's
arguments as in the recipe), and an empty directory in memory. The compose starts with an empty store: the same
installation, then configuration, initramfs, clean-up, labels, commit, and the list of all files with their owners. The
disk image is built of it afterwards. With mkosi, it makes a disk image of the same RPMs in each round, too.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atomic_lib.base.paths import cache_directory
from atomic_lib.base.progress import say
from atomic_lib.base.store import remove_tree
from atomic_lib.compose.chroot import Installroot, make_root
from atomic_lib.compose.initramfs import kernel_version, place_kernels
from atomic_lib.compose.install import Installation, macros
from atomic_lib.content.dnf import DNF_DIRECTORY, dnf_configuration
from atomic_lib.pipeline.build import Build
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.sandbox import Bind
from benchmarks.builds import FIRST, SCRATCH, BuildRequest, record_request, resolve
from benchmarks.cost import Cost, costed, in_own_process, together
from benchmarks.measured import Column, MeasuredTable, Source, spread
from benchmarks.mkosi_image import MadeByMkosi, make_with_mkosi
from benchmarks.mkosi_tree import open_mkosi_tree

_Samples = tuple[tuple[float, ...], ...]
_OURS = "our compose and disk image (raw and qcow2)"
_COLUMNS = (
    Column(title=""),
    Column(title="wall time", format="seconds"),
    Column(title="processor time", format="seconds"),
    Column(title="memory of the largest process", format="memory"),
)


@dataclass(frozen=True)
class Least:
    """The costs of ``dnf``, ``dracut`` and ``ostree commit``, one after another."""

    dnf: Cost
    dracut: Cost
    commit: Cost

    @property
    def whole(self) -> Cost:
        """All three together."""
        return together(self.dnf, self.dracut, self.commit)


@dataclass(frozen=True)
class Composed:
    """The costs of our compose, and of the disk image that is built of its tree."""

    compose: Cost
    image: Cost

    @property
    def whole(self) -> Cost:
        """Both together."""
        return together(self.compose, self.image)


@dataclass(frozen=True)
class Round:
    """The least, ours and, if it was asked for, mkosi's image, made directly one after the other."""

    least: Least
    ours: Composed
    mkosi: MadeByMkosi | None = None


def compare_with_least(rounds: int, timeout_seconds: float, source: Source, *, mkosi: bool) -> list[MeasuredTable]:
    """The tables of ``rounds`` rounds, each with an empty store; which of the ways goes first alternates.

    Raises WorkbookError if one of them fails; with ``mkosi``, also for what mkosi needs.
    """
    SCRATCH.mkdir(parents=True, exist_ok=True)
    ways: dict[str, Callable[[BuildRequest, Path], Any]] = {"ours": compose_and_image, "least": make_least}
    if mkosi:
        open_mkosi_tree(cache_directory())  # is made once, and not measured
        ways["mkosi"] = make_with_mkosi
    made = []
    for number in range(rounds):
        store = SCRATCH / f"ratio-{number}"
        in_own_process(timeout_seconds, resolve, FIRST, store)
        costs = {name: in_own_process(timeout_seconds, ways[name], FIRST, store) for name in in_turn(ways, number)}
        made.append(Round(**costs))
        least, ours = made[-1].least.whole, made[-1].ours.compose
        say(f"round {number + 1} of {rounds}: {ours.cpu_seconds / least.cpu_seconds:.2f}")
        remove_tree(store)
    return [ratio_table(made, FIRST.title, source), *mkosi_tables(made, FIRST.title, source)]


def in_turn(names: Iterable[str], number: int) -> list[str]:
    """The names in the order of a round: each round begins with the next one."""
    order = list(names)
    first = number % len(order)
    return [*order[first:], *order[:first]]


def compose_and_image(request: BuildRequest, store: Path) -> Composed:
    """The costs of the tree and of its image; the store has the RPM set."""
    build = record_request(request, store).build
    _ = build.rpm_set
    return Composed(costed(lambda: build.tree)[1], costed(lambda: build.image)[1])


def make_least(request: BuildRequest, store: Path) -> Least:
    """The cost of dnf, dracut and ostree alone, in a directory beside the store."""
    build = record_request(request, store).build
    _ = build.rpm_set
    with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch, in_memory(Path(scratch, "memory")) as memory:
        directory = Path(scratch)
        tree = Installroot(build.context.tools, memory / "root", build.variant.source_date_epoch)
        make_root(tree.root)
        steps: tuple[Callable[[], None], ...] = (
            lambda: _run_dnf(build, tree, directory),
            lambda: _run_dracut(build, tree, directory),
            lambda: _run_ostree(tree, directory / "repo"),
        )
        return Least(*(costed(work)[1] for work in steps))


def _run_dracut(build: Build, tree: Installroot, directory: Path) -> None:
    place_kernels(tree.files)
    kver = kernel_version(tree.files)
    arguments = ("--force", "--reproducible", "--no-hostonly", *build.recipe.initramfs_arguments, "--kver", kver)
    tree.chroot(["dracut", *arguments, f"/usr/lib/modules/{kver}/initramfs.img"], log=directory / "dracut.log")


def _run_ostree(tree: Installroot, repo: Path) -> None:
    repo.mkdir()
    binds = [Bind(repo, "/mnt/repo", writable=True), Bind(tree.root, INSTALLROOT)]
    for words in (
        ["ostree", "init", "--repo=/mnt/repo", "--mode=bare-user"],
        ["ostree", "commit", "--repo=/mnt/repo", "--branch=bare", "--disable-fsync", f"--tree=dir={INSTALLROOT}"],
    ):
        tree.tools.run(words, binds=binds, rights="root")


def _run_dnf(build: Build, tree: Installroot, directory: Path) -> None:
    config = directory / "config"
    config.mkdir()
    recipe, content, rpm_set = build.recipe, build.content, build.rpm_set
    text = dnf_configuration(weak_dependencies=recipe.weak_dependencies, documentation=recipe.documentation)
    (config / "dnf.conf").write_text(text)
    keys = [*content.key_urls, *(f"file:///mnt/keys/{key.name}" for key in sorted(rpm_set.keys.glob("*.asc")))]
    repo = f"[locked]\nname=locked\nbaseurl=file:///mnt/rpms\ngpgcheck=1\ngpgkey={' '.join(keys)}\n"
    (config / "locked.repo").write_text(repo)
    (config / ".rpmmacros").write_text(macros(Installation(recipe, content, rpm_set, {})))
    line = ["dnf", "-y", "-c", f"{DNF_DIRECTORY}/dnf.conf", f"--installroot={INSTALLROOT}"]
    tree.run(
        [*line, f"--releasever={content.releasever}", *rpm_set.words],
        binds=[*content.binds, Bind(config, DNF_DIRECTORY), Bind(rpm_set.directory, "/mnt/rpms"),
               Bind(rpm_set.keys, "/mnt/keys")],
        env={"HOME": DNF_DIRECTORY},
        log=directory / "dnf.log",
    )  # fmt: skip


def ratio_table(rounds: Sequence[Round], title: str, source: Source) -> MeasuredTable:
    """The costs of the least and of ours, and the ratio of each round."""
    bare = _samples([one.least.dnf for one in rounds])
    least, whole = _samples([one.least.whole for one in rounds]), _samples([one.ours.whole for one in rounds])
    compose = _samples([one.ours.compose for one in rounds])
    return MeasuredTable(
        name="compose-ratio",
        caption=f"Compose of `{title}` against the least that any tool has to do for the same packages, and its disk "
        f"image: median and range of n = {len(rounds)} rounds, made in turn",
        source=source,
        columns=_COLUMNS,
        rows=(
            ("bare `dnf --installroot`", *bare),
            ("one dracut", *_samples([one.least.dracut for one in rounds])),
            ("one `ostree commit`", *_samples([one.least.commit for one in rounds])),
            ("the least: these three", *least),
            ("our compose", *compose),
            ("our compose, relative to bare dnf", *_ratios(compose, bare)),
            ("our compose, relative to the least", *_ratios(compose, least)),
            (_OURS, *whole),
            ("our compose and disk image, relative to the least", *_ratios(whole, least)),
        ),
    )


def mkosi_tables(rounds: Sequence[Round], title: str, source: Source) -> list[MeasuredTable]:
    """The table of mkosi's costs, and how ours relate to them; none if mkosi was not measured."""
    measured = [one.mkosi for one in rounds if one.mkosi]
    if not measured:
        return []
    least, ours = _samples([one.least.whole for one in rounds]), _samples([one.ours.whole for one in rounds])
    raw = _samples([one.image for one in measured])
    both = _samples([together(one.image, one.compressed) for one in measured])
    table = MeasuredTable(
        name="mkosi-ratio",
        caption=f"Disk image of `{title}` by mkosi {measured[0].version}, and ours, of the same packages: median and "
        f"range of n = {len(rounds)} rounds, made in turn",
        source=source,
        columns=_COLUMNS,
        rows=(
            ("mkosi: disk image (raw)", *raw),
            ("mkosi: disk image (raw and qcow2)", *both),
            (_OURS, *ours),
            ("ours, relative to mkosi's raw disk image", *_ratios(ours, raw)),
            ("ours, relative to mkosi's raw and qcow2", *_ratios(ours, both)),
            ("the least: dnf, dracut and `ostree commit`", *least),
        ),
    )
    return [table]


def _ratios(ours: _Samples, theirs: _Samples) -> Iterator[str]:
    for both in zip(ours, theirs, strict=True):
        yield spread([one / other for one, other in zip(*both, strict=True)], "ratio")


def _samples(costs: Sequence[Cost]) -> _Samples:
    """Wall time, processor time and memory of each round."""
    return (
        tuple(cost.wall_seconds for cost in costs),
        tuple(cost.cpu_seconds for cost in costs),
        tuple(float(cost.peak_bytes) for cost in costs),
    )
