"""Tables of an update: what it costs to download, and what a guest showed on the way to version 2 and back."""

from collections.abc import Callable, Sequence

from atomic_lib.guest.update.update_evidence import GuestState, GuestUpdate, StepName, etc_outcomes
from atomic_lib.guest.update.update_ways import UpdateWay, WayName
from atomic_lib.report.elements.blocks import Sentences
from atomic_lib.report.elements.cells import Cell, missing, number, verdict
from atomic_lib.report.elements.table import Table
from atomic_lib.report.elements.values import NBSP
from atomic_lib.report.tables import proof_tables
from atomic_lib.report.text import methods

_BOOTS = ("version 1", "version 2", "version 1 after the rollback")
_WAYS: dict[WayName, str] = {
    "check": "look for the update",
    "loose objects": "loose objects",
    "static delta": "static delta",
    "casync chunks": "casync, chunks of the tree",
    "OCI layers": "OCI layers, by package",
    "least possible": "the least possible for files",
    "RPM files": "RPM files",
    "RPM files to undo it": "RPM files, to undo it",
    "whole image": "whole image (qcow2)",
}
_STEPS: dict[StepName, str] = {
    "check": "check: pull the commit's metadata",
    "download": "download: pull the objects",
    "deploy": "deploy: stage version 2 beside version 1",
    "reboot": "reboot into version 2, until the login",
    "rollback": "rollback: make version 1 the default",
    "reboot back": "reboot into version 1, until the login",
}
_DNF_STEPS: dict[StepName, str] = {
    **_STEPS,
    "check": "check: dnf check-update",
    "download": "download: the same with --downloadonly",
    "deploy": "install: dnf upgrade, or dnf install of what is new",
    "rollback": "undo: dnf history undo last",
}
NOT_MEASURED = Sentences(
    (
        ("Power cuts.", "./workbook power-cuts measures what a cut at any moment of the upgrade leaves behind."),
        ("A version 2 that does not come up.", "./workbook update --break all has a page of its own."),
        (
            "Other ways to download.",
            "zstd:chunked, for which the build tools have no program; casync of whole disks; the static delta, casync "
            "and the layers in a guest.",
        ),
        ("Counted processor time.", "A guest that counts instructions has no network here; its own clock is used."),
        ("A new kernel by dnf.", "Stand-in content has no script that puts one into the boot menu."),
    )
)
"""What belongs to the question and has no figure here."""


def downloads_table(ways: Sequence[UpdateWay]) -> Table:
    """Requests and bytes of each way, predicted and measured."""
    header = ("", "requests: predicted", "over loopback", "in the guest", "bytes: from both locks", "predicted",
              "over loopback", "in the guest", "prediction")  # fmt: skip
    records = tuple(
        {
            "way": one.name,
            "predicted_requests": one.predicted.requests,
            "loopback_requests": one.loopback.requests if one.loopback else None,
            "guest_requests": one.guest.requests if one.guest else None,
            "from_locks_bytes": one.from_locks_bytes,
            "predicted_bytes": one.predicted.bytes,
            "loopback_bytes": one.loopback.bytes if one.loopback else None,
            "guest_bytes": one.guest.bytes if one.guest else None,
        }
        for one in ways
    )
    notes = (
        "A client looks for the update first: its requests come in addition to those of a way. A client of layers "
        "begins with the manifest, which is counted with them, and one of casync with the index.",
        "From both locks: what is known before version 2 is composed, and how far that is off. Objects are estimated "
        "from the RPM files that are new and the commit of version 1; a whole image, from that of version 1 and the "
        "RPM files more.",
        "The least possible for files: the content that no file of version 1 has, each once, in one stream of gzip. A "
        "static delta also looks into files, so it can be less.",
    )
    return Table(
        "What the update costs to download", header, tuple(_way_row(one) for one in ways), records, notes,
        methods.UPDATE_DOWNLOADS, anchor="update-downloads", fixed=True,
    )  # fmt: skip


def _way_row(one: UpdateWay) -> tuple[Cell, ...]:
    exact = missing("not measured")
    if one.exact is not None:
        exact = verdict(one.exact, "to the byte" if one.exact else "not as predicted")
    measured = (one.predicted, one.loopback, one.guest)
    return (
        Cell(_WAYS[one.name]),
        *(number(figures.requests if figures else None, "count") for figures in measured),
        _from_locks(one),
        *(number(figures.bytes if figures else None, "count") for figures in measured),
        exact,
    )


