"""Updates that went well: a guest that showed all that it should, and downloads as predicted."""

from atomic_lib.guest.chunks.chunk_update import ChunkUpdate
from atomic_lib.guest.evidence.proof_of_life import Check
from atomic_lib.guest.layers.layer_update import LayerUpdate
from atomic_lib.guest.update.update_downloads import UpdateDownload, UpdateDownloads
from atomic_lib.guest.update.update_evidence import (
    ABSENT,
    DownloadFigures,
    EtcFile,
    GuestState,
    GuestUpdate,
    GuestUsage,
    UpdateBoot,
    UpdateStep,
)
from atomic_lib.guest.update.update_ways import UpdateWay

BEFORE, AFTER = "a" * 64, "b" * 64
KERNELS = {BEFORE: "6.12.1", AFTER: "6.12.2"}
"""The kernel of each version with ostree."""
ALIVE = Check(name="system is running", passed=True, detail="running")
FIGURES = {
    "check": DownloadFigures(requests=5, bytes=1_500),
    "loose objects": DownloadFigures(requests=321, bytes=1_234_567),
    "static delta": DownloadFigures(requests=7, bytes=1_000_001),
}
USED = GuestUsage(written_bytes=10_000_000, processor_seconds=100.0, disk_used_bytes=950_000_000)
USED_AFTER = GuestUsage(written_bytes=60_000_000, processor_seconds=107.2, disk_used_bytes=1_000_000_000)
NOTHING = DownloadFigures(requests=0, bytes=0)
LAYERS = DownloadFigures(requests=6, bytes=2_345_678)
CHUNKS = DownloadFigures(requests=58, bytes=1_700_000)


def good_downloads() -> UpdateDownloads:
    """Each way as it was predicted."""
    return UpdateDownloads(
        ways=(
            UpdateDownload(way="check", predicted=FIGURES["check"], measured=FIGURES["check"], same_files=True),
            UpdateDownload(
                way="loose objects",
                predicted=FIGURES["loose objects"],
                measured=FIGURES["loose objects"],
                same_files=True,
            ),
            UpdateDownload(
                way="static delta", predicted=FIGURES["static delta"], measured=FIGURES["static delta"], same_files=True
            ),
        )
    )


def good_layers() -> LayerUpdate:
    """The update as layers, as it was predicted."""
    return LayerUpdate(
        predicted=LAYERS, measured=LAYERS, same_files=True, layers=64, reused=60, new_files=12, new_bytes=3_000_000,
        least_bytes=900_000,
    )  # fmt: skip


def good_chunks() -> ChunkUpdate:
    """The update by casync, as it was predicted."""
    return ChunkUpdate(
        predicted=CHUNKS, measured=CHUNKS, same_files=True, chunks=7_000, reused=6_943, index_bytes=280_104
    )


def state(commit: str, *etc: EtcFile) -> GuestState:
    """A guest in which all is as it should be."""
    return GuestState(
        kernel=KERNELS.get(commit),
        commit=commit,
        selinux="enforcing",
        usr_read_only=True,
        var_kept=True,
        container_running=True,
        volume_kept=True,
        disk_used_bytes=1_000_000_000,
        etc=etc,
    )


def merged(second: bool) -> tuple[EtcFile, ...]:
    """Files of /etc as a three-way merge leaves them, in version 2 and in version 1."""
    return (
        EtcFile(name="update-added", own="2" if second else ABSENT, default="2" if second else ABSENT),
        EtcFile(name="issue.net", own="2" if second else "1", default="2" if second else "1"),
        EtcFile(name="motd", own=ABSENT if second else "1", default=ABSENT if second else "1"),
        EtcFile(name="issue", own="own", default="2" if second else "1"),
        EtcFile(name="host.conf", own="own", default="1"),
        EtcFile(name="administrator-added", own="own", default=ABSENT),
        EtcFile(name="rpc", own=ABSENT, default="1"),
    )


def good_ways(downloads: UpdateDownloads | None = None) -> tuple[UpdateWay, ...]:
    """All ways, the first two of them taken by the guest."""
    taken = {"check": FIGURES["check"], "loose objects": FIGURES["loose objects"]}
    ways = (downloads or good_downloads()).ways
    image = UpdateWay("whole image", DownloadFigures(requests=1, bytes=262_144_000), from_locks_bytes=260_833_280)
    locks = {"loose objects": 1_220_000}
    objects = (
        UpdateWay(one.way, one.predicted, one.measured, taken.get(one.way), locks.get(one.way), one.same_files)
        for one in ways
    )
    return (*objects, good_chunks().way, *good_layers().ways, image)


def dnf_ways() -> tuple[UpdateWay, ...]:
    """The ways of dnf, all as predicted."""
    index, files = DownloadFigures(requests=3, bytes=80_000), DownloadFigures(requests=2, bytes=400_000)
    back = DownloadFigures(requests=1, bytes=125_000)
    return (
        UpdateWay("check", index, guest=index),
        UpdateWay("RPM files", files, guest=files, from_locks_bytes=400_000),
        UpdateWay("RPM files to undo it", back, guest=back, from_locks_bytes=125_000),
    )


def dnf_guest() -> GuestUpdate:
    """A traditional guest that went to version 2 and back; they are known by ``BEFORE`` and ``AFTER``.

    The kernel is that of version 1.
    """
    guest = good_guest()
    own: dict[str, object] = {"commit": None, "usr_read_only": False}
    first = guest.states[0].model_copy(update={**own, "packages": BEFORE})
    left = ("/etc/issue.rpmnew",)
    second = guest.states[1].model_copy(update={**own, "packages": AFTER, "left": left, "kernel": KERNELS[BEFORE]})
    steps = {step.name: step for step in guest.steps}
    index, files, back = (way.predicted for way in dnf_ways())
    figures = {"check": index, "download": files, "rollback": back}
    taken = tuple(step.model_copy(update={"download": figures.get(name, NOTHING)}) for name, step in steps.items())
    return guest.model_copy(update={"steps": taken, "states": (first, second, first), "deployed": second})


def good_guest() -> GuestUpdate:
    """A guest that went to version 2 and back."""
    first, second = state(BEFORE, *merged(False)), state(AFTER, *merged(True))
    boot = UpdateBoot(checks=(ALIVE,), failed_units=(), denials=())
    only_once = Check(name="user-data script ran", passed=True)
    steps = (
        UpdateStep(name="check", seconds=1.0, download=FIGURES["check"]),
        UpdateStep(name="download", seconds=20.0, download=FIGURES["loose objects"], before=USED, after=USED_AFTER),
        UpdateStep(name="deploy", seconds=10.0, download=NOTHING),
        UpdateStep(name="reboot", seconds=60.0, download=NOTHING, docker_seconds=75.0),
        UpdateStep(name="rollback", seconds=2.0, download=NOTHING),
        UpdateStep(name="reboot back", seconds=61.0, download=NOTHING),
    )
    return GuestUpdate(
        steps=steps,
        states=(first, second, first),
        deployed=first,
        boots=(boot.model_copy(update={"checks": (ALIVE, only_once)}), boot, boot),
    )
