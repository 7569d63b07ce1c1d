"""Whether every path of a finished image has the SELinux label that the image's own policy gives it.

The image is read unmounted, and so are the policy's file contexts: out of the image. What
may have another label is data with a reason: ``params/rules/labels.yaml``.
"""

import json
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from pydantic import Field, field_validator, model_validator

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import RULES_DIRECTORY
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
from atomic_lib.formats.disk.attributes import LABEL
from atomic_lib.formats.disk.file_system import FileEntry, FileSystem, is_ostree, read_file_system, root_of
from atomic_lib.image.disk import Image
from atomic_lib.params.schema import Name, ParamsModel, read_yaml_mapping, validated
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Tools

EXCEPTIONS_FILE = RULES_DIRECTORY / "labels.yaml"
STAGE = "labels"
UNLABELLED_TYPE = "unlabeled_t"
_REQUIRED = {"/etc/shadow": "shadow_t", "/etc/gshadow": "shadow_t"}
"""What must have its type before the first boot, whatever a policy or an exception says."""
_DEPLOYED = re.compile(r"/ostree/deploy/[^/]+(?:/deploy/[0-9a-f]+\.\d+(?=/|\Z)|(?=/var(?:/|\Z)))", re.DOTALL)
_OBJECT = re.compile(r"/ostree/repo/objects/[0-9a-f]{2}/[0-9a-f]{62}\.file")


class LabelException(ParamsModel):
    """Paths that may have ``label``, whatever the policy says of them; an empty one: no label at all.

    ``paths`` are regular expressions for the whole path on the disk, as file_contexts has them.
    """

    exception: Name
    reason: str = Field(min_length=20)
    paths: tuple[str, ...] = Field(min_length=1)
    label: str = Field(pattern=r"^([^:\s]+:[^:\s]+:[^:\s]+:\S+)?$")

    _tuple = field_validator("paths", mode="before")(lambda value: tuple(value) if isinstance(value, list) else value)

    @field_validator("paths")
    @classmethod
    def _are_expressions(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            try:
                re.compile(path)
            except re.error as error:
                raise ValueError(f"{path!r} is no regular expression: {error}") from None
        return paths

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(path, re.DOTALL) for path in self.paths)

    def explains(self, path: str, label: str) -> bool:
        """Whether the path may have this label."""
        return label == self.label and any(pattern.fullmatch(path) for pattern in self._patterns)


class LabelExceptions(ParamsModel):
    """All exceptions, in the order in which they are tried."""

    exceptions: tuple[LabelException, ...]

    _tuple = field_validator("exceptions", mode="before")(
        lambda value: tuple(value) if isinstance(value, list) else value
    )

    @model_validator(mode="after")
    def _has_each_name_once(self) -> "LabelExceptions":
        twice = [name for name, count in Counter(one.exception for one in self.exceptions).items() if count > 1]
        if twice:
            raise ValueError(f"exceptions: {twice[0]!r} is there twice")
        return self


@dataclass(frozen=True)
class Finding:
    """A path of the disk whose label is not simply right: ``label`` (empty: none) where ``wanted`` is the policy's.

    ``exception`` names what explains it; empty: nothing does, the label is wrong.
    """

    path: str
    label: str
    wanted: str
    exception: str = ""


@dataclass(frozen=True)
class Labels:
    """How many paths were looked up in the image's own ``policy``, and those that are not simply right."""

    policy: str
    checked: int
    findings: tuple[Finding, ...]
    reasons: Mapping[str, str]
    """Of each exception."""

    @property
    def right(self) -> int:
        """How many paths have exactly the policy's label."""
        return self.checked - len(self.findings)

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """Paths whose label nothing explains."""
        return tuple(one for one in self.findings if not one.exception)

    @property
    def unlabelled(self) -> tuple[Finding, ...]:
        """Paths that have no label, or that of a file without one."""
        return tuple(one for one in self.findings if label_type(one.label) in ("", UNLABELLED_TYPE))

    @property
    def unknown(self) -> tuple[Finding, ...]:
        """Paths of the type that says no more than that the policy does not know them."""
        return tuple(one for one in self.findings if label_type(one.label) == UNKNOWN_TYPE)


def load_exceptions(path: Path = EXCEPTIONS_FILE) -> tuple[LabelException, ...]:
    """The exceptions in a file; raises WorkbookError naming the file and what of it is not accepted."""
    return validated(LabelExceptions, read_yaml_mapping(path), str(path), {}).exceptions


def image_labels(image: Image, context: Context) -> Labels:
    """The labels of an image, checked or taken from the store; see ``check_labels``."""
    stored = LABELS.get(image, context)
    data = json.loads((stored.path / "labels.json").read_text())
    return Labels(**{**data, "findings": tuple(Finding(**row) for row in data["findings"])})


def _inputs(image: Image, _: Context) -> dict[str, object]:
    return {"image": image.key, "exceptions": file_sha256(EXCEPTIONS_FILE)}


def _make(image: Image, context: Context, directory: Path) -> None:
    labels = check_labels(read_file_system(image.raw), context.tools, load_exceptions())
    (directory / "labels.json").write_text(json.dumps(asdict(labels)))


LABELS = Stage(STAGE, _make, _inputs, title=lambda _: "check every label against the image's policy")


def check_labels(disk: FileSystem, tools: Tools, exceptions: Sequence[LabelException]) -> Labels:
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
    return Labels(policy, len(wanted), find_labels(disk, wanted, exceptions), reasons)


def find_labels(
    disk: FileSystem, wanted: Mapping[str, tuple[str, str]], exceptions: Sequence[LabelException]
) -> tuple[Finding, ...]:
    """The paths whose label is not simply right; ``wanted``: as what each path was looked up, and what label it is."""
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
    """All that the checksum of an object is made of."""
    return entry.type, entry.mode, entry.uid, entry.gid, entry.sha256, entry.target, tuple(entry.attributes.items())


def _copy_contexts(root: FileSystem, policy: str, directory: Path) -> None:
    """The policy's file contexts out of the image; not those compiled from them, which libselinux would prefer."""
    top = f"/{contexts_directory(policy)}"
    if f"{top}/{CONTEXTS_FILE}" not in root.entries:
        raise WorkbookError(f"{root.raw}: the policy {policy!r} has no {top}/{CONTEXTS_FILE}")
    for name in CONTEXTS_FILES:
        if f"{top}/{name}" in root.entries:
            (directory / name).write_bytes(root.content(f"{top}/{name}"))


def _finding(path: str, place: str, label: str, wanted: str, exceptions: Sequence[LabelException]) -> Finding | None:
    """What there is to say of one path; None where its label is right."""
    required = _REQUIRED.get(place)
    if required and label_type(label) != required:
        return Finding(path, label, required)
    if label == wanted and label_type(label) not in (UNLABELLED_TYPE, UNKNOWN_TYPE):
        return None
    explained = next((one.exception for one in exceptions if one.explains(path, label)), "")
    return Finding(path, label, wanted, explained)
