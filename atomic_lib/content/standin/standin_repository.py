"""Stand-in content: the stage that builds the repository of Debian packages as RPMs, in the cache."""

from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.stage import Stage
from atomic_lib.base.store import file_sha256
from atomic_lib.content.definition import DebianContent
from atomic_lib.content.standin.debs import fetch_debs
from atomic_lib.content.standin.rpms import build_repository
from atomic_lib.tools.context import Context


@dataclass(frozen=True)
class StandinRequest:
    """The stand-in content to build; ``comps`` is the file with its package groups."""

    definition: DebianContent
    comps: Path


def standin_repository(definition: DebianContent, params: Path, context: Context) -> Path:
    """The directory of the repository; built first if it is not in the cache (about a minute, and a download).

    Raises WorkbookError if the mirror cannot be reached, its signature is bad, or the disk is too full.
    """
    comps = params / "content" / f"{definition.content}-comps.xml"
    return CONTENT.get(StandinRequest(definition, comps), context).path


def _inputs(request: StandinRequest, _: Context) -> dict[str, object]:
    definition = request.definition.model_dump(exclude={"kernel_arguments", "title"})
    return {"definition": definition, "comps": file_sha256(request.comps)}


def _make(request: StandinRequest, context: Context, directory: Path) -> None:
    debs = fetch_debs(context.tools, request.definition, context.cache / "apt")
    build_repository(context.tools, request.definition, debs, directory, comps=request.comps)


CONTENT = Stage(
    "content",
    _make,
    _inputs,
    title=lambda _: "stand-in content (Debian packages as RPMs)",
    space_bytes=2_500_000_000,
    shared=True,
)
