"""Images of a test's own whose raw disk is in the store, as the image stage leaves it."""

import json
from dataclasses import asdict
from pathlib import Path

from atomic_lib.base.files import file_digest, write_manifest
from atomic_lib.formats.disk.extents import allocated_ranges
from atomic_lib.image.disk import Image
from atomic_lib.image.uncompressed_disk import UncompressedDisk, put_raw_disk
from atomic_lib.tools.context import Context


def with_raw_disk(raw: Path, directory: Path, context: Context, key: str = "key") -> Image:
    """An image in ``directory``, which becomes one; ``raw`` is moved to the store."""
    status, digest = raw.stat(), file_digest(raw)
    (directory / "allocated.json").write_text(json.dumps(allocated_ranges(raw)))
    image = Image(key, directory, status.st_size, status.st_blocks * 512, 1, 0.0, True, digest=digest)
    put_raw_disk(UncompressedDisk(key, image.qcow2, digest, made=raw), context)
    return image


def store_image(raw: Path, key: str, context: Context) -> Path:
    """An image in the store, whose raw disk is ``raw``, which is moved; returns its directory."""
    directory = context.store.path_of("image", key)
    directory.mkdir(parents=True)
    image = asdict(with_raw_disk(raw, directory, context, key))
    facts = {name: image[name] for name in image if name not in ("key", "directory", "seconds", "reused")}
    (directory / "image.json").write_text(json.dumps(facts))
    write_manifest(directory)
    return directory
