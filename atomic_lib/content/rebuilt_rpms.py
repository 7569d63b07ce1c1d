"""The stage that makes rebuilds of RPM files: the same packages with a higher release, for an update to bring."""

from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import file_sha256
from atomic_lib.formats.rpm_rebuild import NotRebuiltError, payload_of, programs_in, rebuild
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

_SCRATCH = "/mnt/scratch"


@dataclass(frozen=True)
class Rebuild:
    """An RPM file, and the paths of those of its files whose text is to change.

    ``programs``: whether its programs and libraries change, as they do with each build.
    """

    rpm: Path
    changed: tuple[str, ...] = ()
    programs: bool = False


def rebuilt_rpms(rebuilds: tuple[Rebuild, ...], context: Context) -> Path:
    """The directory with the rebuilds; made first if it is not in the store.

    They are not signed yet. Raises WorkbookError naming a package that cannot be rebuilt.
    """
    return REBUILT_RPMS.get(rebuilds, context).path / "rpms"


def _inputs(rebuilds: tuple[Rebuild, ...], _: Context) -> dict[str, object]:
    return {"rebuilds": [[one.rpm.name, file_sha256(one.rpm), one.changed, one.programs] for one in rebuilds]}


def _make(rebuilds: tuple[Rebuild, ...], context: Context, directory: Path) -> None:
    (directory / "rpms").mkdir()
    with context.store.scratch("rebuild") as scratch:
        for one in rebuilds:
            try:
                made = _rebuilt(context.tools, one, scratch)
            except NotRebuiltError as error:
                raise WorkbookError(f"{one.rpm.name}: cannot be rebuilt: it {error}") from None
            (directory / "rpms" / "new").write_bytes(made)
            (directory / "rpms" / "new").rename(directory / "rpms" / _file_name(context.tools, directory / "rpms"))


def _file_name(tools: Tools, directory: Path) -> str:
    """The usual name of the RPM file ``new`` in a directory."""
    words = ["rpm", "-qp", "--nosignature", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm", f"{_SCRATCH}/new"]
    return tools.run(words, binds=[Bind(directory, _SCRATCH)]).stdout


def unpacked_payload(tools: Tools, rpm: Path, scratch: Path) -> bytes:
    """The cpio archive in an RPM file; raises NotRebuiltError if it is none, CommandError if zstd cannot read it."""
    return _filtered(tools, payload_of(rpm.read_bytes()), "-d", scratch)


def _rebuilt(tools: Tools, one: Rebuild, scratch: Path) -> bytes:
    """The new file; zstd compresses it as rpm does for stand-in content."""
    archive = unpacked_payload(tools, one.rpm, scratch)
    programs = programs_in(archive) if one.programs else []
    if one.programs and not programs:
        raise NotRebuiltError("has no program or library with a build ID")
    changed = (*one.changed, *programs)
    return rebuild(one.rpm.read_bytes(), archive, changed, lambda data: _filtered(tools, data, "-1", scratch))


def _filtered(tools: Tools, data: bytes, option: str, scratch: Path) -> bytes:
    """What zstd makes of data."""
    (scratch / "in").write_bytes(data)
    words = ["zstd", "-q", "-f", option, f"{_SCRATCH}/in", "-o", f"{_SCRATCH}/out"]
    tools.run(words, binds=[Bind(scratch, _SCRATCH, writable=True)], rights="root")
    return (scratch / "out").read_bytes()


REBUILT_RPMS = Stage(
    "rebuilt-rpms",
    _make,
    _inputs,
    title=lambda rebuilds: f"rebuild {', '.join(one.rpm.name for one in rebuilds)}",
    silent=True,
)
