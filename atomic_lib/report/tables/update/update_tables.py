"""Tables of an update: what it costs to download, and what a guest showed on the way to version 2 and back."""

from collections.abc import Callable

from atomic_lib.guest.update.update_downloads import UpdateDownloads
from atomic_lib.guest.update.update_evidence import GuestState, GuestUpdate, StepName, UpdateBoot, etc_outcomes
from atomic_lib.report.elements.blocks import Sentences
from atomic_lib.report.elements.cells import Cell, missing, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.text import methods

_BOOTS = ("version 1", "version 2", "version 1 after the rollback")
_IN_GUEST: dict[str, StepName] = {"check": "check", "loose objects": "download"}
"""The steps of the guest that take one of the ways."""
_WAYS = {"check": "look for the update", "loose objects": "loose objects", "static delta": "static delta"}
_STEPS: dict[StepName, str] = {
    "check": "check: pull the commit's metadata",
    "download": "download: pull the objects",
    "deploy": "deploy: stage version 2 beside version 1",
    "reboot": "reboot into version 2, until the login",
    "rollback": "rollback: make version 1 the default",
    "reboot back": "reboot into version 1, until the login",
}
NOT_MEASURED = Sentences(
    (
        ("A traditional system.", "dnf upgrade of the same change from a signed repository."),
        ("Power cuts.", "What a cut at any moment of the upgrade leaves behind."),
        ("A version 2 that does not come up.", "Boot counting, and a return without an administrator."),
        (
            "Other ways to download.",
            "OCI layers, casync and zstd:chunked; the static delta in a guest.",
        ),
        ("What the update costs the guest.", "Blocks written, processor time, and how long Docker is away."),
        ("A new kernel.", "Stand-in content has one version of it."),
    )
)
"""What belongs to the question and has no figure here."""


def downloads_table(downloads: UpdateDownloads, guest: GuestUpdate, image_bytes: int) -> Table:
    """Requests and bytes of each way, predicted and measured; ``image_bytes``: the compressed image of version 2."""
    in_guest = {step.name: step.download for step in guest.steps}
    rows: list[tuple[Cell, ...]] = []
    records: list[dict[str, object]] = []
    for one in downloads.ways:
        name = _IN_GUEST.get(one.way)
        seen = in_guest.get(name) if name else None
        right = one.same_files and one.measured == one.predicted == (seen or one.predicted)
        rows.append(
            (
                Cell(_WAYS[one.way]),
                number(one.predicted.requests, "count"),
                number(one.measured.requests, "count"),
                number(seen.requests if seen else None, "count"),
                number(one.predicted.bytes, "count"),
                number(one.measured.bytes, "count"),
                number(seen.bytes if seen else None, "count"),
                verdict(right, "to the byte" if right else "not as predicted"),
            )
        )
        records.append(
            {
                "way": one.way,
                "predicted_requests": one.predicted.requests,
                "loopback_requests": one.measured.requests,
                "guest_requests": seen.requests if seen else None,
                "predicted_bytes": one.predicted.bytes,
                "loopback_bytes": one.measured.bytes,
                "guest_bytes": seen.bytes if seen else None,
            }
        )
    image = number(image_bytes, "count")
    none = missing("not measured")
    rows.append((Cell("whole image (qcow2)"), number(1, "count"), none, none, image, none, none, none))
    records.append({"way": "whole image", "predicted_requests": 1, "predicted_bytes": image_bytes})
    header = ("", "requests: predicted", "over loopback", "in the guest", "bytes: predicted", "over loopback",
              "in the guest", "prediction")  # fmt: skip
    return Table(
        "What the update costs to download", header, tuple(rows), tuple(records),
        ("A client looks for the update first: its requests come in addition to those of a way.",),
        methods.UPDATE_DOWNLOADS, anchor="update-downloads", fixed=True,
    )  # fmt: skip


