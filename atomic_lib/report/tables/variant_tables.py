"""Tables of one variant: its figures, classes, boots, checks, stages, provenance.

They are shown on the page of the variant, in a directory of the run's: links to the run's files begin with ``../``.
"""

from collections.abc import Callable, Sequence

from atomic_lib.guest.boot_record import Boot
from atomic_lib.guest.evidence.systemd import Phases
from atomic_lib.measure.classes import default_class_rules
from atomic_lib.report.elements.cells import Cell, missing, number, share, verdict
from atomic_lib.report.elements.table import Table, named_rows
from atomic_lib.report.elements.values import quantity
from atomic_lib.report.tables.build_contents import verified
from atomic_lib.report.tables.proof_tables import check_rows
from atomic_lib.report.text import methods
from atomic_lib.report.text.boot_words import boots_words, failed_boot_notes, not_alone_notes
from atomic_lib.results.analysis.boot_groups import MILESTONES, PHASES, BootGroup, milestone_seconds
from atomic_lib.results.analysis.metrics import missing_reason
from atomic_lib.results.study_result import StudyResult
from atomic_lib.results.variant_result import VariantResult

_COUNTS: tuple[tuple[str, Callable[[Boot], int | None]], ...] = (
    ("user processes", lambda boot: boot.process_count),
    ("services", lambda boot: boot.service_count),
    ("listening sockets", lambda boot: None if boot.listeners is None else len(boot.listeners)),
    ("set-uid files", lambda boot: None if boot.setuid_files is None else len(boot.setuid_files)),
)


def summary_table(result: VariantResult, caption: str = "Size") -> Table:
    """The figures of a variant's tree and image."""
    rows = [
        ("tree", "tree_bytes", number(result.tree_bytes, "bytes", reason=missing_reason(result))),
        ("files in the tree", "tree_files", number(result.tree_files, "count", reason=missing_reason(result))),
        ("packages", "package_count", number(result.package_count, "count", reason=missing_reason(result))),
    ]
    for name, title in (
        ("download_bytes", "download (RPMs)"),
        ("image_compressed_bytes", "image, compressed qcow2"),
        ("image_allocated_bytes", "image, allocated"),
        ("image_virtual_bytes", "image, virtual"),
    ):
        rows.append((title, name, number(getattr(result, name), "bytes", reason=missing_reason(result))))
    for kind, count in result.forbidden_paths.items():
        rows.append((f"files of {kind}", f"forbidden:{kind}", number(count, "count")))
    if result.image_sha256:
        rows.append((verified.TITLE, "verification", verified.verified_cell(result)))
    if result.status == "incomplete":  # figures of later stages are not missing yet
        rows = [row for row in rows if getattr(result, row[1], 0) is not None]
    records = tuple(
        {"figure": name, "value": cell.text if name == "verification" else getattr(result, name, None)}
        for _, name, cell in rows
    )
    return Table(
        caption, ("", result.variant), tuple((Cell(title), cell) for title, _, cell in rows), records, (), methods.TREE
    )


def notes_table(result: VariantResult) -> Table:
    """What the recipe says and has no effect on the build, or another one than elsewhere: the place, and the reason."""
    told = [note.partition(": ") for note in result.notes]
    rows = [(place, reason) if reason else ("the recipe", place) for place, _, reason in told]
    return Table(
        f"Without effect in the recipe of {result.variant}",
        ("place", "what, and why"),
        tuple((Cell(place), Cell(reason)) for place, reason in rows),
        tuple({"note": note} for note in result.notes),
        empty="Nothing: all that the recipe says has an effect.",
        anchor="without-effect",
    )


def classes_table(result: VariantResult) -> Table:
    """Bytes and files of the tree by footprint class; the sums are the whole tree."""
    rules = default_class_rules()
    classes = sorted(result.classes, key=lambda size: -size.bytes)
    whole = result.tree_bytes
    rows = [
        (
            Cell(rules.title_of(size.class_)),
            number(size.bytes, "bytes"),
            share(size.bytes, whole),
            number(size.files, "count"),
        )
        for size in classes
    ]
    total = (
        Cell("whole tree"),
        number(result.tree_bytes, "bytes", reason=missing_reason(result)),
        share(whole, whole) if classes else missing(missing_reason(result)),
        number(result.tree_files, "count", reason=missing_reason(result)),
    )
    records = tuple(size.model_dump() for size in classes)
    return Table(
        f"Footprint of {result.variant} by class", ("class", "in the tree", "share", "files"), (*rows, total), records,
        (), methods.TREE, "../footprint_by_class.csv", feet=1,
    )  # fmt: skip


