"""Tables of a chain of versions: what each update pulls against the least possible, and why."""

from collections.abc import Sequence
from typing import Protocol

from atomic_lib.guest.layers.layer_update import LayerUpdate
from atomic_lib.guest.layers.object_chain import ObjectUpdate
from atomic_lib.report.elements.blocks import Sentences
from atomic_lib.report.elements.cells import Cell, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.text import methods

NOT_MEASURED = Sentences(
    (
        ("An engine.", "No container engine pulled the image here, and neither bootc nor rpm-ostree was run on it."),
        ("casync.", "./workbook update measures it, for one update."),
        ("zstd:chunked.", "The build tools have no program that makes or pulls such layers."),
        ("A new kernel.", "Its package is never rebuilt; ./workbook update --change kernel measures one."),
        ("How often packages change.", "They are drawn at random; a real distribution changes some of them often."),
    )
)
"""What belongs to the question and has no figure here."""
_MOST_NAMES = 6


class LayerOfImage(Protocol):
    """A layer, with what it is made of."""

    @property
    def components(self) -> tuple[str, ...]:
        """The packages or other parts."""

    @property
    def size_bytes(self) -> int:
        """Compressed."""


class StepOfChain(Protocol):
    """The update to one version."""

    @property
    def version(self) -> str:
        """The version."""

    @property
    def rebuilt(self) -> tuple[str, ...]:
        """The packages that it brings."""

    @property
    def layers(self) -> LayerUpdate:
        """The update as layers."""

    @property
    def objects(self) -> ObjectUpdate:
        """The update as loose objects."""

    @property
    def changed(self) -> Sequence[LayerOfImage]:
        """Its new layers."""


def chain_table(steps: Sequence[StepOfChain]) -> Table:
    """Bytes of each update by each way, against the least possible."""
    header = ("version", "packages rebuilt", "layers reused", "OCI layers", "loose objects", "the least possible",
              "layers, against the least", "objects, against the least", "prediction")  # fmt: skip
    records = tuple(
        {
            "version": step.version,
            "rebuilt": " ".join(step.rebuilt),
            "layers": step.layers.layers,
            "layers_reused": step.layers.reused,
            "layer_requests": step.layers.measured.requests,
            "layer_bytes": step.layers.measured.bytes,
            "object_requests": step.objects.measured.requests,
            "object_bytes": step.objects.measured.bytes,
            "new_files": step.layers.new_files,
            "new_bytes": step.layers.new_bytes,
            "least_bytes": step.layers.least_bytes,
        }
        for step in steps
    )
    notes = (
        "Bytes pulled over loopback, predicted to the byte from both versions. Each is an update from the version "
        "before.",
        "The least possible: the content that no file of the version before has, each once, in one stream of gzip.",
    )
    rows = tuple(_row(step) for step in steps)
    return Table(
        "What each update pulls", header, rows, records, notes, methods.LAYERS, anchor="layer-updates", fixed=True
    )


def _row(step: StepOfChain) -> tuple[Cell, ...]:
    layers, objects, least = step.layers, step.objects, step.layers.least_bytes
    exact = all(one.same_files and one.measured == one.predicted for one in (layers, objects))
    return (
        Cell(step.version),
        Cell(", ".join(step.rebuilt)),
        Cell(f"{layers.reused} of {layers.layers}", kind="number", value=layers.reused),
        number(layers.measured.bytes, "count"),
        number(objects.measured.bytes, "count"),
        number(least, "count"),
        _times(layers.measured.bytes, least),
        _times(objects.measured.bytes, least),
        verdict(exact, "to the byte" if exact else "not as predicted"),
    )


def _times(size_bytes: int, least_bytes: int) -> Cell:
    ratio = size_bytes / (least_bytes or 1)
    return Cell(f"{ratio:.2f}", kind="number", value=round(ratio, 3))


def changed_layers_table(steps: Sequence[StepOfChain]) -> Table:
    """The layers that each update brings, with what they are made of."""
    changed = [(step, layer) for step in steps for layer in step.changed]
    rows = tuple((Cell(step.version), Cell(named(layer)), number(layer.size_bytes, "count")) for step, layer in changed)
    records = tuple(
        {"version": step.version, "components": " ".join(layer.components), "bytes": layer.size_bytes}
        for step, layer in changed
    )
    notes = ("A layer is pulled as a whole, also if one of its packages changed.",)
    return Table(
        "The layers that changed", ("version", "made of", "bytes"), rows, records, notes, methods.LAYERS,
        anchor="layers-changed",
    )  # fmt: skip


def layers_table(layers: Sequence[LayerOfImage], made_again: Sequence[bool]) -> Table:
    """The layers of version 1, and whether each is the same if it is made again."""
    rows = tuple(
        (Cell(named(layer)), number(len(layer.components), "count"), number(layer.size_bytes, "count"),
         verdict(same, "identical" if same else "differs"))
        for layer, same in zip(layers, made_again, strict=True)
    )  # fmt: skip
    records = tuple(
        {"components": " ".join(layer.components), "bytes": layer.size_bytes, "identical": same}
        for layer, same in zip(layers, made_again, strict=True)
    )
    header = ("made of", "parts", "bytes", "made again")
    return Table("The layers of version 1", header, rows, records, (), methods.LAYERS, anchor="layers-of-version-1")


def named(layer: LayerOfImage) -> str:
    """The first names of what a layer is made of."""
    more = len(layer.components) - _MOST_NAMES
    return ", ".join(layer.components[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
