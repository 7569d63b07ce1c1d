"""A stage of the pipeline: its name, the inputs of its key, the function that makes it, and what it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from atomic_lib.base.code_version import code_version
from atomic_lib.base.store import Store, Stored


class StageContext(Protocol):
    """What a stage uses besides its request: the two stores, and the identity of the tools."""

    @property
    def store(self) -> Store:
        """The store of this checkout."""

    @property
    def shared(self) -> Store:
        """The store that all checkouts share."""

    @property
    def tools_key(self) -> str:
        """The identity of the tools; it is part of every key."""


Request = TypeVar("Request")
ContextT = TypeVar("ContextT", bound=StageContext)


@dataclass(frozen=True)
class Stage(Generic[Request, ContextT]):
    """How one kind of result is made, and the key that it is stored under.

    ``make(request, context, directory)`` writes the result's files into the directory, and may return the
    digests of some, as for ``Store.get_or_make``. ``inputs`` returns JSON data: everything in the request that the
    result depends on. The identity of the tools and the version of the
    code (the module of ``make`` and all that it imports) are added to every key. ``title`` is the progress line.
    ``space_bytes``: the free disk space that the stage needs. ``shared``: the result is stored for all checkouts.
    ``quiet``: the result is a wall-clock time, so nothing else may run at the same time. ``silent``: there are no
    progress lines, for a stage of many small results.
    """

    name: str
    make: Callable[[Request, ContextT, Path], Mapping[str, str] | None]
    inputs: Callable[[Request, ContextT], Mapping[str, object]]
    title: Callable[[Request], str]
    space_bytes: int = 0
    shared: bool = False
    quiet: bool = False
    silent: bool = False

    def key_inputs(self, request: Request, context: ContextT) -> dict[str, object]:
        """All inputs of the key, as JSON data."""
        own = {"tools": context.tools_key, "code": code_version(self.make.__module__)}
        return {**self.inputs(request, context), **own}

    def has(self, request: Request, context: ContextT) -> bool:
        """Whether the result is stored, undamaged."""
        return self.stored(request, context) is not None

    def stored(self, request: Request, context: ContextT) -> Stored | None:
        """The stored result; None if it is not stored yet, or damaged."""
        return self._store(context).find(self.name, self.key_inputs(request, context))

    def get(self, request: Request, context: ContextT) -> Stored:
        """The stored result; made first if it is not stored yet, or damaged.

        Raises WorkbookError if less than ``space_bytes`` are free, and whatever ``make`` raises. Then nothing is
        stored.
        """
        return self._store(context).get_or_make(
            self.name,
            self.key_inputs(request, context),
            lambda directory: self.make(request, context, directory),
            what=self.title(request),
            need_bytes=self.space_bytes,
            silent=self.silent,
        )

    def _store(self, context: ContextT) -> Store:
        return context.shared if self.shared else context.store
