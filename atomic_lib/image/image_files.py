"""The files of a finished image, read once for all that looks at them."""

from dataclasses import dataclass
from functools import cached_property

from atomic_lib.formats.disk.file_system import FileSystem, read_file_system
from atomic_lib.image.disk import Image
from atomic_lib.tools.context import Context


@dataclass(frozen=True)
class ImageFiles:
    """An image and, from their first use on, the files of its root file system."""

    image: Image
    context: Context

    @cached_property
    def file_system(self) -> FileSystem:
        """All paths with their metadata and the checksum of every file; raises as ``read_file_system`` does."""
        return read_file_system(self.image.raw_disk(self.context))
