"""Whether every path of a finished image has the SELinux label that the image's own policy gives it.

The image is read unmounted. ``label_exceptions`` reads which paths may have another label.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

from pydantic import model_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.model import Count, Model
from atomic_lib.base.stage import Stage
from atomic_lib.base.store import file_sha256
from atomic_lib.compose.file_contexts import (
    CONTEXTS_FILE,
    CONTEXTS_FILES,
    UNKNOWN_TYPE,
    FileType,
    contexts_directory,
    label_type,
    wanted_labels,
)
from atomic_lib.compose.tree_access.ownership import readable
from atomic_lib.formats.disk.attributes import LABEL
from atomic_lib.formats.disk.file_system import FileEntry, FileSystem, is_ostree, root_of
from atomic_lib.image.image_files import ImageFiles
from atomic_lib.measure.label_exceptions import EXCEPTIONS_FILE, LabelException, load_exceptions
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools

STAGE = "labels"
UNLABELLED_TYPE = "unlabeled_t"
_WRONG_NAMED = 500
"""How many paths with a wrong label are named: an image without any labels has tens of thousands."""
_REQUIRED = {"/etc/shadow": "shadow_t", "/etc/gshadow": "shadow_t"}
"""Paths that must have this type before the first boot, whatever the policy or an exception says."""
_DEPLOYED = re.compile(r"/ostree/deploy/[^/]+(?:/deploy/[0-9a-f]+\.\d+(?=/|\Z)|(?=/var(?:/|\Z)))", re.DOTALL)
_OBJECT = re.compile(r"/ostree/repo/objects/[0-9a-f]{2}/[0-9a-f]{62}\.file")


class ExplainedLabels(Model):
    """The paths whose label an exception explains: how many, and one of them."""

    exception: str
    reason: str
    paths: Count
    example: str


class WrongLabel(Model):
    """A path with another label (empty: none) than the image's own policy gives it."""

    path: str
    label: str
    wanted: str


class Labels(Model):
    """Every path of the image's root file system compared with the image's own SELinux policy.

    ``unlabelled`` and ``unknown`` (of type ``default_t``) count all such paths, explained or not:
    they are never right. ``wrong`` names the first of ``wrong_paths``.
    """

    policy: str
    checked: Count
    right: Count
    unlabelled: Count
    unknown: Count
    explained: tuple[ExplainedLabels, ...] = ()
    wrong_paths: Count
    wrong: tuple[WrongLabel, ...] = ()

    @property
    def explained_paths(self) -> int:
        """How many paths all exceptions together explain."""
        return sum(one.paths for one in self.explained)

    @model_validator(mode="after")
    def _adds_up(self) -> "Labels":
        if self.right + self.explained_paths + self.wrong_paths != self.checked:
            raise ValueError(f"right, explained and wrong labels do not add up to the {self.checked} checked")
        return self


@dataclass(frozen=True)
class LabelFinding:
    """A path whose label is not right: ``label`` (empty: none) where the policy has ``wanted``.

    ``exception`` names what explains it; empty: nothing does, the label is wrong.
    """

    path: str
    label: str
    wanted: str
    exception: str = ""


@dataclass(frozen=True)
class LabelCheck:
    """How many paths were looked up in the image's own ``policy``, and every one whose label is not right."""

    policy: str
    checked: int
    findings: tuple[LabelFinding, ...]
    reasons: Mapping[str, str]
    """The reason of each exception."""

    @property
    def right(self) -> int:
        """How many paths have exactly the policy's label."""
        return self.checked - len(self.findings)

    @property
    def wrong(self) -> tuple[LabelFinding, ...]:
        """Paths whose label nothing explains."""
        return tuple(one for one in self.findings if not one.exception)

    @property
    def unlabelled(self) -> tuple[LabelFinding, ...]:
        """Paths that have no label, or that of a file without one."""
        return tuple(one for one in self.findings if label_type(one.label) in ("", UNLABELLED_TYPE))

    @property
    def unknown(self) -> tuple[LabelFinding, ...]:
        """Paths of ``default_t``: the policy does not know them."""
        return tuple(one for one in self.findings if label_type(one.label) == UNKNOWN_TYPE)

    def summary(self) -> Labels:
        """The check as a result holds it: counts, and the first wrong paths by name."""
        named = (WrongLabel(path=readable(one.path), label=one.label, wanted=one.wanted) for one in self.wrong)
        return Labels(
            policy=self.policy,
            checked=self.checked,
            right=self.right,
            unlabelled=len(self.unlabelled),
            unknown=len(self.unknown),
            explained=tuple(self._explained()),
            wrong_paths=len(self.wrong),
            wrong=tuple(islice(named, _WRONG_NAMED)),
        )

    def _explained(self) -> Iterator[ExplainedLabels]:
        for name, reason in self.reasons.items():
            paths = [one.path for one in self.findings if one.exception == name]
            if paths:
                yield ExplainedLabels(exception=name, reason=reason, paths=len(paths), example=readable(paths[0]))


