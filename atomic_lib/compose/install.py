"""Installs packages: in one dnf transaction, or in two, the first of which is a layer that trees share.

A layer consists of the packages in a recipe's ``layer`` and their requirements: the part
that several variants have in common. It is a stored result, and a tree starts as a copy of
it. A recipe with a layer always has two transactions, so the tree does not depend on whether
the layer was in the store.
"""

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base import command
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import step
from atomic_lib.base.stage import Stage
from atomic_lib.compose.chroot import Installroot, copy_root, make_root
from atomic_lib.compose.packaged_attributes import ChangedFile, require_attributes
from atomic_lib.compose.settings.accounts import ACCOUNT_FILES, put_accounts, with_accounts
from atomic_lib.content.dnf import DNF_DIRECTORY, dnf_configuration
from atomic_lib.content.repositories import Content
from atomic_lib.content.standin.base_accounts import base_accounts
from atomic_lib.formats.rpm_headers import Header, closure
from atomic_lib.recipe.recipe import AccountRules, Recipe
from atomic_lib.solve.dnf_run import INSTALLROOT
from atomic_lib.solve.lock import Lock, LockedPackage
from atomic_lib.solve.rpm_set import RpmSet
from atomic_lib.solve.solver import SIGNATURES
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

_QUERY = r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n"
# dnf has just checked all signatures and digests; rpm would read all packages twice more to check them again.
# /proc, which a package owns, is the kernel's here: rpm could not give it to the root of the namespace.
_MACROS = "%_pkgverify_level none\n%_netsharedpath {}\n"
_PLUGIN = Path(__file__).parent / "dnf_plugin"
_SCRIPTLETS = "scriptlets.jsonl"
_LOG_BYTES = 16 << 20
# only to choose the lines of the log that an error shows
_SCRIPTLET_LINE = re.compile("scriptlet failed|script failed|Error in .* scriptlet")


@dataclass(frozen=True)
class Installation:
    """What to install, and from where; ``headers`` are those of ``rpm_set``, by package name."""

    recipe: Recipe
    content: Content
    rpm_set: RpmSet
    headers: Mapping[str, Header]

    @property
    def has_accounts(self) -> bool:
        """Whether the recipe has account files of its own; those of packages are not installed then."""
        accounts = self.recipe.account_rules
        return accounts is not None and (accounts.passwd is not None or accounts.group is not None)

    def layer_packages(self) -> list[LockedPackage]:
        """The packages of the lock that are in the layer.

        Empty if weak dependencies are installed: dnf follows them only within a transaction,
        so two transactions would not install the same packages as one. Empty too if the recipe has account files
        of its own, which must be there before the first package.
        """
        if self.recipe.weak_dependencies or self.has_accounts:
            return []
        names = closure(self.headers, self.recipe.layer)
        return [package for package in self.rpm_set.lock.packages if package.name in names]

    def layer_words(self, packages: Sequence[LockedPackage]) -> tuple[str, ...]:
        """The arguments of dnf that install the layer's packages: the names in the recipe that are among them."""
        provided = {name for package in packages for name in self.headers[package.name].capabilities}
        return ("install", *sorted(provided & set(self.recipe.layer)))


def install(
    tree: Installroot, installation: Installation, context: Context, *, name: str, log: Path
) -> list[ChangedFile]:
    """Install the locked packages into ``tree``, whose directory must not exist yet.

    Returns the files whose owner, mode or capabilities a scriptlet changed.

    Raises WorkbookError if dnf or a scriptlet fails, the result does not match the lock, or a file does not have
    the owner that its package names.
    """
    make_root(tree.root)
    if installation.recipe.account_rules is not None:
        put_accounts(tree, _account_rules(installation, tree.tools))
    layer = installation.layer_packages()
    count = len(installation.rpm_set.lock.packages) - len(layer)
    if layer:
        path = _layer(tree, installation, layer, context, name)
        with step(f"{name}: copy the layer of {len(layer)} packages"):
            copy_root(tree.tools, path, tree.root)
    with step(f"{name}: install {count} packages"):
        _transaction(tree, installation, installation.rpm_set.lock.packages, installation.rpm_set.words, log)
        if layer and tree.files.status("usr/bin/systemctl"):
            # as in a single transaction, apply presets to the units of all packages
            tree.chroot(["systemctl", "preset-all"], log=log)
        _require_locked(tree, installation.rpm_set.lock)
    with step(f"{name}: compare owners and modes with the packages"):
        return require_attributes(tree)


