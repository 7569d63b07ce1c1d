"""Reads a treefile with all that it includes; finds all problems of all files at once."""

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import AddedFile, PostScript
from atomic_lib.recipe.source import read_data, read_text, refuse_cycle, require_within, with_line_feeds
from atomic_lib.recipe.treefile_keys import (
    ACCEPTED,
    ARCHITECTURES,
    OLD_SPELLINGS,
    REFUSED,
    Values,
    ignored_inside,
    why_not,
    wrong_value,
)
from atomic_lib.recipe.treefile_rules.account_files import account_lines
from atomic_lib.recipe.treefile_rules.document import Document, parse_document
from atomic_lib.recipe.treefile_rules.finalize_programs import take_programs
from atomic_lib.recipe.treefile_rules.findings import Findings, Place, chain_text
from atomic_lib.recipe.treefile_rules.merging import merge
from atomic_lib.recipe.treefile_rules.package_entries import names_in, read_kickstart_packages
from atomic_lib.recipe.treefile_rules.variables import BASEARCH, Variable, holds

DEEPEST = 50
"""How deep includes may be nested, as in rpm-ostree."""
_KEYS_HINT = f"accepted keys: {', '.join(ACCEPTED)}, packages-ARCH"
_OF_OTHER_FILES = ("add-files", "arch-include", "conditional-include", "edition", "include", "postprocess-script",
                   "variables")  # fmt: skip
"""What an inlined treefile cannot have."""
_SPELLINGS = ("packages", "bootstrap-packages", f"packages-{BASEARCH}")


