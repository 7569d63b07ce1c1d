"""The smallest variant that has the agent: its guests start in half the time of one with a container runtime.

Tests that need no containers share its tree and its image.
"""

from atomic_lib.params.variant import Variant, load_variant


def small_variant(**overrides: object) -> Variant:
    """``atomic`` with min-cloud-agent, and with parameters of the caller."""
    return load_variant("atomic", overrides={"parts": "min-cloud-agent", **overrides})
