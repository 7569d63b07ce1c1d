"""The members of an initramfs as text, for comparison."""

import hashlib
import tempfile
from pathlib import Path

from atomic_lib.formats.cpio import read_initramfs
from atomic_lib.tools.sandbox import Bind, Tools


def is_initramfs(path: str) -> bool:
    """Whether a path is an initramfs, by its name."""
    return path.rpartition("/")[2].startswith("initramfs")


def members_of(data: bytes, tools: Tools) -> dict[str, str]:
    """Type and mode, owner, time, links, size and digest of each member, in the order of the archive.

    Raises WorkbookError where the data is not an initramfs.
    """
    return {
        member.path: f"mode {member.mode:o}, owner {member.uid}:{member.gid}, time {member.mtime_seconds}, "
        f"links {member.links}, {len(member.data)} bytes, {_digest(member.data)}"
        for member in read_initramfs(data, lambda packed: _decompressed(packed, tools))
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16] if data else "-"


def _decompressed(data: bytes, tools: Tools) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "packed").write_bytes(data)
        tools.run(
            ["zstd", "--quiet", "--decompress", "/mnt/work/packed", "-o", "/mnt/work/plain"],
            binds=[Bind(Path(scratch), "/mnt/work", writable=True)],
        )
        return (Path(scratch) / "plain").read_bytes()
