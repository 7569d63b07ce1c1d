"""The stage that has a client of casync pull version 2, and says what of it was new."""

from pathlib import Path

from atomic_lib.base.files import write_text
from atomic_lib.base.model import Bytes, Count, Model, read_model
from atomic_lib.base.run_lock import machine_lock
from atomic_lib.base.stage import Stage
from atomic_lib.compose.tree_access.checkout import check_out
from atomic_lib.compose.update.chunk_store import add_chunks, chunks_in, index_path, predict_chunks
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.guest.chunks.chunk_pull import pull_chunks
from atomic_lib.guest.update.update_downloads import UpdateVersions
from atomic_lib.guest.update.update_evidence import DownloadFigures, figures_of
from atomic_lib.guest.update.update_ways import UpdateWay
from atomic_lib.tools.context import Context
from atomic_lib.tools.memory import in_memory
from atomic_lib.tools.sandbox import Tools

_RESULT = "chunks.json"


class ChunkUpdate(Model):
    """An update by casync. ``same_files``: whether exactly the predicted files were downloaded, each with its size.

    ``chunks``: different ones in version 2; ``reused``: those of them that version 1 has. ``index_bytes``: of the index
    of version 2, which is part of both downloads.
    """

    predicted: DownloadFigures
    measured: DownloadFigures
    same_files: bool
    chunks: Count
    reused: Count
    index_bytes: Bytes

    @property
    def way(self) -> UpdateWay:
        """The chunks as a way to have the update."""
        return UpdateWay("casync chunks", self.predicted, self.measured, same_files=self.same_files)


def chunk_update(versions: UpdateVersions, context: Context) -> ChunkUpdate:
    """What the update costs by casync; measured first if it is not in the store.

    Raises WorkbookError if the client does not have version 2 then.
    """
    path = CHUNK_UPDATE.get(versions, context).path / _RESULT
    return read_model(ChunkUpdate, path, hint="./workbook clean damaged")


def _inputs(versions: UpdateVersions, _: Context) -> dict[str, object]:
    return {"commits": [versions.before.commit, versions.after.commit]}


def _make(versions: UpdateVersions, context: Context, directory: Path) -> None:
    title = CHUNK_UPDATE.title(versions)
    with machine_lock(context.cache, title), context.store.scratch("chunks") as scratch:
        update = _measured(versions, context, scratch)
    write_text(directory / _RESULT, update.model_dump_json(indent=1) + "\n")


def _measured(versions: UpdateVersions, context: Context, scratch: Path) -> ChunkUpdate:
    """The update, in a directory where there is space for the chunks. At most two trees are in memory at a time."""
    before, after, served = versions.before, versions.after, scratch / "served"
    served.mkdir()
    with in_memory(scratch / "after") as memory:
        _add(context.tools, served, after, memory)
    with in_memory(scratch / "before") as memory:
        tree = _add(context.tools, served, before, memory)
        predicted = predict_chunks(served, before, after)
        pulled = pull_chunks(context.tools, served, after, tree)
    chunks = chunks_in(served, after)
    return ChunkUpdate(
        predicted=figures_of(predicted),
        measured=figures_of(pulled),
        same_files=predicted == pulled,
        chunks=len(chunks),
        reused=len(chunks & chunks_in(served, before)),
        index_bytes=(served / index_path(after)).stat().st_size,
    )


def _add(tools: Tools, served: Path, version: Version, memory: Path) -> Path:
    """Add a version to what is served; returns its files."""
    tree = memory / "tree"
    check_out(tools, version.repo, version.commit, tree)
    add_chunks(tools, served, version, tree)
    return tree


CHUNK_UPDATE = Stage(
    "chunk-update",
    _make,
    _inputs,
    title=lambda versions: f"{versions.name}: pull the chunks of version 2 over loopback",
    space_bytes=1_000_000_000,
)