def _from_locks(one: UpdateWay) -> Cell:
    """What the locks say, and how far off that is."""
    if one.from_locks_bytes is None:
        return missing("not known from the locks")
    off = 100 * (one.from_locks_bytes - one.predicted.bytes) / (one.predicted.bytes or 1)
    words = f" ({off:+.1f}{NBSP}%)" if one.from_locks_bytes != one.predicted.bytes else ""
    return Cell(f"{one.from_locks_bytes:,}{words}", kind="number", value=one.from_locks_bytes)


def steps_table(guest: GuestUpdate) -> Table:
    """The steps of the guest, in their order."""
    steps = _DNF_STEPS if guest.by_dnf else _STEPS
    rows = tuple(
        (Cell(steps[step.name]), number(step.download.requests, "count"), number(step.download.bytes, "count"),
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
        f"{methods.ONE_SAMPLE} So does the processor time, which the guest counts by its clock.",
        "Docker is asked as soon as the login stands, so it may have been ready before.",
    )
    header = ("step", "requests", "bytes downloaded", "written to the disk", "disk used after", "processor time",
              "wall-clock time", "reboot until Docker answers")  # fmt: skip
    return Table(
        "The steps of the guest", header, rows, records, notes, methods.GUEST_UPDATE, anchor="update-steps", fixed=True
    )


def states_table(guest: GuestUpdate, expected: Sequence[str], kernels: Sequence[str]) -> Table:
    """What stayed and what changed; ``expected`` and ``kernels``: the identity of the version, and the kernel, that
    each state must show."""
    states = (guest.states[0], guest.deployed, *guest.states[1:])
    shown = (state.packages if guest.by_dnf else state.commit for state in states)
    versions = (
        verdict(identity == known, (identity or "unknown")[:12])
        for identity, known in zip(shown, expected, strict=True)
    )
    booted = (
        verdict(state.kernel == kernel, state.kernel or "unknown")
        for state, kernel in zip(states, kernels, strict=True)
    )
    columns = (_BOOTS[0], "version 2 installed" if guest.by_dnf else "version 2 deployed", *_BOOTS[1:])
    facts: tuple[tuple[str, Callable[[GuestState], Cell]], ...] = (
        ("SELinux", lambda state: verdict(state.selinux == "enforcing", state.selinux or "unknown")),
        ("/usr", lambda state: _usr(state, by_dnf=guest.by_dnf)),
        ("a file in /var", lambda state: _fact(state.var_kept, "kept", "lost")),
        ("a container with --restart always", lambda state: _fact(state.container_running, "running", "not running")),
        ("a file in a volume", lambda state: _fact(state.volume_kept, "kept", "lost")),
        ("disk used", lambda state: number(state.disk_used_bytes, "bytes")),
        ("files that rpm left in /etc", lambda state: Cell(", ".join(state.left) or "none")),
    )
    rows = [(Cell("packages, by the digest of their list" if guest.by_dnf else "booted commit"), *versions)]
    rows.append((Cell("kernel (uname -r)"), *booted))
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
    notes = (
        "A cross: not what a three-way merge gives, in which the administrator's changes stay, even where version 2 "
        "changes the file too, and all else is version 2's.",
    )
    return Table(
        "The merge of /etc", ("file", "administrator", "version 2", "in version 2", "after the rollback"), rows,
        records, notes, methods.GUEST_UPDATE, anchor="update-etc", fixed=True,
    )  # fmt: skip


def proofs_table(guest: GuestUpdate) -> Table:
    """The proof of life of each boot."""
    boots = dict(zip(_BOOTS, (boot.checks for boot in guest.boots), strict=True))
    return proof_tables.side_by_side(boots, of="boot", anchor="update-proofs", unchecked="not checked again")


def _usr(state: GuestState, *, by_dnf: bool) -> Cell:
    if by_dnf:
        return Cell("read-only" if state.usr_read_only else "writable")
    return _fact(state.usr_read_only, "read-only", "written")


def _fact(value: bool | None, good: str, bad: str) -> Cell:
    return missing("not measured") if value is None else verdict(value, good if value else bad)
