"""Reads treefiles: rpm-ostree's description of a tree, in YAML or JSON.

Keys and rules are those of rpm-ostree's treefile reference (docs/treefile.md). A key
that is not supported is an error; no key is silently ignored.
"""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import PostScript, Recipe
from atomic_lib.recipe.source import read_text, refuse_cycle, require_within
from atomic_lib.recipe.treefile_keys import LISTS, Values, checked_values, notes, parse_treefile, script_locations

BASEARCH = "x86_64"
"""The architecture that is composed; ``packages-ARCH`` of others is checked and ignored."""

# ostree's rule for the names of refs (ostree_validate_rev).
_REF = re.compile(r"[\w\d][-._\w\d]*(/[\w\d][-._\w\d]*)*", re.ASCII)
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def read_treefile(path: Path, parts: Sequence[Path] = (), roots: Sequence[Path] = ()) -> Recipe:
    """The recipe in a treefile and its includes, extended by ``parts``.

    A part is a treefile that adds to lists and overrides single values, as if it included the recipe.
    If the recipe includes the treefile ``base`` from its own directory, the packages of ``base`` are
    the layer that variants share.

    ``include`` follows rpm-ostree. Paths are relative to the including file. Single values of the
    including file override those of included files, and the first of several included files wins.
    Lists are joined: those of included files come first, in reverse order of the files. Including a
    file twice is an error. Included files and scripts must be below one of ``roots`` (without any: below
    the directory of ``path``).

    Raises WorkbookError naming file and key for an unknown or unsupported key, a wrong type, a file that is
    missing or elsewhere, an include cycle, or a package that is both listed and excluded.
    """
    files: list[Path] = []
    reader = _Reader(roots or (path.parent,), files)
    values = reader.merged(path)
    for part in parts:
        values = _merge(reader.merged(part, (), "parts: "), values)
    _require_composable(path, values)
    languages = values.get("install-langs")
    return Recipe(
        files=tuple(files),
        packages=_unique(values["packages"]),
        layer=_layer(path, reader),
        excludes=_unique(values.get("exclude-packages", ())),
        repos=_unique(values.get("repos", ())),
        documentation=values.get("documentation", True),
        weak_dependencies=values.get("recommends", True),
        languages=None if languages is None else _unique(languages),
        selinux="enforcing" if values.get("selinux", True) else "disabled",
        enabled_units=_unique(values.get("units", ())),
        default_target=values.get("default-target", Recipe.default_target),
        post_scripts=tuple([*values.get("postprocess", ()), *values.get("postprocess-script", ())]),
        initramfs_arguments=tuple(values.get("initramfs-args", ())),
        ref=_ref(path, values),
        releasever=values.get("releasever"),
        version_prefix=_version_prefix(path, values),
        removed_paths=_unique(values.get("remove-files", ())),
        notes=notes(values),
    )


def _require_composable(path: Path, values: Values) -> None:
    """Raise WorkbookError unless there is a ref and a package, and no package is excluded too."""
    for key in ("ref", "packages"):
        if not values.get(key):
            raise WorkbookError(f"{path}: {key}: is required", hint=f"set {key} here or in an included treefile")
    both = [name for name in values["packages"] if name in values.get("exclude-packages", ())]
    if both:
        raise WorkbookError(f"{path}: {both[0]} is in packages and in exclude-packages", hint="remove one of the two")