def _account_rules(installation: Installation, tools: Tools) -> AccountRules:
    """The recipe's rules. Files of stand-in packages also belong to accounts that all Debian systems have."""
    rules = installation.recipe.account_rules or AccountRules()
    if not installation.content.stands_in:
        return rules
    return with_accounts(rules, *base_accounts(tools))


@dataclass(frozen=True)
class LayerRequest:
    """A layer to install: ``packages`` of the set, by dnf with the arguments ``words``; ``name`` is the variant's."""

    name: str
    installation: Installation
    packages: tuple[LockedPackage, ...]
    words: tuple[str, ...]
    source_date_epoch: int


def _layer(
    tree: Installroot, installation: Installation, packages: Sequence[LockedPackage], context: Context, name: str
) -> Path:
    """The root directory of the layer in the store; installed first if it is not there."""
    words = installation.layer_words(packages)
    request = LayerRequest(name, installation, tuple(packages), words, tree.source_date_epoch)
    return LAYER.get(request, context).path / "root"


def _layer_inputs(request: LayerRequest, _: Context) -> dict[str, object]:
    recipe, content = request.installation.recipe, request.installation.content
    return {
        "packages": {package.nevra: package.sha256 for package in request.packages},
        "words": request.words,
        "documentation": recipe.documentation,
        "languages": recipe.languages,
        "content": content.name,
        "releasever": content.releasever,
        "keys": content.key_urls,
        "source_date_epoch": request.source_date_epoch,
    }


def _make_layer(request: LayerRequest, context: Context, directory: Path) -> None:
    root = Installroot(context.tools, directory / "root", request.source_date_epoch)
    make_root(root.root)
    packages, log = request.packages, directory / "install.log"
    _transaction(root, request.installation, packages, request.words, log, only=packages)


LAYER = Stage(
    "layer",
    _make_layer,
    _layer_inputs,
    title=lambda request: f"{request.name}: install the layer of {len(request.packages)} packages",
    space_bytes=2_000_000_000,
)


def _transaction(
    tree: Installroot,
    installation: Installation,
    packages: Sequence[LockedPackage],
    words: Sequence[str],
    log: Path,
    only: Sequence[LockedPackage] = (),
) -> None:
    """Run dnf with the repository of the set; if ``only`` is not empty, dnf sees only these packages of it."""
    recipe, content, rpm_set = installation.recipe, installation.content, installation.rpm_set
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch)
        configuration = dnf_configuration(
            weak_dependencies=recipe.weak_dependencies, documentation=recipe.documentation
        )
        # In the file: dnf keeps its arguments in the tree's history.
        plugins = configuration.replace("plugins=0\n", f"plugins=1\npluginpath=/mnt/plugin,{SIGNATURES.target}\n")
        (config / "dnf.conf").write_text(plugins)
        report = config / "report"
        report.mkdir()
        (config / "locked.repo").write_text(repository(installation, packages, only))
        languages = f"%_install_langs {':'.join(recipe.languages)}\n" if recipe.languages is not None else ""
        (config / ".rpmmacros").write_text(macros(installation) + languages)
        own = [
            Bind(config, DNF_DIRECTORY),
            Bind(_PLUGIN, "/mnt/plugin"),
            SIGNATURES,
            Bind(report, "/mnt/report", writable=True),
            Bind(rpm_set.directory, "/mnt/rpms"),
            Bind(rpm_set.keys, "/mnt/keys"),
        ]
        line = ["dnf", "-y", "-c", f"{DNF_DIRECTORY}/dnf.conf", f"--installroot={INSTALLROOT}",
                f"--releasever={content.releasever}", *words]  # fmt: skip
        try:
            tree.run(line, binds=[*content.binds, *own], env={"HOME": DNF_DIRECTORY}, log=log)
        except command.CommandError as error:
            if not error.hint and (report / _SCRIPTLETS).exists():  # a limit that was reached has one, and is the cause
                _require_scriptlets(report / _SCRIPTLETS, log)
            raise _install_error(recipe, error) from None
        _require_scriptlets(report / _SCRIPTLETS, log)


