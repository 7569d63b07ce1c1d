"""Reads treefiles: rpm-ostree's description of a tree, in YAML or JSON.

Keys and rules are those of rpm-ostree's treefile reference (docs/treefile.md). A key is
honoured, becomes a note that it has no effect here, or is refused; none is silently ignored.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from atomic_lib.recipe.recipe import AccountRules, AddedFile, Recipe
from atomic_lib.recipe.treefile_keys import OF_A_BOOT, Values, notes
from atomic_lib.recipe.treefile_rules.account_files import account_rules
from atomic_lib.recipe.treefile_rules.finalize_programs import finalization
from atomic_lib.recipe.treefile_rules.findings import Findings
from atomic_lib.recipe.treefile_rules.inclusion import TreefileReader, excluded_as
from atomic_lib.recipe.treefile_rules.merging import merge
from atomic_lib.recipe.treefile_rules.overlay_directories import overlay_files
from atomic_lib.recipe.treefile_rules.repositories_beside import repositories_beside
from atomic_lib.recipe.treefile_rules.variables import as_text, substituted
from atomic_lib.recipe.treefile_rules.version_prefix import first_version

_OPT_AND_USRLOCAL: Mapping[object, Literal["var", "root", "state-overlay"]] = {
    None: "var", "var": "var", "root": "root", "state-overlay": "state-overlay", "stateoverlay": "state-overlay",
}  # fmt: skip
# ostree's rule for the names of refs (ostree_validate_rev).
_REF = re.compile(r"[\w\d][-._\w\d]*(/[\w\d][-._\w\d]*)*", re.ASCII)


def read_treefile(path: Path, parts: Sequence[Path] = (), roots: Sequence[Path] = ()) -> Recipe:
    """The recipe in a treefile and its includes, extended by ``parts``.

    A part is a treefile that adds to lists and overrides single values, as if it included the recipe.
    If the recipe includes the treefile ``base`` from its own directory, the packages of ``base`` are
    the layer that variants share.

    ``include``, ``arch-include`` and ``conditional-include`` follow rpm-ostree. Paths are relative to the including
    file. Single values of the including file override those of included files, and the first of several included
    files wins. Lists are joined: those of included files come first, in reverse order of the files. Including a
    file twice is an error. Included files and scripts must be below one of ``roots`` (without any: below
    the directory of ``path``).

    Raises WorkbookError with a line for each problem of all files, naming file, line and key: an unknown or
    unsupported key, a wrong type, a file that is missing or elsewhere, an include cycle, or a package that is both
    listed and excluded.
    """
    findings = Findings()
    reader = TreefileReader(roots or (path.parent,), findings)
    values = reader.merged(path)
    for part in parts:
        earlier, findings.origins = findings.origins, {}
        values = merge(reader.merged(part, (), "parts: "), values)
        findings.origins = {**earlier, **findings.origins}
    recipe = _recipe(path, values, reader)
    findings.raise_problems()
    return recipe


def _recipe(path: Path, values: Values, reader: TreefileReader) -> Recipe:
    """The recipe with these values; problems are added to the reader's findings."""
    findings = reader.findings
    _require_composable(path, values, findings)
    languages = values.get("install-langs") or None  # as in rpm-ostree, an empty list sets no limit
    units = _unique(values.get("units", ()))
    scripts = [values["postprocess-script"]] if "postprocess-script" in values else []
    with_lock = values.get("lockfile-repos", ())
    repositories = repositories_beside(path, values, reader.roots, findings)
    return Recipe(
        files=tuple(dict.fromkeys(findings.files)),
        packages=_unique([*values.get("packages", ()), *_of_repos(values)]),
        layer=_layer(path, reader),
        excludes=_unique(values.get("exclude-packages", ())),
        repos=_unique(values.get("repos", ()) or (one.name for one in repositories if one.name not in with_lock)),
        repositories=tuple(repositories),
        lockfile_repos=_unique(with_lock),
        documentation=values.get("documentation", True),
        weak_dependencies=values.get("recommends", True),
        languages=None if languages is None else _unique(languages),
        selinux="enforcing" if values.get("selinux", True) else "disabled",
        enabled_units=units,
        wanted_units=units,
        default_target=values.get("default-target", Recipe.default_target),
        post_scripts=tuple([*values.get("postprocess", ()), *scripts]),
        initramfs_arguments=tuple(values.get("initramfs-args", ())),
        initramfs=not values.get("no-initramfs", False),
        ref=_ref(path, values, findings),
        releasever=as_text(values["releasever"]) if "releasever" in values else None,
        version_prefix=_version_prefix(path, values, findings),
        version_suffix=values.get("automatic-version-suffix", Recipe.version_suffix),
        removed_paths=_unique(values.get("remove-files", ())),
        added_files=tuple(values.get("add-files", ())),
        overlays=_overlays(path, "ostree-layers", values, reader),
        override_overlays=_overlays(path, "ostree-override-layers", values, reader),
        finalization=finalization(path.parent, reader.roots, findings),
        removed_from_packages=tuple(tuple(item) for item in values.get("remove-from-packages", ())),
        repo_packages=tuple((repo, tuple(names)) for repo, names in values.get("repo-packages", ())),
        os_release_version=_text(path, "mutate-os-release", values, findings),
        commit_metadata=_commit_metadata(path, values, findings),
        account_rules=_accounts(path, values, findings),
        run_sysusers=values.get("sysusers") == "compose-forced",
        machine_id=_machine_id(values),
        tmp_is_link=values.get("tmp-is-dir") is False and not values.get("container"),
        opt_and_usrlocal=_OPT_AND_USRLOCAL[values.get("opt-usrlocal")],
        usr_etc_as_etc=values.get("selinux-label-version") == 1,
        readonly_executables=values.get("readonly-executables", False),
        container=values.get("container", False),
        container_command=tuple(values.get("container-cmd", ())),
        notes=tuple([*notes(values), *findings.notes]),
    )