def steps_table(guest: GuestUpdate) -> Table:
    """The steps of the guest, in their order."""
    rows = tuple(
        (Cell(_STEPS[step.name]), number(step.download.requests, "count"), number(step.download.bytes, "count"),
         number(step.written_bytes, "bytes"), number(step.after.disk_used_bytes if step.after else None, "bytes"),
         number(step.processor_seconds, "seconds"), number(step.seconds, "seconds"),
         number(step.docker_seconds, "seconds"))
        for step in guest.steps
    )  # fmt: skip
    records = tuple(
        {
            "step": step.name,
            "requests": step.download.requests,
            "bytes": step.download.bytes,
            "written_bytes": step.written_bytes,
            "disk_used_bytes": step.after.disk_used_bytes if step.after else None,
            "processor_seconds": step.processor_seconds,
            "seconds": step.seconds,
            "docker_seconds": step.docker_seconds,
        }
        for step in guest.steps
    )
    notes = (
        "Seconds depend on this machine and its load; one sample each, so they are not compared. So does the processor "
        "time, which the guest counts by its clock.",
        "Docker is asked as soon as the login stands, so it may have been ready before.",
    )
    header = ("step", "requests", "bytes downloaded", "written to the disk", "disk used after", "processor time",
              "wall-clock time", "reboot until Docker answers")  # fmt: skip
    return Table(
        "The steps of the guest", header, rows, records, notes, methods.GUEST_UPDATE, anchor="update-steps", fixed=True
    )


def states_table(guest: GuestUpdate, before: str, after: str) -> Table:
    """What stayed and what changed; ``before`` and ``after``: the commits of both versions."""
    states = (guest.states[0], guest.deployed, *guest.states[1:])
    expected = (before, before, after, before)
    commits = (
        verdict(state.commit == commit, (state.commit or "unknown")[:12])
        for state, commit in zip(states, expected, strict=True)
    )
    columns = (_BOOTS[0], "version 2 deployed", *_BOOTS[1:])
    facts: tuple[tuple[str, Callable[[GuestState], Cell]], ...] = (
        ("SELinux", lambda state: verdict(state.selinux == "enforcing", state.selinux or "unknown")),
        ("/usr", lambda state: _fact(state.usr_read_only, "read-only", "written")),
        ("a file in /var", lambda state: _fact(state.var_kept, "kept", "lost")),
        ("a container with --restart always", lambda state: _fact(state.container_running, "running", "not running")),
        ("a file in a volume", lambda state: _fact(state.volume_kept, "kept", "lost")),
        ("disk used", lambda state: number(state.disk_used_bytes, "bytes")),
    )
    rows = [(Cell("booted commit"), *commits)]
    rows += [(Cell(title), *(cell_of(state) for state in states)) for title, cell_of in facts]
    records = tuple(
        {"moment": moment, **state.model_dump(exclude={"etc"})} for moment, state in zip(columns, states, strict=True)
    )
    return Table(
        "What stayed, and what changed", ("", *columns), tuple(rows), records, (), methods.GUEST_UPDATE,
        anchor="update-states", fixed=True,
    )  # fmt: skip


def etc_table(guest: GuestUpdate) -> Table:
    """What became of files in /etc."""
    outcomes = etc_outcomes(guest)
    rows = tuple(
        (Cell(f"/etc/{one.name}"), Cell(one.administrator) if one.administrator else missing("untouched"),
         Cell(one.version_2) if one.version_2 else missing("the same as in version 1"),
         verdict(one.expected, one.kept), _fact(one.after_rollback, "as before", "not as before"))
        for one in outcomes
    )  # fmt: skip
    records = tuple(one.model_dump() for one in outcomes)
    notes = ("What the administrator changed stays, even where version 2 changes it too; all else is version 2's.",)
    return Table(
        "The merge of /etc", ("file", "administrator", "version 2", "in version 2", "after the rollback"), rows,
        records, notes, methods.GUEST_UPDATE, anchor="update-etc", fixed=True,
    )  # fmt: skip


def proofs_table(guest: GuestUpdate) -> Table:
    """The proof of life of each boot."""
    names = list(dict.fromkeys(check.name for boot in guest.boots for check in boot.checks))
    rows = tuple((Cell(name), *(_check(boot, name) for boot in guest.boots)) for name in names)
    records = tuple(
        {"boot": title, "check": check.name, "passed": check.passed}
        for title, boot in zip(_BOOTS, guest.boots, strict=True)
        for check in boot.checks
    )
    notes = ("User-data runs on the first boot of an instance only.",)
    return Table("Proof of life", ("check", *_BOOTS), rows, records, notes, anchor="update-proofs", fixed=True)


def _check(boot: UpdateBoot, name: str) -> Cell:
    found = [check for check in boot.checks if check.name == name]
    return verdict(found[0].passed, note=found[0].detail) if found else missing("not checked again")


def _fact(value: bool | None, good: str, bad: str) -> Cell:
    return missing("not measured") if value is None else verdict(value, good if value else bad)
