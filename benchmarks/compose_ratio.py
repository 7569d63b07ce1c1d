"""The compose of a variant against a bare ``dnf --installroot`` of the same packages.

The bare installation uses the same tools tree, the same locked RPM repository and the same
configuration (signatures checked, documentation and weak dependencies as in the recipe), and
installs into an empty directory. The compose starts with an empty store: the same
installation, then configuration, initramfs, clean-up, commit or labels, and the measurement of
the tree.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.progress import step
from atomic_lib.base.store import remove_tree
from atomic_lib.compose.chroot import Installroot
from atomic_lib.content.dnf import DNF_DIRECTORY, dnf_configuration
from atomic_lib.pipeline.build import Build
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.tools.sandbox import Bind
from benchmarks.builds import FIRST, SCRATCH, BuildRequest, compose, record_request, resolve
from benchmarks.cost import Cost, costed, in_own_process
from benchmarks.measured import Column, MeasuredTable, Source, spread


@dataclass(frozen=True)
class Round:
    """One bare installation and one compose, made directly one after the other."""

    bare: Cost
    compose: Cost


def compare_with_bare_dnf(
    rounds: int, timeout_seconds: float, source: Source, request: BuildRequest = FIRST
) -> MeasuredTable:
    """``rounds`` rounds, each with an empty store; which of the two goes first alternates."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(rounds):
        store = SCRATCH / f"ratio-{number}"
        in_own_process(timeout_seconds, resolve, request, store)
        costs = {}
        for work in [install_bare, compose] if number % 2 else [compose, install_bare]:
            with step(f"round {number + 1} of {rounds}: {work.__name__}"):
                costs[work] = in_own_process(timeout_seconds, work, request, store)
        made.append(Round(costs[install_bare], costs[compose]))
        remove_tree(store)
    return ratio_table(made, request.title, source)


def install_bare(request: BuildRequest, store: Path) -> Cost:
    """The cost of dnf alone, into a directory beside the store."""
    build = record_request(request, store).build
    _ = build.rpm_set
    with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch:
        directory = Path(scratch)
        (directory / "root").mkdir()
        cost = costed(_run_dnf, build, directory)[1]
        remove_tree(directory / "root")
    return cost


def _run_dnf(build: Build, directory: Path) -> None:
    tree = Installroot(build.context.tools, directory / "root", build.variant.source_date_epoch)
    config = directory / "config"
    config.mkdir()
    recipe, content, rpm_set = build.recipe, build.content, build.rpm_set
    text = dnf_configuration(weak_dependencies=recipe.weak_dependencies, documentation=recipe.documentation)
    (config / "dnf.conf").write_text(text)
    keys = [*content.key_urls, *(f"file:///mnt/keys/{key.name}" for key in sorted(rpm_set.keys.glob("*.asc")))]
    repo = f"[locked]\nname=locked\nbaseurl=file:///mnt/rpms\ngpgcheck=1\ngpgkey={' '.join(keys)}\n"
    (config / "locked.repo").write_text(repo)
    line = ["dnf", "-y", "-c", f"{DNF_DIRECTORY}/dnf.conf", f"--installroot={INSTALLROOT}"]
    tree.run(
        [*line, f"--releasever={content.releasever}", *rpm_set.words],
        binds=[*content.binds, Bind(config, DNF_DIRECTORY), Bind(rpm_set.directory, "/mnt/rpms"),
               Bind(rpm_set.keys, "/mnt/keys")],
        env={"HOME": DNF_DIRECTORY},
        log=directory / "dnf.log",
    )  # fmt: skip


def ratio_table(rounds: Sequence[Round], title: str, source: Source) -> MeasuredTable:
    """Both costs and the ratio of each round."""
    bare = _samples([one.bare for one in rounds])
    composed = _samples([one.compose for one in rounds])
    ratios = (
        spread([ours / theirs for theirs, ours in zip(*both, strict=True)], "ratio")
        for both in zip(bare, composed, strict=True)
    )
    return MeasuredTable(
        name="compose-ratio",
        caption=f"Compose of `{title}` against a bare `dnf --installroot` of the same packages: median and range of "
        f"n = {len(rounds)} rounds, made in turn",
        source=source,
        columns=(
            Column(title=""),
            Column(title="wall time", format="seconds"),
            Column(title="processor time", format="seconds"),
            Column(title="memory of the largest process", format="memory"),
        ),
        rows=(("bare dnf", *bare), ("our compose", *composed), ("ratio", *ratios)),
    )


def _samples(costs: Sequence[Cost]) -> tuple[tuple[float, ...], ...]:
    """Wall time, processor time and memory of each round."""
    return (
        tuple(cost.wall_seconds for cost in costs),
        tuple(cost.cpu_seconds for cost in costs),
        tuple(float(cost.peak_bytes) for cost in costs),
    )
