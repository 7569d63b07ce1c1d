"""Our compose of a variant against a bare ``dnf --installroot`` of the same packages.

The bare one is dnf as anyone would call it: the same tools tree, the same locked RPM repository,
the same configuration (signatures checked, documentation and weak dependencies as in the recipe),
into an empty directory. Ours is ``Build.tree`` into an empty store: the same installation,
then configuration, initramfs, clean-up, commit or labels, and the measuring of the tree.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from atomic_lib.base.progress import step
from atomic_lib.base.store import remove_tree
from atomic_lib.compose.chroot import Installroot
from atomic_lib.content.dnf import DNF_DIRECTORY, dnf_configuration
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.tools.sandbox import Bind
from benchmarks.candidates import FIRST, SCRATCH, Candidate, CandidateBuild, open_candidate
from benchmarks.cost import Cost, costed, in_own_process
from benchmarks.figures import Section, mebibytes, seconds, spread_text

_COSTS = (
    ("wall time", "wall_seconds", seconds),
    ("processor time", "cpu_seconds", seconds),
    ("memory of the largest process", "peak_bytes", mebibytes),
)


@dataclass(frozen=True)
class Round:
    """One pair of measurements, made directly one after the other."""

    bare: Cost
    ours: Cost


def compare_with_bare_dnf(rounds: int, timeout_seconds: float, candidate: Candidate = FIRST) -> Section:
    """``rounds`` pairs, each in an empty store; which of the two goes first alternates."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(rounds):
        store = SCRATCH / f"ratio-{number}"
        in_own_process(timeout_seconds, resolve, candidate, store)
        works = [install_bare, compose] if number % 2 else [compose, install_bare]
        costs = {}
        for work in works:
            with step(f"round {number + 1} of {rounds}: {work.__name__}"):
                costs[work] = in_own_process(timeout_seconds, work, candidate, store)
        made.append(Round(costs[install_bare], costs[compose]))
        remove_tree(store)
    return ratio_section(made, candidate.title)


def resolve(candidate: Candidate, store: Path) -> None:
    """The RPM set, which both need and which is not timed."""
    _ = open_candidate(candidate, store).rpm_set


def compose(candidate: Candidate, store: Path) -> Cost:
    """Our compose; the store holds the RPM set and nothing else."""
    build = open_candidate(candidate, store)
    _ = build.rpm_set
    return costed(lambda: (build.tree, build.footprint))[1]


def install_bare(candidate: Candidate, store: Path) -> Cost:
    """dnf alone, into a directory beside the store."""
    build = open_candidate(candidate, store)
    _ = build.rpm_set
    with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch:
        directory = Path(scratch)
        (directory / "root").mkdir()
        cost = costed(_run_dnf, build, directory)[1]
        remove_tree(directory / "root")
    return cost


def _run_dnf(build: CandidateBuild, directory: Path) -> None:
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


def ratio_section(rounds: Sequence[Round], title: str) -> Section:
    """Both costs and their ratio: the median of the rounds, and the least and the most."""
    rows = []
    for name, field, text in _COSTS:
        bare, ours = ([float(getattr(getattr(one, side), field)) for one in rounds] for side in ("bare", "ours"))
        ratios = [our / their for our, their in zip(ours, bare, strict=True)]
        rows.append((name, spread_text(bare, text), spread_text(ours, text), spread_text(ratios, "{:.2f}".format)))
    data = [asdict(one) for one in rounds]
    heading = f"Compose of {title} against a bare `dnf --installroot` of the same packages, n = {len(rounds)}, in turn"
    return Section(heading, ("", "bare dnf", "our compose", "ratio"), tuple(rows), {"compose_ratio": data})
