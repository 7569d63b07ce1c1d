"""The stage that makes the repository of an update, predicts what it costs to download, and has it downloaded."""

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from atomic_lib.base.files import write_text
from atomic_lib.base.model import Model, read_model
from atomic_lib.base.stage import Stage
from atomic_lib.compose.remote import REMOTE, REMOTE_FILE
from atomic_lib.compose.update.download_prediction import Download, predict_check, predict_delta, predict_loose
from atomic_lib.compose.update.update_repository import Version, add_static_delta, make_update_repository
from atomic_lib.guest.update.loopback_pull import pull_over_loopback, write_key
from atomic_lib.guest.update.update_commands import UpdateCommands
from atomic_lib.guest.update.update_evidence import DownloadFigures, GuestState, figures_of
from atomic_lib.guest.vm.qemu import UPDATES_URL
from atomic_lib.tools.context import Context

Way = Literal["check", "loose objects", "static delta"]
_DOWNLOADS, _SERVED = "downloads.json", "served"


@dataclass(frozen=True)
class UpdateVersions:
    """Two versions of a variant; ``name`` is for messages."""

    name: str
    before: Version
    after: Version

    @property
    def identities(self) -> tuple[str, str]:
        """The commits."""
        return self.before.commit, self.after.commit

    @property
    def commands(self) -> UpdateCommands:
        """ostree's, one for each part of ``ostree admin upgrade``."""
        return UpdateCommands(
            source=f"sed -i 's|^url=.*|url={UPDATES_URL}|' /{REMOTE_FILE}",
            steps=(
                ("check", shlex.join(["ostree", "pull", "--commit-metadata-only", REMOTE, self.before.ref])),
                ("download", "ostree admin upgrade --pull-only"),
                ("deploy", "ostree admin upgrade --deploy-only"),
            ),
            rollback="ostree admin set-default 1",
        )

    def identity(self, state: GuestState) -> str | None:
        """The commit that is booted."""
        return state.commit


class UpdateDownload(Model):
    """One way to have the update: predicted from the commits, and measured with ostree over loopback.

    ``same_files``: whether exactly the files that were predicted were downloaded, each with its size.
    """

    way: Way
    predicted: DownloadFigures
    measured: DownloadFigures
    same_files: bool


class UpdateDownloads(Model):
    """All ways, without and with the static delta on the server."""

    ways: tuple[UpdateDownload, ...]

    def way(self, name: Way) -> UpdateDownload:
        """The way of this name."""
        return next(one for one in self.ways if one.way == name)


def update_repository(versions: UpdateVersions, context: Context) -> Path:
    """The repository that serves both versions, without a static delta."""
    return UPDATE_DOWNLOADS.get(versions, context).path / _SERVED


def update_downloads(versions: UpdateVersions, context: Context) -> UpdateDownloads:
    """What the update costs to download; measured first if it is not in the store.

    Raises CommandError if ostree refuses a version: version 1's own key must have signed both.
    """
    path = UPDATE_DOWNLOADS.get(versions, context).path / _DOWNLOADS
    return read_model(UpdateDownloads, path, hint="./workbook clean damaged")


def _inputs(versions: UpdateVersions, _: Context) -> dict[str, object]:
    return {"ref": versions.before.ref, "commits": [versions.before.commit, versions.after.commit]}


def _make(versions: UpdateVersions, context: Context, directory: Path) -> None:
    tools, before, after = context.tools, versions.before, versions.after
    served, key = directory / _SERVED, directory / "key.asc"
    make_update_repository(tools, served, (before, after))
    write_key(tools, before, key)
    with context.store.scratch("update") as scratch:
        pulled = pull_over_loopback(tools, served, before, key, _new(scratch / "loose"))
        check = _way("check", predict_check(served, after.commit), pulled.check)
        loose = _way("loose objects", predict_loose(served, before.commit, after.commit), pulled.update)
        with_delta = shutil.copytree(served, scratch / "served", copy_function=os.link)
        fallbacks = add_static_delta(tools, with_delta, before.commit, after.commit)
        predicted = predict_delta(with_delta, before.commit, after.commit, fallbacks)
        pulled = pull_over_loopback(tools, with_delta, before, key, _new(scratch / "delta"))
    ways = (check, loose, _way("static delta", predicted, pulled.update))
    write_text(directory / _DOWNLOADS, UpdateDownloads(ways=ways).model_dump_json(indent=1) + "\n")


def _way(way: Way, predicted: Download, measured: Download) -> UpdateDownload:
    return UpdateDownload(
        way=way, predicted=figures_of(predicted), measured=figures_of(measured), same_files=predicted == measured
    )


UPDATE_DOWNLOADS = Stage(
    "update-downloads",
    _make,
    _inputs,
    title=lambda versions: f"{versions.name}: download version 2 over loopback",
    space_bytes=3_000_000_000,
)


def _new(directory: Path) -> Path:
    directory.mkdir()
    return directory
