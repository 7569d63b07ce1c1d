"""``./workbook sweep-worker`` and ``sweep-scheduler``: the processes of a cluster of dask.distributed."""

import asyncio
import os
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path

from distributed import Scheduler, Security, Worker, WorkerPlugin, get_worker

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.progress import NOTED, say
from atomic_lib.base.signals import Stopped
from atomic_lib.pipeline.notebooks import remove_abandoned
from atomic_lib.pipeline.sweep.cluster.address import ClusterAddress
from atomic_lib.pipeline.sweep.cluster.sent_content import SentContent, received_content
from atomic_lib.pipeline.sweep.cluster.worker_identity import identity, resources
from atomic_lib.pipeline.sweep.engine import SolverAnswer, SolverQuestion, pool_answer
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.running_dnf.solver_pool import solver_pool
from atomic_lib.tools.context import Context, open_context
from atomic_lib.tools.user_namespace import require_namespace

_ONLY_HERE = "127.0.0.1:0"
"""Where dask's own pages about a worker or scheduler are: on this machine, at a port that is free."""
_CONNECT_SECONDS = 60
_NO_WORKER_SECONDS = 600.0
"""How long a question waits while no worker may answer it."""


class ContentPlugin(WorkerPlugin):  # type: ignore[misc]  # distributed is not in the environment of the checks
    """Gives a worker the content of a sweep, and dnfs that load it when they are asked. It ends with the sweep."""

    def __init__(self, sent: SentContent, recipe: Recipe) -> None:
        self._sent, self._recipe = sent, recipe
        self._fault: WorkbookError | None = None

    async def setup(self, worker: Worker) -> None:
        """Write and load the content; an error is that of each question."""
        self._stack = ExitStack()
        try:
            await asyncio.to_thread(self._open, worker.state.nthreads, Path(worker.local_directory))
        except WorkbookError as error:
            self._fault = error
            raise

    async def teardown(self, worker: Worker) -> None:
        """End the dnfs, as soon as they have answered."""
        await asyncio.to_thread(self._stack.close)

    def answer(self, question: SolverQuestion) -> SolverAnswer | None:
        """As ``pool_answer``; raises what kept the content from being loaded."""
        if self._fault:
            raise self._fault
        return pool_answer(self._pool, self._comps, question)

    def _open(self, threads: int, scratch: Path) -> None:
        context = open_context()
        directory = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="index-", dir=scratch))
        content = received_content(self._sent, Path(directory))
        self._comps = tuple(content.comps(context.tools))
        self._pool = self._stack.enter_context(solver_pool(context.tools, content, self._recipe, threads))
        say(f"{NOTED} solves variants with content {content.name}")


def answer_at_worker(plugin: str, question: SolverQuestion) -> SolverAnswer | None:
    """What a worker runs: the answer of its plugin of that name."""
    known = get_worker().plugins.get(plugin)
    if known is None:
        raise SetupError(f"the worker has no content {plugin}", hint="run the sweep again")
    answer: SolverAnswer | None = known.answer(question)
    return answer


def run_worker(address: ClusterAddress, threads: int) -> int:
    """Answer questions of sweeps for the scheduler at ``address`` until that ends; returns the exit status.

    Raises WorkbookError if there is no scheduler there, and as ``open_context`` does.
    """
    require_namespace()
    remove_abandoned()
    return _status(asyncio.run(_work(address, threads or os.cpu_count() or 1, open_context())))


def run_scheduler(address: ClusterAddress) -> int:
    """Be the scheduler at ``address`` until it is interrupted; raises WorkbookError if the address cannot be had."""
    return _status(asyncio.run(_schedule(address)))


def _status(signalled: int) -> int:
    if signalled:
        raise Stopped(signalled)
    return 0


async def _work(address: ClusterAddress, threads: int, context: Context) -> int:
    own = identity(context.tools_key)
    with tempfile.TemporaryDirectory(prefix=f"workbook-worker-{os.getpid()}-") as scratch:
        worker = Worker(
            f"{address.scheme}://{address.host}:{address.port}",
            nthreads=threads,
            host="127.0.0.1" if address.is_loopback else None,
            security=Security(**address.security),
            resources=resources(own),
            local_directory=scratch,
            memory_limit=0,
            death_timeout=_CONNECT_SECONDS,
            dashboard_address=_ONLY_HERE,
        )
        try:
            async with worker:
                say(f"worker of {address.text}: {threads} threads, tools {own['tools']}, code {own['code']}")
                return await _ended(worker)
        except (OSError, TimeoutError) as error:
            raise no_scheduler(address, error) from None


async def _schedule(address: ClusterAddress) -> int:
    try:
        async with Scheduler(
            protocol=address.scheme,
            host=address.host,
            port=address.port,
            security=Security(**address.security),
            dashboard=False,
            dashboard_address=_ONLY_HERE,
        ) as scheduler:
            scheduler.no_workers_timeout = _NO_WORKER_SECONDS
            say(f"scheduler at {scheduler.address}; Ctrl-C ends it")
            return await _ended(scheduler)
    except OSError as error:
        raise WorkbookError(f"{address.text}: {error}", hint="choose another port of this machine") from None


async def _ended(server: Worker | Scheduler) -> int:
    """Wait until a server has ended, or a signal ends it: its number; 0 without one. The caller closes it."""
    loop = asyncio.get_running_loop()
    signalled: asyncio.Future[int] = loop.create_future()

    def end(number: int) -> None:
        if not signalled.done():
            signalled.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    finished = asyncio.ensure_future(server.finished())
    await asyncio.wait((finished, signalled), return_when=asyncio.FIRST_COMPLETED)
    return signalled.result() if signalled.done() else 0


def no_scheduler(address: ClusterAddress, error: Exception) -> WorkbookError:
    """The error for a scheduler that does not answer."""
    return WorkbookError(
        f"{address.text}: no scheduler answers there: {str(error) or type(error).__name__}",
        hint=f"start one: ./workbook sweep-scheduler {address.text}",
    )
