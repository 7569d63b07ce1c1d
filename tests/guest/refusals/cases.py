"""Cases of updates with a fault that ended as they must."""

from atomic_lib.guest.refusals.case_evidence import Attempt, CaseResult
from atomic_lib.guest.refusals.guest_refusals import GuestRefusals, UpgradedTwice
from atomic_lib.guest.refusals.update_cases import CASES, Way
from atomic_lib.guest.refusals.update_client import ClientState
from atomic_lib.guest.update.update_evidence import DownloadFigures, UpdateBoot
from tests.guest.update.updates import AFTER, ALIVE, BEFORE, state

SAID = {
    "unsigned": "error: Commit b: GPG verification enabled, but no signatures found",
    "older": "error: Upgrade target revision 'b' is chronologically older than current revision 'a'",
    "older-after-a-look": "error: Upgrade target revision 'b' is chronologically older than current revision 'a'",
    "dies": "error: While fetching http://server/objects/b.filez: [52] Server returned nothing",
    "gone": "error: While fetching http://server/summary.sig: [52] Server returned nothing",
    "renewed-key": "9 metadata, 61 content objects fetched",
    "full-disk-deploy": "error: mkdirat: No space left on device",
}
OBJECTS = 67
VERSION_1 = ClientState(
    deployments=(f"* own {BEFORE}.0",), refs=(f"fedora-atomic:own/ref {BEFORE}",), objects=30, staged=0, entries="e -",
    etc="c -", var="kept",
)  # fmt: skip


def attempt(status: int, said: str, objects: int) -> Attempt:
    """An attempt that asked for this many objects."""
    figures = DownloadFigures(requests=objects + 6, bytes=100 * objects)
    return Attempt(status=status, said=said, seconds=1.5, download=figures, objects=objects)


def result(name: str, way: Way = "upgrade", **changed: object) -> CaseResult:
    """A case as it must end; ``changed``: fields of CaseResult."""
    case = CASES[name]
    resumed = case.expected == "resumed"
    at_first = 34 if case.keeps else 0
    good = CaseResult(
        case=name,
        way=way,
        first=attempt(int(case.expected != "accepted"), SAID[name], at_first),
        repeat=attempt(0, "", OBJECTS - at_first) if resumed else None,
        objects=OBJECTS,
        before=VERSION_1,
        after=VERSION_1.model_copy(update={"staged": at_first}),
        end=VERSION_1,
    )
    return good.model_copy(update=changed)


def guest(*results: CaseResult, **changed: object) -> GuestRefusals:
    """A guest that treated all cases as it must; ``changed``: fields of GuestRefusals."""
    alive = UpdateBoot(checks=(ALIVE,), failed_units=(), denials=())
    twice = UpgradedTwice(
        status=0, said="Waiting for sysroot lock...\nNo update available.", fsck_status=0, fsck="",
        deployments=(f"own {AFTER}.0", f"* own {BEFORE}.0"),
    )  # fmt: skip
    good = GuestRefusals(
        results=results, twice=twice, states=(state(BEFORE), state(AFTER)), unhurt=state(BEFORE), boots=(alive, alive)
    )
    return good.model_copy(update=changed)
