"""Treefiles: rpm-ostree's description of a tree, in YAML or JSON.

Keys and rules are those of rpm-ostree's treefile reference (docs/treefile.md). A key
that has no meaning for a compose here is refused by name, never ignored.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from atomic_lib.base.errors import WorkbookError
from atomic_lib.recipe.recipe import PostScript, Recipe
from atomic_lib.recipe.source import read_text, refuse_cycle
from atomic_lib.recipe.treefile_keys import LISTS, checked_values, notes, parse_treefile, script_places

BASEARCH = "x86_64"
"""The one architecture that is composed; ``packages-ARCH`` of others is checked and left out."""

# ostree's rule for ref names (ostree_validate_rev).
_REF = re.compile(r"[\w\d][-._\w\d]*(/[\w\d][-._\w\d]*)*", re.ASCII)
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def read_treefile(path: Path, parts: Sequence[Path] = ()) -> Recipe:
    """The recipe in a treefile with all that it includes, and with ``parts`` over it.

    A part is a treefile that adds to lists and overrides single values, as if it included the recipe.
    What ``base`` beside the recipe names (and it includes) is the layer that variants share.

    ``include`` follows rpm-ostree: paths are relative to the including file; single values of
    the including file win over those of the included, and of several included files those of
    the first; lists are joined, the included ones before the including file's, and of several
    included files the last one's first. Including a file twice is an error.

    Raises WorkbookError naming file and key: unknown or unsupported key, wrong type, missing
    file, include cycle, a package that is both asked for and excluded.
    """
    files: list[Path] = []
    values = _read_merged(path, (), "", files)
    for part in parts:
        values = _merge(_read_merged(part, (), "parts: ", files), values)
    for key in ("ref", "packages"):
        if not values.get(key):
            raise WorkbookError(f"{path}: {key}: is required", hint=f"set {key} here or in an included treefile")
    packages, excludes = _unique(values["packages"]), _unique(values.get("exclude-packages", ()))
    both = [name for name in packages if name in excludes]
    if both:
        raise WorkbookError(f"{path}: {both[0]} is in packages and in exclude-packages", hint="remove one of the two")
    languages = values.get("install-langs")
    return Recipe(
        files=tuple(files),
        packages=packages,
        layer=_layer(path, files),
        excludes=excludes,
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


def _read_merged(path: Path, chain: tuple[Path, ...], asked_by: str, files: list[Path]) -> dict[str, Any]:
    refuse_cycle(path, chain, asked_by)
    if path.resolve() in [file.resolve() for file in files]:
        raise WorkbookError(f"{asked_by}{path} is included twice", hint="rpm-ostree allows each treefile once")
    text = read_text(path, asked_by)
    values = checked_values(path, parse_treefile(path, text))
    files.append(path)
    includes = values.pop("include", ())
    values = _with_packages_split(path, _with_scripts_read(path, text, values, files))
    for name in includes:
        values = _merge(values, _read_merged(path.parent / name, (*chain, path), f"{path}: include: ", files))
    return values


def _layer(path: Path, files: Sequence[Path]) -> tuple[str, ...]:
    """The packages that the treefile ``base`` beside ``path`` names, where it is one of ``files``."""
    base = next((file for file in files if file.stem == "base" and file.parent.samefile(path.parent)), None)
    return _unique(_read_merged(base, (), "", []).get("packages", ())) if base else ()


def _merge(own: Mapping[str, Any], included: Mapping[str, Any]) -> dict[str, Any]:
    both = [key for key in own if key in included and key in LISTS]
    return {**included, **own, **{key: [*included[key], *own[key]] for key in both}}


def _with_packages_split(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    """The architecture's packages among the others, each name on its own.

    An entry holds several names apart by spaces; single quotes around it keep it whole,
    for a requirement with a version ('podman >= 4.1').
    """
    entries = [*values.get("packages", ()), *values.get(f"packages-{BASEARCH}", ())]
    rest = {key: value for key, value in values.items() if not key.startswith("packages")}
    names: list[str] = []
    for entry in entries:
        quoted = len(entry) > 2 and entry[0] == entry[-1] == "'"
        names += [entry[1:-1].strip()] if quoted else entry.split()
    groups = [name for name in names if name.startswith("@")]
    if groups:
        raise WorkbookError(f"{path}: packages: {groups[0]} is a group; a treefile names packages only")
    return {**rest, "packages": names} if entries else rest


def _with_scripts_read(path: Path, text: str, values: dict[str, Any], files: list[Path]) -> dict[str, Any]:
    """``postprocess`` and ``postprocess-script`` as scripts; the latter is a file beside the treefile."""
    result = dict(values)
    if "postprocess" in values:
        places = script_places(path, text, len(values["postprocess"]))
        result["postprocess"] = [_script(*pair) for pair in zip(values["postprocess"], places, strict=True)]
    if "postprocess-script" in values:
        file = path.parent / values["postprocess-script"]
        result["postprocess-script"] = (_script(read_text(file, f"{path}: postprocess-script: "), f"{file}:1"),)
        files.append(file)
    return result


def _script(text: str, source: str) -> PostScript:
    first = text.split("\n", 1)[0]
    words = first[2:].split(None, 1) if first.startswith("#!") else []
    # Without #! the script is run by /bin/sh, as execvp(3) does it for rpm-ostree.
    return PostScript(text, " ".join(words).strip() or "/bin/sh", True, source)


def _ref(path: Path, values: Mapping[str, Any]) -> str:
    ref = _substituted(path, "ref", values)
    if not _REF.fullmatch(ref):
        raise WorkbookError(f"{path}: ref: {ref!r} is no name of a branch", hint="for example atomic/x86_64/minimal")
    return ref


def _version_prefix(path: Path, values: Mapping[str, Any]) -> str | None:
    if "automatic-version-prefix" not in values:
        return None
    prefix = _substituted(path, "automatic-version-prefix", values)
    if not re.fullmatch(r"[0-9A-Za-z._-]+", prefix):
        raise WorkbookError(
            f"{path}: automatic-version-prefix: {prefix!r} is not accepted: letters, digits, dot, dash and "
            "underscore only; a date would give every build another version"
        )
    return prefix


def _substituted(path: Path, key: str, values: Mapping[str, Any]) -> str:
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


def _unique(names: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
