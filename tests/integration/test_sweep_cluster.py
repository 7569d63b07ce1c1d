"""A sweep on a cluster: two workers that share nothing but the network and the tools, and are killed."""

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from atomic_lib.base.command import Background, CommandError
from atomic_lib.base.paths import cache_directory
from atomic_lib.tools.context import open_context
from tests.browser import missing
from tests.clusters import ENVIRONMENT, Machine, machine, make_certificates, wait_for

pytestmark = pytest.mark.integration

SWEEP = """
sweep: tiny
cells:
  variant: tiny
  factors:
    recipe: {tiny: {}, broken: {recipe: broken}}  # not crossed
    docs: {without: {}, with: {parts: docs}}
    sudo: {none: {}, installed: {add: sudo}}
    less: {installed: {}, none: {exclude: less}}
    bash: {installed: {}, none: {exclude: bash}}
    nano: {none: {}, installed: {add: nano}}
    tar: {none: {}, installed: {add: tar}}
  crossed: [docs, sudo, less, bash, nano, tar]
"""
RECIPES = {
    "tiny": "packages:\n  - bash less\n",
    "broken": "packages:\n  - bash less\nexclude-packages:\n  - libtinfo6\n",  # which bash requires
}


def with_sweep(one: Machine) -> Machine:
    """The machine with the sweep and what it needs."""
    for name, packages in RECIPES.items():
        text = f"ref: tiny\nrecommends: false\ndocumentation: false\n{packages}"
        (one.checkout / f"params/treefiles/{name}.yaml").write_text(text)
    atomic = (one.checkout / "params/variants/atomic.yaml").read_text()
    tiny = atomic.replace("variant: atomic", "variant: tiny").replace("recipe: atomic", "recipe: tiny")
    (one.checkout / "params/variants/tiny.yaml").write_text(tiny)
    (one.checkout / "tiny.yaml").write_text(SWEEP)
    return one


def table(one: Machine) -> bytes:
    return (one.checkout / "build/sweeps/tiny/variants.csv").read_bytes()


@dataclass(frozen=True)
class Cluster:
    """A scheduler on this machine, the directory of its certificates, and the machines of its two workers."""

    address: str
    directory: Path
    machines: tuple[Machine, Machine]
    stack: ExitStack
    workers: list[Background] = field(default_factory=list)

    @property
    def options(self) -> list[str]:
        return [self.address, "--certificates", str(self.directory / "certificates")]

    def start_worker(self, own: Machine) -> None:
        """Start a worker, and wait until the scheduler knows it."""
        log = self.directory / f"worker-{len(self.workers)}.log"
        worker = self.stack.enter_context(own.running("sweep-worker", *self.options, "--threads", "1", log=log))
        wait_for(lambda: "worker of" in log.read_text(), worker, log)
        self.workers.append(worker)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose connections are encrypted."""
    if not (ENVIRONMENT / "stamp").exists():
        missing("dask.distributed is not installed")
    directory = tmp_path_factory.mktemp("cluster")
    make_certificates(open_context().tools, directory / "certificates")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tls://127.0.0.1:{free.getsockname()[1]}"
    one, other = machine(directory / "one"), machine(directory / "other")
    with ExitStack() as stack:
        found, log = Cluster(address, directory, (one, other), stack), directory / "scheduler.log"
        scheduler = stack.enter_context(one.running("sweep-scheduler", *found.options, log=log))
        wait_for(lambda: "scheduler at" in log.read_text(), scheduler, log)
        for own in found.machines:
            found.start_worker(own)
        yield found


def test_who_has_no_certificate_of_the_cluster_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    make_certificates(open_context().tools, tmp_path / "others")
    here = with_sweep(machine(tmp_path / "here", cache=cache_directory()))
    with pytest.raises(CommandError) as caught:
        here.run("sweep", "tiny.yaml", "--scheduler", cluster.address, "--certificates", str(tmp_path / "others"))
    assert caught.value.status == 1
    assert "no scheduler answers there" in caught.value.stderr


def test_a_worker_with_other_code_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    here = with_sweep(machine(tmp_path / "here", cache=cache_directory()))
    with open(here.checkout / "atomic_lib/solve/running_dnf/prediction.py", "a") as file:
        file.write("# changed\n")
    with pytest.raises(CommandError) as caught:
        here.run("sweep", "tiny.yaml", "--scheduler", *cluster.options)
    assert caught.value.status == 1
    assert "has other code than this checkout" in caught.value.stderr


def test_workers_that_are_killed_change_nothing_of_the_table(cluster: Cluster, tmp_path: Path) -> None:
    here = with_sweep(machine(tmp_path / "here", cache=cache_directory()))
    here.run("sweep", "tiny.yaml")
    there = with_sweep(machine(tmp_path / "there", cache=cache_directory()))
    log = tmp_path / "sweep.log"
    with there.running("sweep", "tiny.yaml", "--scheduler", *cluster.options, log=log) as sweep:
        for number, worker in enumerate(cluster.workers):  # each has half of the questions, and its dnf starts
            own = cluster.directory / f"worker-{number}.log"
            wait_for(lambda own=own: "content standin" in own.read_text(), sweep, log)  # type: ignore[misc]
            worker.send_signal(signal.SIGKILL)
        cluster.start_worker(cluster.machines[0])
        assert sweep.wait(300) == 0, log.read_text()
    assert f"workers of {cluster.address}: 2" in log.read_text()
    rows = table(here).decode().splitlines()
    assert len(rows) == 1 + 64 + 1
    assert sum("libtinfo6 is excluded, but the recipe requires it" in row for row in rows) == 1
    assert table(there) == table(here)
