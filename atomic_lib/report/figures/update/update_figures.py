"""The figures of updates: the bytes of each way to have them."""

from collections.abc import Sequence

from atomic_lib.guest.update.update_ways import UpdateWay, WayName
from atomic_lib.report.elements.blocks import Shown
from atomic_lib.report.elements.values import quantity
from atomic_lib.report.figures.bars import Bar, Segment, stack_of
from atomic_lib.report.figures.picture import Picture
from atomic_lib.report.tables.update.study_update_tables import NOTHING
from atomic_lib.report.text import methods
from atomic_lib.results.update.update_results import UpdateResults

_NO_WAYS: tuple[WayName, ...] = ("check", "RPM files to undo it")
_WITHOUT_CHECK: tuple[WayName, ...] = ("casync chunks", "OCI layers", "least possible", "whole image")
_CHECK, _CONTENT = "look for the update", "the update"


def downloads_chart(ways: Sequence[UpdateWay]) -> Picture:
    """What a client downloads by each way: measured in the guest or over loopback, otherwise predicted.

    What it downloads to look for the update comes first, except for a machine that is replaced, and for layers, whose
    manifest says at once what there is.
    """
    return _chart(_bars(ways), "Bytes of the update by each way.")


def ways_chart(updates: UpdateResults | None) -> Shown:
    """The same of each variant of a study, one below the other; nothing if none was updated."""
    bars = [bar for one in (updates.updates if updates else ()) for bar in _bars(one.ways, f"{one.variant}: ")]
    return _chart(bars, "Bytes of the update by each way, of each variant.") if bars else NOTHING


def _chart(bars: Sequence[Bar], caption: str) -> Picture:
    chart = stack_of(bars, (_CHECK, _CONTENT), "MB downloaded (1 MB = 1,000,000 bytes)", "MB")
    return chart.picture(caption, methods.UPDATE_DOWNLOADS)


def _bars(ways: Sequence[UpdateWay], before: str = "") -> list[Bar]:
    check = next(one for one in ways if one.name == "check")
    shown = (one for one in ways if one.name not in _NO_WAYS)
    return [_bar(one, None if one.name in _WITHOUT_CHECK else check, before) for one in shown]


def _bar(one: UpdateWay, check: UpdateWay | None, before: str) -> Bar:
    parts = [(_CHECK, _bytes(check))] if check else []
    parts.append((_CONTENT, _bytes(one)))
    total = sum(size for _, size in parts)
    segments = tuple(Segment(title, size / 1e6) for title, size in parts)
    return Bar(f"{before}{one.name}", quantity(total, "bytes"), segments)


def _bytes(one: UpdateWay) -> int:
    return (one.guest or one.loopback or one.predicted).bytes
