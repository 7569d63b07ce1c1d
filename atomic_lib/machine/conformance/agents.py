"""The agents that the faults are run against: what one boot of each is."""

from dataclasses import dataclass
from pathlib import Path

import atomic_lib.content

PROGRAM = Path(atomic_lib.content.__path__[0], "min_cloud_agent", "min-cloud-agent")


@dataclass(frozen=True)
class Agent:
    """An agent that can be run. ``commands``: those of its units, in the order of a boot.

    ``disc_commands``: those that come before them where there is a cidata disc. ``root``: the tree of programs; ``etc``: a directory that /etc is copied from, empty for a bare one;
    ``files``: where files of this machine are in the guest; ``seconds``: that it may take for one boot.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    disc_commands: tuple[tuple[str, ...], ...] = ()
    root: Path = Path("/")
    etc: str = ""
    files: tuple[tuple[Path, str], ...] = ()
    seconds: float = 40


def min_cloud_agent(root: Path = Path("/"), shell: str = "sh") -> Agent:
    """min-cloud-agent as its three units run it, with the shell and curl of ``root``."""
    program = "/mnt/min-cloud-agent"
    disc, *commands = ((shell, program, word) for word in ("disc", "fetch", "run"))
    return Agent("min-cloud-agent", tuple(commands), (disc,), root, files=((PROGRAM, program),))