def macros(installation: Installation) -> str:
    """rpm's macros: which paths of packages it leaves as they are."""
    accounts = [f"/{path}" for path in ACCOUNT_FILES] if installation.has_accounts else []
    return _MACROS.format(":".join(["/proc", *accounts]))


def repository(installation: Installation, packages: Sequence[LockedPackage], only: Sequence[LockedPackage]) -> str:
    """The repository file; it names only the keys that signed ``packages``, because dnf imports all keys in it."""
    content = installation.content
    ids = sorted({installation.headers[package.name].key_id for package in packages})
    files = [f"file:///mnt/keys/{name}.asc" for name in ids if (installation.rpm_set.keys / f"{name}.asc").is_file()]
    lines = [
        f"[{content.name}]",
        f"name={content.title}",
        "baseurl=file:///mnt/rpms",
        "enabled=1",
        "gpgcheck=1",
        f"gpgkey={' '.join([*content.key_urls, *files])}",
        *([f"includepkgs={','.join(package.nevra for package in only)}"] if only else []),
    ]
    return "\n".join(lines) + "\n"


def _require_scriptlets(report: Path, log: Path) -> None:
    """Raise WorkbookError if rpm told ``dnf_plugin`` of a failed scriptlet or trigger, or the plugin did not run."""
    if not report.exists():
        raise WorkbookError("dnf did not load the plugin that reports scriptlets", hint=f"read {log}")
    failed = [json.loads(line) for line in report.read_text().splitlines()]
    if failed:
        with open(log, "rb") as file:  # a scriptlet may have printed gigabytes
            file.seek(max(0, log.stat().st_size - _LOG_BYTES))
            lines = file.read(_LOG_BYTES).decode(errors="replace").splitlines()
        at = next((number for number, line in enumerate(lines) if _SCRIPTLET_LINE.search(line)), len(lines) - 1)
        names = ", ".join(dict.fromkeys(f"{one['scriptlet'].lower()} of {one['package']}" for one in failed))
        raise WorkbookError(
            f"a package's scriptlet failed: {names}",
            log="\n".join(lines[max(0, at - 10) : at + 1]),
            hint=f"leave the package out, or correct what its scriptlet needs; the whole log is in {log}",
        )


def _install_error(recipe: Recipe, error: command.CommandError) -> WorkbookError:
    bad = re.search(r".*(?:Problem opening package|GPG check FAILED|not signed|not correct).*", error.log)
    if bad:
        return WorkbookError(
            f"{recipe.files[0]}: a package is damaged, or its signature is bad: {bad[0].strip()}",
            log=error.log,
            hint="./workbook clean builds, then run again; if the error persists, use another mirror",
        )
    return WorkbookError(
        f"{recipe.files[0]}: dnf could not install what it had resolved: {error.message}",
        log=error.log,
        hint=error.hint or "its log says why; ./workbook doctor shows whether a tool or disk space is missing",
    )


def _require_locked(tree: Installroot, lock: Lock) -> None:
    rows = tree.run(["rpm", f"--root={INSTALLROOT}", "-qa", "--qf", _QUERY]).stdout.splitlines()
    installed = {tuple(row.split("\t")) for row in rows if not row.startswith("gpg-pubkey\t")}
    locked = {(entry.name, str(entry.epoch), entry.version, entry.release, entry.arch) for entry in lock.packages}
    if installed != locked:
        missing = ", ".join(sorted(row[0] for row in locked - installed)) or "none"
        extra = ", ".join(sorted(row[0] for row in installed - locked)) or "none"
        raise WorkbookError(f"what dnf installed is not what the lock says: missing: {missing}; extra: {extra}",
                            hint="the recipe has changed since the lock was made: resolve anew")  # fmt: skip