def boots_table(result: VariantResult) -> Table:
    """Every boot with its phases and times."""
    boots = result.boots
    rows = [
        (
            Cell(title),
            *(number(getattr(boot.phases, name), "seconds", reason="not reported by the guest") for boot in boots),
        )
        for name, title in PHASES
    ]
    rows += [
        (Cell(title), *(number(milestone_seconds(boot, name), "seconds", reason="not reached") for boot in boots))
        for name, title in _milestones_of(boots)
    ]
    rows.append((Cell("memory in use"), *(_memory(boot) for boot in boots)))
    rows += [(Cell(title), *(number(count(boot), "count") for boot in boots)) for title, count in _COUNTS]
    rows.append((Cell("guest"), *(_guest(boot) for boot in boots)))
    rows.append((Cell("host"), *(_host(boot) for boot in boots)))
    rows.append((Cell("console"), *(_console(boot) for boot in boots)))
    header = ("", *(_boot_heading(boot) for boot in boots))
    caption = f"Boots of {result.variant}: {boots_words(result)}"
    records = tuple(_boot_record(boot) for boot in boots)
    how = f"{methods.WALL} {methods.TCG}" if any(boot.accelerator == "tcg" for boot in boots) else methods.WALL
    notes = (*not_alone_notes([result]), *failed_boot_notes([result]))
    empty = " ".join(["Not measured.", *notes])
    return Table(
        caption,
        header,
        tuple(rows) if boots else (),
        records,
        notes,
        how,
        "../boots.csv",
        empty=empty,
        fixed=True,
    )


def checks_table(result: VariantResult) -> Table:
    """Every check of the proof of life in every boot: passed or failed, with what it observed."""
    boots = result.boots
    rows = check_rows([boot.checks for boot in boots], "not run")
    if boots:
        rows.append((Cell("failed units"), *(_failed_units(boot) for boot in boots)))
    records = tuple(
        {"firmware": boot.firmware, "index": boot.index, **check.model_dump()}
        for boot in boots
        for check in boot.checks
    )
    header = ("check", *(f"{boot.firmware.upper()}, boot {boot.index}" for boot in boots))
    caption = f"Checks of {result.variant}: {boots_words(result)}"
    return Table(caption, header, tuple(rows), records, how=methods.CHECKS, csv="../checks.csv", fixed=True)


def stages_table(result: VariantResult) -> Table:
    """How long each stage took when it ran, and whether this run reused it from the store."""
    rows = tuple(
        (
            Cell(stage.stage),
            number(stage.seconds, "seconds"),
            Cell("reused" if stage.reused else "made"),
            Cell(stage.key),
        )
        for stage in result.stages
    )
    records = tuple(stage.model_dump() for stage in result.stages)
    header = ("stage", "duration", "in this run", "key")
    return Table(
        f"Stages of {result.variant}", header, rows, records, how=methods.STAGES, csv="../stages.csv", fixed=True
    )


def provenance_table(result: VariantResult | StudyResult) -> Table:
    """The inputs and versions that the figures come from."""
    if isinstance(result, StudyResult):
        values = {"study": result.study, "run": result.run, "created": result.created}
        caption = "Provenance of the run"
    else:
        names = ("method", "content", "recipe", "agent", "version", "lock_sha256", "commit", "content_checksum",
                 "image_sha256", "image_compressed_sha256")  # fmt: skip
        values = {name: getattr(result, name) or "" for name in names}
        values |= {f"parameter {name}": str(value) for name, value in result.parameters.items() if name not in names}
        caption = f"Provenance of {result.variant}"
    values |= {name: str(value) for name, value in result.provenance.items()}
    return named_rows(caption, list(values.items()))


def _boot_heading(boot: Boot) -> str:
    warm_up = ", warm-up" if boot.warm_up else ""
    return f"{BootGroup(boot.firmware, boot.accelerator)}, boot {boot.index}{warm_up}"


def _milestones_of(boots: Sequence[Boot]) -> list[tuple[str, str]]:
    """The milestones that any boot recorded, and those that every boot is measured for."""
    seen = {mark.name for boot in boots for mark in boot.milestones} | {
        "ssh-login",
        "provisioned",
        "multi-user",
        "docker-ready",
    }
    return [(name, title) for name, title in MILESTONES.items() if name in seen]


def _memory(boot: Boot) -> Cell:
    total = boot.memory_total_bytes
    note = f"of {quantity(total, 'bytes')}" if total is not None else ""
    return number(boot.memory_used_bytes, "bytes", note=note)


def _guest(boot: Boot) -> Cell:
    size = f"{boot.cpus or '?'} CPUs, {boot.memory_mib or '?'} MiB"
    return Cell(f"Linux {boot.kernel_release}" if boot.kernel_release else size, size if boot.kernel_release else "")


def _host(boot: Boot) -> Cell:
    host = boot.host
    load = f"load {host.load_1m:.1f} on {host.cpus or '?'} CPUs" if host.load_1m is not None else ""
    return Cell(f"QEMU {host.qemu_version}", load) if host.qemu_version else missing("not recorded")


def _console(boot: Boot) -> Cell:
    return Cell("console log", link=f"../{boot.console_log}") if boot.console_log else missing("not kept")


def _failed_units(boot: Boot) -> Cell:
    return verdict(not boot.failed_units, ", ".join(boot.failed_units) or "none")


def _boot_record(boot: Boot) -> dict[str, object]:
    record = boot.model_dump(exclude={"phases", "units", "checks", "host", "failed_units"})
    return {**record, **{name: getattr(boot.phases, name) for name in Phases.model_fields}}
