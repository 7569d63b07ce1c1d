"""What can be wrong with an update, as data: each case with what a machine must make of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from atomic_lib.guest.refusals.faulty_repositories import RepositoryName
from atomic_lib.guest.update.repository_server import ServerFault

Expected = Literal["refused", "resumed", "accepted"]
"""The machine takes nothing; or it fails, and takes the update once the fault is gone; or it takes it."""
Way = Literal["upgrade", "download", "pull", "check", "deploy"]
"""What the administrator types: ``ostree admin upgrade``, in one step or with ``--pull-only``; ``ostree pull
--timestamp-check``; the same after a look for updates, ``ostree pull --commit-metadata-only``; or, with version 2
pulled, ``ostree admin upgrade --deploy-only``."""
MachineFault = Literal["none", "expired key", "renewed key", "full disk", "full disk without reserve", "killed"]
_ALL: tuple[Way, ...] = ("upgrade", "download", "pull")
_KEEPING: tuple[Way, ...] = ("upgrade", "pull")
"""``ostree admin upgrade --pull-only`` throws away what it has when it fails."""
_OLDER, _FETCHING = "chronologically older", "While fetching"


@dataclass(frozen=True)
class UpdateCase:
    """One case: its title, what must become of it, and a regular expression that the message has to match.

    What is wrong: the repository that is served, what the server does, or what the machine has. ``ways``: each is tried
    by itself. ``keeps``: the ways by which a repeated attempt must not download everything again. ``may_change``: facts
    of ``ClientState`` that the failure does change.
    """

    title: str
    expected: Expected
    said: str
    repository: RepositoryName = "good"
    server: ServerFault = "none"
    machine: MachineFault = "none"
    ways: tuple[Way, ...] = ("upgrade",)
    keeps: tuple[Way, ...] = ()
    may_change: tuple[str, ...] = ()


CASES: Mapping[str, UpdateCase] = {
    "unsigned": UpdateCase("the commit has no signature", "refused", "no signatures found", "unsigned"),
    "other-key": UpdateCase(
        "the commit is signed with a key that the image does not trust", "refused", "public key not found", "other-key"
    ),
    "expired-key": UpdateCase(
        "the key that the image trusts has expired", "refused", "[Ee]xpired", "expiring-key", machine="expired key"
    ),
    "renewed-key": UpdateCase(
        "control: the same commit, once the machine has the renewed key", "accepted", "", "expiring-key",
        machine="renewed key", ways=("pull",),
    ),
    "tampered-commit": UpdateCase(
        "another commit has version 2's signature", "refused", "BAD signature", "tampered-commit"
    ),
    "tampered-file": UpdateCase(
        "a file of version 2 has other content", "refused", "[Cc]orrupted", "tampered-file"
    ),
    "older": UpdateCase(
        "the ref names a commit that is older than version 1, with a good signature", "refused", _OLDER, "older",
    ),
    "older-after-a-look": UpdateCase(
        "the same, once the administrator has looked for updates", "refused", _OLDER, "older", ways=("check",),
        may_change=("refs", "objects"),
    ),
    "other-ref": UpdateCase(
        "the ref names a commit of another ref, with a good signature", "refused", "no requested ref", "other-ref"
    ),
    "dies": UpdateCase(
        "the server dies in the middle of an object", "resumed", _FETCHING, server="dies", ways=_ALL, keeps=_KEEPING
    ),
    "garbage": UpdateCase(
        "the server sends random bytes from the middle on", "resumed", "^error: ", server="garbage", keeps=_KEEPING
    ),
    "web-page": UpdateCase(
        "a network answers everything with its own web page", "resumed", "^error: ", server="web page"
    ),
    "gone": UpdateCase("the server is gone", "resumed", _FETCHING, server="gone"),
    "killed": UpdateCase(
        "the client is killed in the middle", "resumed", "Killed", server="stalls", machine="killed", keeps=_KEEPING
    ),
    "full-disk": UpdateCase("the disk is full", "resumed", "min-free-space", machine="full disk"),
    "full-disk-without-reserve": UpdateCase(
        "the disk is full, and ostree is told to keep no space free", "resumed", "No space left",
        machine="full disk without reserve",
    ),
    "full-disk-deploy": UpdateCase(
        "the disk is full once version 2 is downloaded", "resumed", "No space left|min-free-space",
        machine="full disk", ways=("deploy",), may_change=("refs", "objects"),
    ),
}  # fmt: skip
"""The cases by name, in the order in which a machine goes through them."""
