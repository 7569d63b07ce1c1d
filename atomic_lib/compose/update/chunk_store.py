"""What a web server has for casync: the chunks of versions, and an index of each; and what a client downloads of it.

A tree is one stream: each file with what an ostree commit has of it, in the order of the names. casync cuts it where
its content says so, so that what did not change gives the same chunks, and compresses each. Times are left out: those
of a checkout say nothing, and ostree has none.
"""

from pathlib import Path

from atomic_lib.compose.update.download_prediction import Download, ServedFile, download_of
from atomic_lib.compose.update.update_repository import Version
from atomic_lib.formats.chunk_index import chunk_path, chunks_of
from atomic_lib.tools.sandbox import Bind, Tools

ATTRIBUTES = tuple(f"--with={name}" for name in ("32bit-uids", "permissions", "symlinks", "xattrs", "selinux", "fcaps"))
"""What is kept of each file."""
_SERVED, _TREE = "/mnt/served", "/mnt/tree"


def index_path(version: Version) -> str:
    """The index of a version, relative to the directory that is served."""
    return f"{version.commit}.caidx"


def add_chunks(tools: Tools, served: Path, version: Version, tree: Path) -> None:
    """Add a version, whose files are in ``tree``, to the directory ``served``.

    casync leaves out what a ``.caexclude`` in the tree names, and cannot be told otherwise: ``--exclude-file=no`` has
    no effect in 2+20201210.
    """
    words = ["casync", "make", *ATTRIBUTES, f"{_SERVED}/{index_path(version)}", _TREE]
    binds = [Bind(served, _SERVED, writable=True), Bind(tree, _TREE)]
    tools.run(words, binds=binds, rights="root")


def chunks_in(served: Path, version: Version) -> frozenset[str]:
    """The chunks of a version. Raises WorkbookError as ``chunks_of`` does."""
    return frozenset(chunks_of((served / index_path(version)).read_bytes()))


def predict_chunks(served: Path, before: Version, after: Version) -> Download:
    """What a client with the files of ``before`` downloads: the index of ``after``, and each new chunk once."""
    new = chunks_in(served, after) - chunks_in(served, before)
    paths = (index_path(after), *(chunk_path(chunk) for chunk in new))
    return download_of(ServedFile(path, (served / path).stat().st_size) for path in paths)