def image_labels(files: ImageFiles, context: Context) -> Labels:
    """The labels of an image, checked or taken from the store; see ``check_labels``."""
    return Labels.model_validate_json((LABELS.get(files, context).path / "labels.json").read_text())


def _inputs(files: ImageFiles, _: Context) -> dict[str, object]:
    return {"image": files.image.key, "exceptions": file_sha256(EXCEPTIONS_FILE)}


def _make(files: ImageFiles, context: Context, directory: Path) -> None:
    labels = check_labels(files.file_system, context.tools, load_exceptions()).summary()
    (directory / "labels.json").write_text(labels.model_dump_json())


LABELS = Stage(STAGE, _make, _inputs, title=lambda _: "check every label against the image's policy")


def check_labels(disk: FileSystem, tools: Tools, exceptions: Sequence[LabelException]) -> LabelCheck:
    """Look up every path of a disk in the file contexts that the disk itself has.

    Raises WorkbookError for a disk without a policy, or with one that libselinux cannot read.
    """
    root = root_of(disk)
    policy = policy_of(root)
    asked = {path: (place, cast(FileType, disk.entries[path].type)) for path, place in looked_up_as(disk).items()}
    with tempfile.TemporaryDirectory() as scratch:
        _copy_contexts(root, policy, Path(scratch))
        said = wanted_labels(tools, Path(scratch), asked.values())
    wanted = {path: (place, said[place, kind]) for path, (place, kind) in asked.items()}
    reasons = {one.exception: one.reason for one in exceptions}
    return LabelCheck(policy, len(wanted), find_labels(disk, wanted, exceptions), reasons)


def find_labels(
    disk: FileSystem, wanted: Mapping[str, tuple[str, str]], exceptions: Sequence[LabelException]
) -> tuple[LabelFinding, ...]:
    """The paths whose label is not right; ``wanted``: the path that each was looked up as, and the policy's label."""
    found = (
        _finding(path, place, disk.entries[path].attributes.get(LABEL, ""), label, exceptions)
        for path, (place, label) in wanted.items()
    )
    return tuple(one for one in found if one)


def policy_of(root: FileSystem) -> str:
    """The policy that a system loads: SELINUXTYPE in its /etc/selinux/config (selinux_config(5))."""
    match = re.search(r"(?m)^\s*SELINUXTYPE\s*=\s*(\S+)", root.text("/etc/selinux/config"))
    if match is None:
        raise WorkbookError(f"{root.raw}: /etc/selinux/config names no policy, so no label can be checked")
    return match[1]


def looked_up_as(disk: FileSystem) -> dict[str, str]:
    """The path by which each path of a disk is looked up in the policy.

    On an ostree disk: below a deployment and in a stateroot's /var as the booted system sees
    it. An object of the repository that holds a file is looked up as the deployed file that
    is the same in everything, its label too: most are one file with two names. All others by
    their path on the disk.
    """
    if not is_ostree(disk):
        return {path: path for path in disk.entries}
    places = {path: _DEPLOYED.sub("", path, count=1) or "/" for path in disk.entries}
    deployed = {_facts(disk.entries[path]): place for path, place in places.items() if place != path}
    for path in filter(_OBJECT.fullmatch, places):
        places[path] = deployed.get(_facts(disk.entries[path]), path)
    return places


def _facts(entry: FileEntry) -> tuple[object, ...]:
    """Everything that goes into the checksum of an object."""
    return entry.type, entry.mode, entry.uid, entry.gid, entry.sha256, entry.target, tuple(entry.attributes.items())


def _copy_contexts(root: FileSystem, policy: str, directory: Path) -> None:
    """The policy's file contexts out of the image; not those compiled from them, which libselinux would prefer."""
    top = f"/{contexts_directory(policy)}"
    if f"{top}/{CONTEXTS_FILE}" not in root.entries:
        raise WorkbookError(f"{root.raw}: the policy {policy!r} has no {top}/{CONTEXTS_FILE}")
    for name in CONTEXTS_FILES:
        if f"{top}/{name}" in root.entries:
            (directory / name).write_bytes(root.content(f"{top}/{name}"))


def _finding(
    path: str, place: str, label: str, wanted: str, exceptions: Sequence[LabelException]
) -> LabelFinding | None:
    """The finding about one path; None if its label is right."""
    required = _REQUIRED.get(place)
    if required and label_type(label) != required:
        return LabelFinding(path, label, required)
    if label == wanted and label_type(label) not in (UNLABELLED_TYPE, UNKNOWN_TYPE):
        return None
    explained = next((one.exception for one in exceptions if one.explains(path, label)), "")
    return LabelFinding(path, label, wanted, explained)
