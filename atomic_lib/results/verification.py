"""The record of ``./workbook verify``, and whether it is about a given image."""

from pathlib import Path
from typing import Literal

from atomic_lib.base.files import write_text
from atomic_lib.base.model import Model, read_model

RAW, QCOW2 = "disk.raw", "disk.qcow2"
_OF_THIS_MACHINE = ("directory", "host name")
BuildValues = tuple[str | None, str | None]
"""A value of build A and the same of build B; None if a build has none."""


class Verification(Model):
    """Two builds of a variant from scratch. ``when``: UTC, ISO 8601. ``checksums``: by what they are of.

    ``conditions``: as each build saw them. ``keys``: of the stages; ``seconds`` each build took.
    """

    schema_version: Literal[1] = 1
    variant: str
    when: str
    same: bool
    checksums: dict[str, BuildValues]
    conditions: dict[str, BuildValues]
    keys: dict[str, BuildValues]
    versions: dict[str, str]
    provenance: dict[str, str | None]
    seconds: tuple[float, float]

    @property
    def differing_conditions(self) -> int:
        """How many conditions differed between the two builds."""
        return sum(one != other for one, other in self.conditions.values())

    @property
    def differing(self) -> list[str]:
        """The names of what has another checksum in each build."""
        return [name for name, (one, other) in self.checksums.items() if one != other]


def write_verification(path: Path, found: Verification) -> None:
    """Write the record as JSON."""
    write_text(path, found.model_dump_json(indent=1) + "\n")


def read_verification(path: Path) -> Verification | None:
    """The record in a file, None if there is none; raises WorkbookError for a file that is not a record."""
    return read_model(Verification, path, hint="remove it, and verify again") if path.is_file() else None


def about_image(found: Verification | None, key: str, sha256: str, compressed_sha256: str) -> Verification | None:
    """The record if it is about this image: both builds gave these bits, or were made from the same inputs.

    A record of two builds with the same inputs and other bits is about the image too: it shows
    that the image is not reproducible.
    """
    if found is None or not (sha256 and compressed_sha256):
        return None
    equal = found.checksums.get(RAW) == (sha256, sha256) and found.checksums.get(QCOW2) == (compressed_sha256,) * 2
    if found.same and equal:
        return _impersonal(found)
    if key not in found.keys.get("image", ()):
        return None
    return _impersonal(found.model_copy(update={"same": False}))


def _impersonal(found: Verification) -> Verification:
    """The record without what names the machine it was made on: results are published."""
    conditions = {
        name: (("one", "another") if one != other else ("the same",) * 2) if name in _OF_THIS_MACHINE else (one, other)
        for name, (one, other) in found.conditions.items()
    }
    return found.model_copy(update={"conditions": conditions})