@dataclass(frozen=True)
class _Reader:
    """Reads treefiles below ``roots``; ``files`` are those read."""

    roots: Sequence[Path]
    files: list[Path]

    def merged(self, path: Path, chain: tuple[Path, ...] = (), prefix: str = "") -> Values:
        """The values of a treefile and its includes; ``chain``: the files that include it."""
        if chain:
            require_within(path, self.roots, prefix)
        refuse_cycle(path, chain, prefix)
        if os.path.realpath(path) in [os.path.realpath(file) for file in self.files]:
            raise WorkbookError(f"{prefix}{path} is included twice", hint="rpm-ostree allows each treefile once")
        text = read_text(path, prefix)
        values = checked_values(path, parse_treefile(path, text))
        self.files.append(path)
        includes = values.pop("include", ())
        values = _with_packages_split(path, self._with_scripts_read(path, text, values))
        for name in includes:
            values = _merge(values, self.merged(path.parent / name, (*chain, path), f"{path}: include: "))
        return values

    def _with_scripts_read(self, path: Path, text: str, values: Values) -> Values:
        """Replace ``postprocess`` and the file name in ``postprocess-script`` by ``PostScript`` objects."""
        result = dict(values)
        if "postprocess" in values:
            locations = script_locations(path, text, len(values["postprocess"]))
            result["postprocess"] = [_script(*pair) for pair in zip(values["postprocess"], locations, strict=True)]
        if "postprocess-script" in values:
            file, prefix = path.parent / values["postprocess-script"], f"{path}: postprocess-script: "
            require_within(file, self.roots, prefix)
            result["postprocess-script"] = (_script(read_text(file, prefix), f"{file}:1"),)
            self.files.append(file)
        return result


def _layer(path: Path, reader: _Reader) -> tuple[str, ...]:
    """The packages of the treefile ``base`` in the directory of ``path``, if it is one of the files read."""
    base = next((file for file in reader.files if file.stem == "base" and file.parent.samefile(path.parent)), None)
    return _unique(_Reader(reader.roots, []).merged(base).get("packages", ())) if base else ()


def _merge(own: Values, included: Values) -> Values:
    both = [key for key in own if key in included and key in LISTS]
    return {**included, **own, **{key: [*included[key], *own[key]] for key in both}}


def _with_packages_split(path: Path, values: Values) -> Values:
    """Join the architecture's packages with the others, and split entries into names.

    An entry may hold several names, separated by spaces. An entry in single quotes is not
    split; it can be a requirement with a version ('podman >= 4.1').
    """
    entries = [*values.get("packages", ()), *values.get(f"packages-{BASEARCH}", ())]
    rest = {key: value for key, value in values.items() if not key.startswith("packages")}
    names: list[str] = []
    for entry in entries:
        quoted = len(entry) > 2 and entry[0] == entry[-1] == "'"
        names += [entry[1:-1].strip()] if quoted else entry.split()
    groups = [name for name in names if name.startswith("@")]
    if groups:
        raise WorkbookError(
            f"{path}: packages: {groups[0]} is a group; a treefile names packages only",
            hint="list the packages of the group, or use a kickstart",
        )
    return {**rest, "packages": names} if entries else rest


def _script(text: str, source: str) -> PostScript:
    first = text.split("\n", 1)[0]
    words = first[2:].split(None, 1) if first.startswith("#!") else []
    # Without #!, /bin/sh runs the script, as with execvp(3) in rpm-ostree.
    return PostScript(text, " ".join(words).strip() or "/bin/sh", True, source)


def _ref(path: Path, values: Values) -> str:
    ref = _substituted(path, "ref", values)
    if not _REF.fullmatch(ref):
        raise WorkbookError(f"{path}: ref: {ref!r} is not a valid ref", hint="for example atomic/x86_64/minimal")
    return ref


def _version_prefix(path: Path, values: Values) -> str | None:
    if "automatic-version-prefix" not in values:
        return None
    prefix = _substituted(path, "automatic-version-prefix", values)
    if not re.fullmatch(r"[0-9A-Za-z._-]+", prefix):
        raise WorkbookError(
            f"{path}: automatic-version-prefix: {prefix!r} is not accepted: letters, digits, dot, dash and "
            "underscore only",
            hint="remove a date: it would give every build a different version",
        )
    return prefix


def _substituted(path: Path, key: str, values: Values) -> str:
    known = {"basearch": BASEARCH}
    if "releasever" in values:
        known["releasever"] = values["releasever"]

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise WorkbookError(
                f"{path}: {key}: {match[0]} has no value", hint=f"variables here: {', '.join(sorted(known))}"
            )
        return known[match[1]]

    return _VARIABLE.sub(value_of, values[key])


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
