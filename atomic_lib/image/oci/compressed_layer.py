"""The stage that compresses a layer: one that was compressed before, for another version, is not compressed again.

gzip is what every container engine and registry reads; it is the program of the tools tree, because the output of zlib
depends on its version.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.stage import Stage
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

_DIRECTORY, _LAYER = "/mnt/layer", "layer.tar.gz"


@dataclass(frozen=True)
class TarArchive:
    """A tar archive; ``sha256`` is its own, in hex."""

    file: Path
    sha256: str


def compressed_layer(archive: TarArchive, context: Context) -> Path:
    """The archive as gzip; made first if it is not in the store. The archive may then be gone."""
    return COMPRESSED_LAYER.get(archive, context).path / _LAYER


def gzip_file(tools: Tools, file: Path) -> Path:
    """Replace a file by its gzip, which has no name and no time in it; returns the path of that."""
    words = ["gzip", "--no-name", f"{_DIRECTORY}/{file.name}"]
    tools.run(words, binds=[Bind(file.parent, _DIRECTORY, writable=True)])
    return file.with_name(f"{file.name}.gz")


def _inputs(archive: TarArchive, _: Context) -> dict[str, object]:
    return {"tar": archive.sha256}


def _make(archive: TarArchive, context: Context, directory: Path) -> None:
    shutil.move(gzip_file(context.tools, archive.file), directory / _LAYER)


COMPRESSED_LAYER = Stage(
    "oci-layer", _make, _inputs, title=lambda archive: f"compress {archive.file.name}", silent=True
)
