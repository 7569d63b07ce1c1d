"""Damage that neither size nor times show."""

import os
from pathlib import Path


def flip(path: Path) -> None:
    """Change a byte; size and times stay."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
