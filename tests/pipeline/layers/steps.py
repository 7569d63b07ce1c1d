"""Steps of a chain of versions that went well."""

from atomic_lib.guest.layers.object_chain import ObjectUpdate
from atomic_lib.pipeline.layers.version_chain import ChainStep, ImageLayer
from tests.guest.update.updates import FIGURES, good_layers

OBJECTS = ObjectUpdate(predicted=FIGURES["loose objects"], measured=FIGURES["loose objects"], same_files=True)


def made_step(version: str) -> ChainStep:
    """The update to a version."""
    layers = (ImageLayer(("the RPM database",), 1_000), ImageLayer(tuple("abcdefgh"), 500))
    return ChainStep(version, ("bash", "runc"), good_layers(), OBJECTS, layers)


STEP = made_step("2")