@dataclass(frozen=True)
class TreefileReader:
    """Reads treefiles below ``roots``."""

    roots: Sequence[Path]
    findings: Findings

    def merged(self, path: Path, chain: tuple[Place, ...] = (), prefix: str = "") -> Values:
        """The values of a treefile and its includes; ``chain``: the files that include it, the outermost first.

        Problems are added to the findings.
        """
        before = len(self.findings.files)
        suffix = chain_text(chain)
        if path.suffix == ".ks":
            return self._of_kickstart(path, chain, prefix)
        text = self.findings.attempt("", lambda: self._opened(path, chain, prefix), chain_text(chain[:-1]))
        if text is None:
            return {}
        document = self.findings.attempt("", lambda: parse_document(path, text), suffix)
        if document is None:
            return {}
        assert len(self.findings.files) == before + 1
        return self._with_includes(document, self._own(document, chain), chain)

    def _opened(self, path: Path, chain: tuple[Place, ...], prefix: str) -> str:
        if chain:
            require_within(path, self.roots, prefix)
        refuse_cycle(path, [place.path for place in chain], prefix)
        if os.path.realpath(path) in [os.path.realpath(file) for file in self.findings.files]:
            raise WorkbookError(f"{prefix}{path} is included twice", hint="rpm-ostree allows each treefile once")
        if len(chain) > DEEPEST:
            raise WorkbookError(f"{prefix}{path}: includes are nested more than {DEEPEST} levels deep",
                                hint="include it from a treefile further up")  # fmt: skip
        text = read_text(path, prefix)
        self.findings.files.append(path)
        return text

    def _of_kickstart(self, path: Path, chain: tuple[Place, ...], prefix: str) -> Values:
        def read(file: Path, of_include: str) -> str:
            require_within(file, self.roots, of_include or prefix)
            if os.path.realpath(file) in [os.path.realpath(one) for one in self.findings.files]:
                raise WorkbookError(f"{of_include or prefix}{file} is included twice", hint="include each file once")
            text = read_text(file, of_include or prefix)
            self.findings.files.append(file)
            return text

        found = self.findings.attempt("", lambda: read_kickstart_packages(path, read))
        if found is None:
            return {}
        take_programs(path.parent, self.roots, self.findings)
        for location, message in found.problems:
            self.findings.refuse(f"{location}: {message}{chain_text(chain)}",
                                 "name the packages in a treefile, or use the kickstart as a recipe")  # fmt: skip
        for error in found.errors:
            self.findings.refuse(f"{error.message}{chain_text(chain)}", error.hint)
        for entry in found.excludes:
            self.findings.origins.setdefault(excluded_as(entry), str(path))
        values: Values = {"packages": found.packages, "exclude-packages": found.excludes}
        return {**values, "recommends": False} if found.exclude_weak_dependencies else values

    def _own(self, document: Document, chain: tuple[Place, ...], *, inlined: bool = False) -> Values:
        """The values of one treefile that are accepted, without those that are unset."""
        suffix, accepted = chain_text(chain), dict[str, Any]()
        for key, value in document.values.items():
            name = OLD_SPELLINGS.get(key, key)
            prefix = f"{document.location(key)}: "
            if inlined and (name in _OF_OTHER_FILES or name.startswith("packages-") or _is_file_check(value)):
                self.findings.refuse(f"{prefix}{key}: an inlined treefile cannot have it{suffix}",
                                     "include a file that has it")  # fmt: skip
            elif key.startswith("packages-") and name not in REFUSED:
                self._take_architecture(document, key, accepted, suffix)
            elif name != key and None not in (value, document.values.get(name)):
                self.findings.refuse(f"{prefix}{key}: is the old spelling of {name}, which is also set{suffix}")
            elif name not in ACCEPTED:
                self._take_unknown(document, key, suffix)
            elif key in document.twice:
                self.findings.refuse(f"{document.path}: key {key!r} is given twice{suffix}", "remove one of the two")
            elif value is None:
                continue
            elif wrong := wrong_value(name, value):
                self.findings.refuse(f"{prefix}{key}: {wrong}{suffix}")
            else:
                accepted[name] = value
                self.findings.origins.setdefault(name, document.location(key))
                for number, entry in enumerate(accepted[name] if name == "exclude-packages" else ()):
                    self.findings.origins.setdefault(excluded_as(entry), document.location(key, number))
                self.findings.notes += [f"{prefix}{key}: {inner!r} has no effect: rpm-ostree ignores it"
                                        for inner in ignored_inside(name, value)]  # fmt: skip
        if accepted.get("edition") == "2024":
            accepted = {"boot-location": "modules", "tmp-is-dir": True, **accepted}
        return self._with_files_read(document, self._with_packages_joined(document, accepted, suffix), suffix)

    def _with_packages_joined(self, document: Document, values: Values, suffix: str) -> Values:
        """Join the spellings of ``packages``, and split their entries into names."""
        packages: list[str] = []
        for key in _SPELLINGS:
            prefix, entries = f"{document.location(key)}: {key}: ", values.get(key, ())
            packages += self.findings.attempt(prefix, partial(_names, entries), suffix) or []
        rest = {key: value for key, value in values.items() if key not in _SPELLINGS}
        return {**rest, "packages": packages} if packages else rest

    def _take_architecture(self, document: Document, key: str, accepted: Values, suffix: str) -> None:
        if wrong := wrong_value("packages", document.values[key]):
            self.findings.refuse(f"{document.location(key)}: {key}: {wrong}{suffix}")
        elif key == f"packages-{BASEARCH}":
            accepted[key] = document.values[key]
        elif key.removeprefix("packages-") not in ARCHITECTURES:
            self.findings.notes.append(f"{document.location(key)}: {key} has no effect: it is for another "
                                       f"architecture than {BASEARCH}{why_not(key)}")  # fmt: skip

    def _take_unknown(self, document: Document, key: str, suffix: str) -> None:
        if document.is_json and key not in REFUSED:
            hint = why_not(key)
            self.findings.notes.append(f"{document.location(key)}: {key!r} has no effect: rpm-ostree ignores unknown "
                                       f"keys of JSON{hint}")  # fmt: skip
            return
        hint = "" if key in REFUSED else _KEYS_HINT
        self.findings.refuse(f"{document.location(key)}: key {key!r} is not supported{why_not(key)}{suffix}", hint)

    def _with_files_read(self, document: Document, values: Values, suffix: str) -> Values:
        """Replace names of scripts, files and packages by ``PostScript``, ``AddedFile`` and single names."""
        path, findings = document.path, self.findings
        result = dict(values)
        readers: Mapping[str, Callable[[], object]] = {
            "postprocess": lambda: [
                post_script(text, script_location(document, number))
                for number, text in enumerate(result["postprocess"])
            ],
            "postprocess-script": lambda: self._script_of(path.parent / result["postprocess-script"]),
            "add-files": lambda: [self._added_file(path.parent / name, target) for name, target in result["add-files"]],
            "check-passwd": lambda: self._with_lines(path.parent, result["check-passwd"], "passwd"),
            "check-groups": lambda: self._with_lines(path.parent, result["check-groups"], "group"),
            "repo-packages": lambda: [(item["repo"], _names(item["packages"])) for item in result["repo-packages"]],
        }
        for key, read in readers.items():
            if key in result:
                prefix = f"{document.location(key)}: {key}: "
                value = findings.attempt(prefix, read, suffix)
                if value is None and key.startswith("check-"):
                    value = {"type": "file", "lines": None}  # of its type still, so that no other problem follows
                result = {**result, key: value} if value is not None else _without(result, key)
        return result

    def _script_of(self, file: Path) -> PostScript:
        require_within(file, self.roots, "")
        script = post_script(read_text(file), f"{file}:1")
        self.findings.files.append(file)
        return script

    def _added_file(self, file: Path, target: str) -> AddedFile:
        require_within(file, self.roots, "")
        content = read_data(file)
        self.findings.files.append(file)
        # as git keeps modes: a checkout's umask must not change the tree
        return AddedFile(target.lstrip("/"), stat.S_IFREG | (file.stat().st_mode & 0o755), content)

    def _with_lines(self, directory: Path, check: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
        if check["type"] != "file":
            return check
        file = directory / check["filename"]
        require_within(file, self.roots, "")
        lines = account_lines(read_text(file), kind, str(file))
        self.findings.files.append(file)
        return {"type": "file", "lines": lines}

    def _with_includes(self, document: Document, values: Values, chain: tuple[Place, ...]) -> Values:
        take_programs(document.path.parent, self.roots, self.findings)
        self.findings.variables = {**_variables(values), **self.findings.variables}
        includes = [(name, "include") for name in _listed(values.get("include"))]
        includes += [(name, "arch-include") for name in _listed(values.get("arch-include", {}).get(BASEARCH))]
        self.findings.notes += [
            f"{document.location('arch-include')}: arch-include of {name} has no effect: it is for another "
            f"architecture than {BASEARCH}"
            for name in values.get("arch-include", ()) if name not in ARCHITECTURES
        ]  # fmt: skip
        for number, item in enumerate(values.get("conditional-include", ())):
            location = document.location("conditional-include", number)
            prefix, suffix = f"{location}: conditional-include: ", chain_text(chain)
            conditions = _listed(item["if"])
            held = [self._holds(prefix, condition, suffix) for condition in conditions]  # all, to find all problems
            if not all(held):
                continue
            if isinstance(item["include"], Mapping):
                inlined = Document(document.path, item["include"], dict.fromkeys(item["include"], _line(location)))
                values = merge(values, self._own(inlined, chain, inlined=True))
            else:
                includes += [(name, f"conditional-include[{number}]") for name in _listed(item["include"])]
        kept = {key: value for key, value in values.items() if not key.endswith("include") and key != "variables"}
        for name, key in includes:
            bare, _, rest = key.partition("[")
            place = Place(document.path, document.location(bare, int(rest[:-1]) if rest else None))
            inner = self.merged(document.path.parent / name, (*chain, place), f"{place.location}: {bare}: ")
            kept = merge(kept, inner)
        return kept

    def _holds(self, prefix: str, condition: str, suffix: str) -> bool:
        return self.findings.attempt(prefix, lambda: holds(condition, self.findings.variables), suffix) or False


def excluded_as(entry: str) -> str:
    """The name of an entry of ``exclude-packages`` among the origins in the findings."""
    return f"exclude-packages {entry}"


def post_script(text: str, source: str) -> PostScript:
    """A script of ``postprocess``; without #!, /bin/sh runs it, as with execvp(3) in rpm-ostree.

    A string of a treefile can have the line ends of Windows, too: as escapes (``"a\\r\\n"``).
    """
    text = with_line_feeds(text)
    first = text.split("\n", 1)[0]
    words = first[2:].split(None, 1) if first.startswith("#!") else []
    return PostScript(text, " ".join(words).strip() or "/bin/sh", True, source)


def script_location(document: Document, number: int) -> str:
    """``FILE:LINE`` of a ``postprocess`` entry; with ``: postprocess[N]`` where only the line of the key is known."""
    known = number < len(document.entry_lines.get("postprocess", ()))
    return document.location("postprocess", number) + ("" if known else f": postprocess[{number}]")


def _names(entries: Sequence[str]) -> list[str]:
    names = [name for entry in entries for name in names_in(entry)]
    for name in names:
        if name.startswith("@"):
            raise WorkbookError(f"{name} is a group; a treefile names packages only",
                                hint="list the packages of the group, or use a kickstart")  # fmt: skip
    return names


def _variables(values: Values) -> dict[str, Variable]:
    releasever = {"releasever": values["releasever"]} if "releasever" in values else {}
    return {**values.get("variables", {}), **releasever}


def _listed(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _without(values: Values, key: str) -> Values:
    return {name: value for name, value in values.items() if name != key}


def _is_file_check(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "file"


def _line(location: str) -> int:
    number = location.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0
