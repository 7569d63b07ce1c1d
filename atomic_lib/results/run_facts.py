"""What a run says of itself in ``results.json``, as its ``provenance``."""

from pydantic import JsonValue

from atomic_lib.base.model import Model
from atomic_lib.tools.machine import HostMachine


class RunFacts(Model):
    """``whole``: the run is of the whole study, as its file says it. ``inputs``: the sha256 of all that it was made
    from, None if a variant got no lock. ``machine``: what it ran on.

    Runs of versions of the workbook before the history have none of it.
    """

    whole: bool = False
    inputs: str | None = None
    machine: HostMachine | None = None

    def provenance(self) -> dict[str, JsonValue]:
        """As JSON data."""
        data: dict[str, JsonValue] = self.model_dump(mode="json")
        return data
