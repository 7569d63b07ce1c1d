"""A build that was really made: atomic-min from stand-in content, its image measured, not booted."""

import gzip
import json
from pathlib import Path

from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import Lock, LockedPackage

RECORDED = Path(__file__).parent / "data/atomic-min.json.gz"


def recorded_build() -> tuple[VariantResult, Lock]:
    """The result and the lock of the build."""
    data = json.loads(gzip.decompress(RECORDED.read_bytes()))
    packages = tuple(LockedPackage(**package) for package in data["lock"]["packages"])
    return VariantResult.model_validate_json(json.dumps(data["result"])), Lock(data["lock"]["content"], packages)
