"""A stage of the pipeline, declared once: its name, what its key is made of, what makes it, what it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from atomic_lib.base.code_version import code_version
from atomic_lib.base.store import Store, Stored


class Surroundings(Protocol):
    """What a stage finds around it: the two stores, and the identity of the tools."""

    @property
    def store(self) -> Store:
        """The store of this checkout."""

    @property
    def shared(self) -> Store:
        """The cache that all checkouts share."""

    @property
    def tools_key(self) -> str:
        """What names the tools; it is part of every key."""


Request = TypeVar("Request")
Around = TypeVar("Around", bound=Surroundings)


@dataclass(frozen=True)
class Stage(Generic[Request, Around]):
    """How one kind of result is made and under which key it is kept.

    ``make`` fills a directory. ``inputs`` is JSON data: everything of the request that the result depends on.
    The tools and the code (the module of ``make`` and all that it imports) are part of every key; nothing else
    computes one. ``title`` is the progress line. ``space_bytes``: free disk space that is known to be needed.
    ``shared``: kept in the cache for all checkouts. ``quiet``: its result is a wall-clock time, so nothing else
    may run beside it.
    """

    name: str
    make: Callable[[Request, Around, Path], None]
    inputs: Callable[[Request, Around], Mapping[str, object]]
    title: Callable[[Request], str]
    space_bytes: int = 0
    shared: bool = False
    quiet: bool = False

    def key_inputs(self, request: Request, around: Around) -> dict[str, object]:
        """All that the key is made of, as JSON data."""
        own = {"tools": around.tools_key, "code": code_version(self.make.__module__)}
        return {**self.inputs(request, around), **own}

    def has(self, request: Request, around: Around) -> bool:
        """Whether the result is there."""
        return self._store(around).has(self.name, self.key_inputs(request, around))

    def get(self, request: Request, around: Around) -> Stored:
        """The result: the stored one, or made now.

        Raises WorkbookError where the disk space is not there, and whatever ``make`` raises; then nothing is stored.
        """
        return self._store(around).get_or_make(
            self.name,
            self.key_inputs(request, around),
            lambda directory: self.make(request, around, directory),
            what=self.title(request),
            need_bytes=self.space_bytes,
        )

    def _store(self, around: Around) -> Store:
        return around.shared if self.shared else around.store
