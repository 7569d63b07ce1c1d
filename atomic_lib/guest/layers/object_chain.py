"""The stage that has ostree pull each version of a host after the one before, as loose objects, over loopback."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from atomic_lib.base.files import write_text
from atomic_lib.base.model import Model, read_model
from atomic_lib.base.stage import Stage
from atomic_lib.compose.update.download_prediction import predict_loose
from atomic_lib.compose.update.update_repository import Version, add_version, make_update_repository
from atomic_lib.guest.update.loopback_pull import pull_over_loopback, write_key
from atomic_lib.guest.update.update_evidence import DownloadFigures, figures_of
from atomic_lib.tools.context import Context

_RESULT = "objects.json"


@dataclass(frozen=True)
class ObjectVersions:
    """The commits of all versions, in their order; ``name`` is for messages."""

    name: str
    versions: tuple[Version, ...]


class ObjectUpdate(Model):
    """One update as loose objects. ``same_files``: whether exactly the predicted files were downloaded."""

    predicted: DownloadFigures
    measured: DownloadFigures
    same_files: bool


class ObjectUpdates(Model):
    """The updates to each version but the first."""

    updates: tuple[ObjectUpdate, ...]


def object_updates(versions: ObjectVersions, context: Context) -> tuple[ObjectUpdate, ...]:
    """What each update costs as loose objects; measured first if it is not in the store.

    Raises CommandError if ostree refuses a version: the key of the one before must have signed it.
    """
    path = OBJECT_CHAIN.get(versions, context).path / _RESULT
    return read_model(ObjectUpdates, path, hint="./workbook clean damaged").updates


def _inputs(versions: ObjectVersions, _: Context) -> dict[str, object]:
    return {"versions": [[version.ref, version.commit] for version in versions.versions]}


def _make(versions: ObjectVersions, context: Context, directory: Path) -> None:
    tools, updates = context.tools, []
    with context.store.scratch("objects") as scratch:
        served, key = scratch / "served", scratch / "key.asc"
        make_update_repository(tools, served, versions.versions[:1])
        for number, (before, after) in enumerate(pairwise(versions.versions), start=2):
            add_version(tools, served, after)
            write_key(tools, before, key)
            (scratch / str(number)).mkdir()
            predicted = predict_loose(served, before.commit, after.commit)
            pulled = pull_over_loopback(tools, served, before, key, scratch / str(number)).update
            figures = figures_of(predicted), figures_of(pulled)
            updates.append(ObjectUpdate(predicted=figures[0], measured=figures[1], same_files=predicted == pulled))
    write_text(directory / _RESULT, ObjectUpdates(updates=tuple(updates)).model_dump_json(indent=1) + "\n")


OBJECT_CHAIN = Stage(
    "object-chain",
    _make,
    _inputs,
    title=lambda versions: f"{versions.name}: pull the objects of each version over loopback",
    space_bytes=3_000_000_000,
)
