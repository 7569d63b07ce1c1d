"""The agents that are tested against injected faults: what one boot of each is."""

from dataclasses import dataclass
from pathlib import Path

import atomic_lib.content
from atomic_lib.guest.faults.fault import Fault

_DMI = "/sys/class/dmi/id/"
_CLOUD_INIT = Path(__file__).parent / "cloud_init"
CLOUD_INIT_SECONDS = 90.0
PROGRAM = Path(atomic_lib.content.__path__[0], "min_cloud_agent", "min-cloud-agent")


@dataclass(frozen=True)
class RunnableAgent:
    """An agent that can be tested. ``commands``: those of its units, in the order of a boot.

    ``disc_commands``: those that come before them where there is a cidata disc. ``root``: the tree of programs;
    ``etc``: a directory that /etc is copied from, empty for a bare one; ``files``: where files of this machine are
    in the guest; ``seconds``: that it may take for one boot.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    disc_commands: tuple[tuple[str, ...], ...] = ()
    root: Path = Path("/")
    etc: str = ""
    files: tuple[tuple[Path, str], ...] = ()
    seconds: float = 40
    steps: bool = True
    """Whether what it does goes through external commands, so that its power can be cut between them."""

    def files_for(self, fault: Fault) -> list[tuple[Path, str]]:
        """``files``, without EC2's DMI data where the service has no session tokens, as EC2's always has."""
        return [(path, target) for path, target in self.files if fault.sessions != "v1" or not target.startswith(_DMI)]

    def why_not(self, fault: Fault) -> str:
        """Why this agent cannot be tested against a fault here; empty if it can."""
        if fault.cut and not self.steps:
            return "it works inside its own process, so there is no command at which to cut the power"
        if fault.disc and not self.disc_commands:
            return "it is tested with the metadata service only"
        return ""


def min_cloud_agent(root: Path = Path("/"), shell: str = "sh", program: Path = PROGRAM) -> RunnableAgent:
    """min-cloud-agent as its three units run it, with the shell and curl of ``root``."""
    target = "/mnt/min-cloud-agent"
    disc, *commands = ((shell, target, word) for word in ("disc", "fetch", "run"))
    return RunnableAgent("min-cloud-agent", tuple(commands), (disc,), root, files=((program, target),))


def cloud_init(root: Path) -> RunnableAgent:
    """cloud-init of ``root``, as its four services run it, over EC2, with the DMI data of EC2.

    Only the modules that provision are switched on. Its own waits of 120 and 50 s are a tenth of that, as
    min-cloud-agent's is.
    """
    stages = (("init", "--local"), ("init",), ("modules", "--mode=config"), ("modules", "--mode=final"))
    product = _CLOUD_INIT / "product_uuid"
    dmi = tuple((product, f"{_DMI}{name}") for name in ("product_uuid", "product_serial"))
    files = ((_CLOUD_INIT / "modules.cfg", "/etc/cloud/cloud.cfg.d/99_conformance.cfg"), *dmi)
    commands = tuple(("cloud-init", *stage) for stage in stages)
    return RunnableAgent("cloud-init", commands, (), root, f"{root}/etc", files, CLOUD_INIT_SECONDS, steps=False)
