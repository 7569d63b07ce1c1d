"""What must be the same on all machines of a cluster, so that they find the same solutions."""

import hashlib
from collections.abc import Iterable, Mapping

from atomic_lib.base.code_version import code_version
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT

LOCK_FILE = "requirements-cluster.lock"
_CODE = "atomic_lib.pipeline.sweep.cluster.worker"
_LENGTH = 16
PLENTY = 1_000_000.0
"""How much a worker has of each identity; a question takes one."""


def identity(tools_key: str) -> dict[str, str]:
    """The identities of the tools and of the code that answers questions, its packages among it."""
    code = code_version(_CODE).encode() + (CHECKOUT / LOCK_FILE).read_bytes()
    return {"tools": tools_key, "code": hashlib.sha256(code).hexdigest()[:_LENGTH]}


def resources(own: Mapping[str, str]) -> dict[str, float]:
    """An identity as resources of dask: a worker offers it, and a question goes only to a worker that does."""
    return {_resource(name, value): PLENTY for name, value in own.items()}


def needed(own: Mapping[str, str]) -> dict[str, float]:
    """What a question needs of a worker."""
    return {name: 1.0 for name in resources(own)}


def require_same(own: Mapping[str, str], workers: Mapping[str, Iterable[str]]) -> None:
    """Raise WorkbookError for the first worker, by address, whose resources are not of this identity."""
    for address, offered in sorted(workers.items()):
        offers = set(offered)
        other = [name for name, value in own.items() if _resource(name, value) not in offers]
        if other:
            what = {"tools": "build tools", "code": "code"}
            raise WorkbookError(
                f"worker {address} has other {' and other '.join(what[name] for name in other)} than this checkout, "
                "so its solutions could differ",
                hint="start it with ./workbook sweep-worker from the same revision; for other tools: remove them there "
                "(./workbook clean cache), or copy this machine's",
            )


def _resource(name: str, value: str) -> str:
    return f"workbook-{name}-{value}"
