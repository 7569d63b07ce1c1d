"""How long the parts of a run may take, by what they took before; nothing is said of what was never made."""

import sqlite3
from collections.abc import Iterable, Mapping

from atomic_lib.base.store import Store
from atomic_lib.guest.boot_stages import BOOT, COUNTED_BOOT, boot_names
from atomic_lib.params.variant import Variant
from atomic_lib.results.analysis.boot_groups import median_of

_BUILT = {"tree": ("resolve", "compose"), "image": ("resolve", "compose", "image")}
"""What is built up to each last stage that is no boot."""


def expected_seconds(history: sqlite3.Connection, store: Store, variants: Iterable[Variant]) -> dict[str, float | None]:
    """The parts of the variants' builds, named "VARIANT: PART", with the seconds that each took before.

    A stage takes the median of what it took when it was last made for this variant, up to five times; a boot that of
    all stored boots through the same firmware. None: it was never made. A stored result is reused, so a part may take
    less.
    """
    boots: dict[str, list[float]] = {}
    for stage in (BOOT, COUNTED_BOOT):
        for inputs, seconds in store.seconds_of(stage.name):
            boots.setdefault(_firmware(inputs), []).append(seconds)
    parts: dict[str, float | None] = {}
    for variant in variants:
        name = variant.variant
        for stage_name in _BUILT.get(variant.last_stage, _BUILT["image"]):
            parts[f"{name}: {stage_name}"] = median_of(_made(history, name, stage_name))
        for firmware, index in boot_names(variant) if variant.last_stage == "boot" else ():
            parts[f"{name}: boot {firmware or 'counted'}-{index}"] = median_of(boots.get(firmware or "counted", []))
    return parts


def _firmware(inputs: Mapping[str, object]) -> str:
    request = inputs.get("request")
    return str(request.get("firmware")) if isinstance(request, dict) else "counted"


def _made(history: sqlite3.Connection, variant: str, stage: str) -> list[float]:
    rows = history.execute(
        "SELECT seconds FROM stages JOIN builds USING (build) WHERE variant = ? AND stage = ? AND NOT reused"
        " ORDER BY build DESC LIMIT 5",
        (variant, stage),
    )
    return [float(seconds) for (seconds,) in rows]
