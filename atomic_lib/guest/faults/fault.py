"""What an injected fault is: what the guest encounters, and the end state that a good agent reaches. Data only."""

from dataclasses import dataclass
from typing import Literal

from atomic_lib.guest.programs import program_text
from atomic_lib.guest.vm.metadata_service import Sessions

Network = Literal["up", "late", "none", "refused", "black hole", "silent"]
"""late: no address for some seconds; none: no route; refused: nothing listens; black hole: no packet is
answered; silent: connections are accepted, but never answered."""

Disk = Literal["writable", "read-only", "full", "nearly full"]
"""full: no byte is left at the first boot; nearly full: room for the keys and little more; at the second boot there is
room again."""

Cut = Literal["", "before", "after"]
"""Power cut before or after each step: every fault is run once for each external command of the agent."""

Behaviour = Literal["status", "drip", "truncate", "endless", "slow"]
"""How the service answers. status: with this status and a page of HTML; slow: correctly, but late; drip: a byte now
and then, for ever; truncate: half of the body; endless: the body never ends."""

LATE_SECONDS = 1.5
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFirst first@example"
OTHER_KEYS = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAISecond second@example",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABThird third@example",
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tFourth fourth@example",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFifth",
)
PROOF = "/mnt/proof"
"""Where a guest finds the directory that takes the proofs of its scripts."""
HEAD = program_text(__file__, "user-data")
SCRIPT = HEAD.encode()
"""User-data that proves each of its runs: a line each time, with the number of keys that were in place."""


@dataclass(frozen=True)
class ServiceRule:
    """How the service answers paths that begin with ``path``, the first ``times`` times (0: always).

    ``boots``: in the first so many boots only (0: in all).
    """

    path: str
    behaviour: Behaviour
    status: int = 200
    times: int = 0
    boots: int = 0


@dataclass(frozen=True)
class PlantedLink:
    """A symbolic link that is there before the first boot; both paths are absolute in the guest."""

    path: str
    target: str


@dataclass(frozen=True)
class Expected:
    """The end state of a good agent. ``says``: words of the line that says what was not done.

    ``may_run``: an agent may run the script although ``runs`` is 0: it can do more, or has no limit.
    ``more_keys``: an agent may install these as well.

    ``requests`` and ``seconds`` bound one boot; ``seconds`` is generous, as the machine may be busy.
    """

    keys: tuple[str, ...] = (KEY,)
    hostname: str | None = "web-1"
    runs: int = 1
    says: str = ""
    requests: int = 8
    seconds: float = 15
    may_run: bool = False
    more_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """One row. ``boots``: the instance-id of each boot; ``limit_seconds``: how long the agent may try.

    ``token_uses``: how often a session token is good (0: always). ``disc``: files of a disc labelled cidata.
    """

    name: str
    title: str
    expected: Expected = Expected()
    keys: tuple[str, ...] = (KEY,)
    hostname: str = "web-1"
    user_data: bytes = SCRIPT
    sessions: Sessions = "optional"
    token_uses: int = 0
    rules: tuple[ServiceRule, ...] = ()
    network: Network = "up"
    disk: Disk = "writable"
    links: tuple[PlantedLink, ...] = ()
    disc: tuple[tuple[str, bytes], ...] = ()
    boots: tuple[str, ...] = ("i-1",)
    cut: Cut = ""
    limit_seconds: int = 6
