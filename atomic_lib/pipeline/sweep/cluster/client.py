"""The engine of a sweep whose questions are answered by the workers of a cluster."""

import logging
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial

from distributed import Client, Security
from distributed.scheduler import KilledWorker, NoValidWorkerError, NoWorkerError

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import NOTED, say
from atomic_lib.pipeline.sweep.cluster.address import ClusterAddress
from atomic_lib.pipeline.sweep.cluster.sent_content import sent_content
from atomic_lib.pipeline.sweep.cluster.worker import ContentPlugin, answer_at_worker, no_scheduler
from atomic_lib.pipeline.sweep.cluster.worker_identity import identity, needed, require_same
from atomic_lib.pipeline.sweep.engine import Engine, Engines, Solving

_WORKER_SECONDS = 60.0
"""How long a sweep waits for the first worker."""
_ATTEMPTS = 5
"""How often workers are given a content while others are killed."""


@contextmanager
def cluster_engines(address: ClusterAddress, tools_key: str) -> Iterator[Engines]:
    """Engines whose questions are answered by the workers of the scheduler at ``address``.

    Raises WorkbookError if there is no scheduler or no worker, if a worker has other tools or code, and if the
    connection or all workers are lost. A worker that is killed changes nothing: its questions are asked of others.
    """
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # its faults are raised
    own = identity(tools_key)
    try:
        client = Client(address.text, security=Security(**address.security), set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise no_scheduler(address, error) from None
    try:
        workers = _workers(client, address)
        require_same(own, workers)
        say(f"{NOTED} workers of {address.text}: {len(workers)}")
        yield partial(_engine, client, needed(own))
    except CancelledError:
        raise WorkbookError(
            f"{address.text}: the connection to the scheduler was lost",
            hint="start it again, and its workers; the sweep then resumes",
        ) from None
    except KilledWorker as error:
        raise WorkbookError(
            f"a question has killed {error.allowed_failures + 1} workers, one after the other",
            hint="run the sweep without --scheduler, and read what dnf says",
        ) from None
    except (NoWorkerError, NoValidWorkerError) as error:
        raise WorkbookError(
            f"{address.text}: for {error.timeout:g} s there was no worker with the tools and the code of this checkout",
            hint=f"start one: ./workbook sweep-worker {address.text}; the sweep then resumes",
        ) from None
    finally:
        client.close()


@contextmanager
def _engine(client: Client, resources: dict[str, float], solving: Solving) -> Iterator[Engine]:
    name = f"workbook-{solving.content.key}-{secrets.token_hex(4)}"
    _register(client, ContentPlugin(sent_content(solving.content), solving.recipe), name)
    try:
        executor = client.get_executor(pure=False, resources=resources)
        yield Engine(executor, partial(answer_at_worker, name))
    finally:
        with suppress(OSError):  # a scheduler that is gone has nothing to unregister
            client.unregister_worker_plugin(name)


def _register(client: Client, plugin: ContentPlugin, name: str) -> None:
    """Give each worker the plugin, those that join later, too; again if a worker is killed meanwhile, which ends it."""
    for left in reversed(range(_ATTEMPTS)):
        try:
            client.register_plugin(plugin, name=name)
            return
        except OSError as error:
            if not left:
                raise WorkbookError(
                    f"the workers cannot be given the content: {error}", hint="look at what the scheduler and they say"
                ) from None
            time.sleep(1)


def _workers(client: Client, address: ClusterAddress) -> dict[str, list[str]]:
    """What each worker offers, by its address; at least one."""
    try:
        client.wait_for_workers(1, timeout=_WORKER_SECONDS)
    except TimeoutError:
        raise WorkbookError(
            f"{address.text}: no worker after {_WORKER_SECONDS:g} s",
            hint=f"start one or more: ./workbook sweep-worker {address.text}",
        ) from None
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return {name: list(worker["resources"]) for name, worker in workers.items()}
