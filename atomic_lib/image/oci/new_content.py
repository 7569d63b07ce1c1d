"""The least that an update of files can be: the content that the version before has nowhere, compressed.

It is the content of each regular file of the new version that no file of the version before has, whatever their paths
are: each content once, as one stream, through the same gzip as the layers. What changed within a file is not looked at,
so a delta of bytes (a static delta of ostree) can be smaller.
"""

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from atomic_lib.image.oci.compressed_layer import gzip_file
from atomic_lib.image.oci.host_image import HostImage
from atomic_lib.image.oci.layout import blob_of
from atomic_lib.tools.sandbox import Tools


@dataclass(frozen=True)
class NewContent:
    """How many contents are new, their bytes as they are, and compressed together."""

    files: int
    size_bytes: int
    compressed_bytes: int


def new_content(tools: Tools, before: HostImage, after: HostImage, scratch: Path) -> NewContent:
    """What of ``after`` is new; it is read from the layers of its own, and put together in ``scratch``."""
    waiting = {*after.contents.values()} - {*before.contents.values()}
    files, stream = len(waiting), scratch / "content"
    with open(stream, "wb") as target:
        for layer in after.manifest["layers"]:
            if layer["digest"] not in before.layers:
                waiting -= _copy_members(blob_of(after.layout, layer), after, waiting, target)
    size_bytes = stream.stat().st_size
    return NewContent(files, size_bytes, gzip_file(tools, stream).stat().st_size if files else 0)


def _copy_members(layer: Path, image: HostImage, wanted: set[str], target: BinaryIO) -> set[str]:
    """Write the wanted contents of a layer, each once; returns their sha256."""
    found: set[str] = set()
    with tarfile.open(layer, "r:gz", encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            content = image.contents.get(member.name, "")
            if member.isreg() and content in wanted - found and (file := archive.extractfile(member)):
                shutil.copyfileobj(file, target)
                found.add(content)
    return found