def _machine_id(values: Values) -> Literal["uninitialized", "empty", "absent"]:
    if values.get("machineid-compat") is None and not values.get("container"):
        return "uninitialized"
    return "empty" if values.get("machineid-compat") else "absent"


def _require_composable(path: Path, values: Values, findings: Findings) -> None:
    """Require a package, no package that is excluded too, and no units that a first boot would undo or not see."""
    if not values.get("packages") and not _of_repos(values) and not findings.problems:
        findings.refuse(f"{path}: packages: is required", "set packages here or in an included treefile")
    excluded = set(values.get("exclude-packages", ()))
    for name in (*values.get("packages", ()), *_of_repos(values)):
        if name in excluded:
            where = findings.place(excluded_as(name), path)
            findings.refuse(f"{where}: {name} is in packages and in exclude-packages", "remove one of the two")
    of_a_boot = [key for key in OF_A_BOOT if key in values and values.get("container")]
    for key in of_a_boot:
        where = findings.place(key, path)
        findings.refuse(f"{where}: {key}: nothing boots a container's image", "remove it, or container: true")
    if values.get("machineid-compat") is False and values.get("units"):
        place = findings.place("units", path)
        findings.refuse(
            f"{place}: units: the first boot applies presets, because of machineid-compat: false",
            "use a preset in /usr/lib/systemd/system-preset instead of units, or remove machineid-compat",
        )


def _of_repos(values: Values) -> list[str]:
    return [name for _, names in values.get("repo-packages", ()) for name in names]


def _layer(path: Path, reader: TreefileReader) -> tuple[str, ...]:
    """The packages of the treefile ``base`` in the directory of ``path``, if it is one of the files read."""
    files = reader.findings.files
    base = next((file for file in files if file.stem == "base" and file.parent.samefile(path.parent)), None)
    if base is None:
        return ()
    again = TreefileReader(reader.roots, Findings(variables=dict(reader.findings.variables)))
    return _unique(again.merged(base).get("packages", ()))


def _ref(path: Path, values: Values, findings: Findings) -> str | None:
    ref = _text(path, "ref", values, findings)
    if "ref" not in values and not values.get("container"):  # rpm-ostree commits without a ref then, too
        findings.notes.append(f"{path}: ref is not set: the ref of the commit has the name of the variant")
    if ref is not None and not _REF.fullmatch(ref):
        findings.refuse(
            f"{findings.place('ref', path)}: ref: {ref!r} is not a valid ref", "for example atomic/x86_64/minimal"
        )
    return ref


def _version_prefix(path: Path, values: Values, findings: Findings) -> str | None:
    prefix = _text(path, "automatic-version-prefix", values, findings)
    if prefix is not None:
        suffix = values.get("automatic-version-suffix", Recipe.version_suffix)
        where = findings.place("automatic-version-prefix", path)
        findings.attempt(f"{where}: automatic-version-prefix: ", lambda: first_version(prefix, suffix, 0))
    return prefix


def _text(path: Path, key: str, values: Values, findings: Findings) -> str | None:
    """A text with its variables replaced; None if it is not set, or a variable has no value."""
    where = findings.place(key, path)
    return _with_variables(f"{where}: {key}: ", values[key], findings) if key in values else None


def _with_variables(prefix: str, text: str, findings: Findings) -> str | None:
    return findings.attempt(prefix, lambda: substituted(text, findings.variables))


def _overlays(path: Path, key: str, values: Values, reader: TreefileReader) -> tuple[AddedFile, ...]:
    added: list[AddedFile] = []
    prefix = f"{reader.findings.place(key, path)}: {key}: "
    for name in _unique(values.get(key, ())):
        added += reader.findings.attempt(prefix, partial(overlay_files, name, path.parent, reader.roots)) or ()
    return tuple(added)


def _accounts(path: Path, values: Values, findings: Findings) -> AccountRules | None:
    if values.get("container"):  # as in rpm-ostree
        return None
    where = findings.origins.get("check-passwd") or findings.place("check-groups", path)
    return findings.attempt(f"{where}: ", lambda: account_rules(values))


def _commit_metadata(path: Path, values: Values, findings: Findings) -> tuple[tuple[str, str], ...]:
    metadata: Mapping[str, Any] = values.get("add-commit-metadata", {})
    result = []
    place = findings.place("add-commit-metadata", path)
    for key, value in sorted(metadata.items()):
        prefix = f"{place}: add-commit-metadata: {key}: "
        text = _with_variables(prefix, value, findings) if isinstance(value, str) else value
        result.append((key, variant_text(text)))
    return tuple(result)


def variant_text(value: object) -> str:
    """A value of JSON in the text form of GVariant, with the types that rpm-ostree gives it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"int64 {value}"
    if isinstance(value, float):
        return f"double {value!r}"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(key)}: <{variant_text(item)}>" for key, item in value.items())
        return f"{{{inner}}}" if inner else "@a{sv} {}"
    if isinstance(value, list):
        inner = ", ".join(f"<{variant_text(item)}>" for item in value)
        return f"[{inner}]" if inner else "@av []"
    return json.dumps(value, ensure_ascii=False)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
