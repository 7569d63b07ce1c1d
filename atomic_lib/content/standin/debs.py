"""Fetches Debian packages: apt resolves, downloads and verifies them, with a configuration of its own.

apt's state is in one directory of the cache: the index of the suite, which is fetched once for each edition of the
content, and all packages that were downloaded.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import step
from atomic_lib.base.store import file_sha256, set_aside
from atomic_lib.content.definition import DebianContent
from atomic_lib.content.standin.fedora_names import StandinNames
from atomic_lib.content.standin.package_index import PackageIndex, file_name, read_index
from atomic_lib.tools.mirror import debian_mirror
from atomic_lib.tools.sandbox import Bind, Tools
from atomic_lib.tools.tools_tree import KEYRING

_APT = "/mnt/apt"
_CONFIGURATION = f"""\
Dir "{_APT}";
Dir::State "{_APT}";
Dir::State::status "{_APT}/status";
Dir::Cache "{_APT}";
Dir::Etc "{_APT}/etc";
Dir::Log "{_APT}";
APT::Architecture "amd64";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
"""
EDITION_FILE = "edition"
"""The file that says of which suite and edition the index is."""
_HINT = "check the network and the Debian mirror; choose another mirror with --mirror URL"


@dataclass(frozen=True)
class Apt:
    """apt in the tools tree, for the suite of a content definition; ``directory`` has its state."""

    tools: Tools
    definition: DebianContent
    directory: Path

    @property
    def archives(self) -> Path:
        """The directory of the downloaded packages."""
        return self.directory / "archives"

    def read_index(self) -> PackageIndex:
        """The index of the suite; ``update_index`` comes first."""
        return read_index(self.directory / "lists")

    def run(self, words: Sequence[str], *options: str) -> str:
        """The standard output of apt-get.

        Raises WorkbookError if the mirror cannot be reached or its signature is bad.
        """
        for name in ("lists/partial", "archives/partial", "etc/apt.conf.d", "etc/preferences.d", "etc/sources.list.d"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        sources = f"deb [signed-by={KEYRING}] {debian_mirror()} {self.definition.suite} main\n"
        for name, text in (("etc/sources.list", sources), ("status", ""), ("apt.conf", _CONFIGURATION)):
            path = self.directory / name
            if not path.exists() or path.read_bytes() != text.encode():  # if one is newer, apt reads all its lists anew
                path.write_text(text)
        binds, env = [Bind(self.directory, _APT, writable=True)], {"APT_CONFIG": f"{_APT}/apt.conf"}
        try:
            line = ["apt-get", "-y", *options, *words]
            return self.tools.run(line, binds=binds, env=env, network=True, hint=_HINT).stdout
        except CommandError as error:
            raise self._error(error) from None

    def _error(self, error: CommandError) -> WorkbookError:
        output = error.stdout + error.stderr
        if "unmet dependencies" in output or "Unable to correct problems" in output:
            return Unsatisfiable(
                f"Debian {self.definition.suite} cannot have these packages together", log=error.log,
                hint="read apt's reason above, and leave out one of the packages that conflict",
            )  # fmt: skip
        if re.search(r"NO_PUBKEY|BADSIG|not signed|signature verification|OpenPGP", error.stderr):
            return WorkbookError(
                f"the Debian mirror's archive signature is bad: {debian_mirror()}",
                log=error.log,
                hint="do not use this mirror; choose another one with --mirror URL",
            )
        if re.search(r"404 +Not Found", error.stderr):
            return WorkbookError(
                f"the Debian mirror no longer has a package of edition {self.definition.edition}: {debian_mirror()}",
                log=error.log,
                hint=f"raise edition in params/content/{self.definition.content}.yaml to take the newest packages",
            )
        return WorkbookError(f"the Debian mirror could not be reached: {debian_mirror()}", log=error.log, hint=_HINT)


class Unsatisfiable(WorkbookError):
    """apt found no set of packages that meets all dependencies."""


def update_index(apt: Apt) -> str:
    """The identity of the suite's index, which is fetched if there is none of this edition, or it is damaged.

    apt checks the archive's signature of the index. Raises WorkbookError as ``Apt.run`` does.
    """
    kept = kept_index(apt)
    if kept is None:
        with step("stand-in content: fetch the package lists"):
            apt.run(["update"], "--error-on=any")
        (apt.directory / EDITION_FILE).write_text(_edition(apt))
        kept = _identity(apt)
    return kept


def kept_index(apt: Apt) -> str | None:
    """The identity of the suite's index; None if there is none of this edition, or it is damaged."""
    lists, edition = apt.directory / "lists", apt.directory / EDITION_FILE
    set_aside_damaged_indexes(lists)
    present = any(lists.glob("*_Packages")) and any(lists.glob("*_InRelease"))
    return _identity(apt) if present and edition.is_file() and edition.read_text() == _edition(apt) else None


def _edition(apt: Apt) -> str:
    # apt names its lists by the mirror's address, and finds only those of the present one
    return f"{apt.definition.suite} {apt.definition.edition} {debian_mirror()}\n"


def _identity(apt: Apt) -> str:
    return " ".join(sorted(file_sha256(path) for path in (apt.directory / "lists").glob("*_InRelease")))


def fetch_debs(
    apt: Apt, names: StandinNames, wanted: Iterable[str], *, excludes: Collection[str], recommended: bool
) -> list[Path]:
    """Fetch the essential packages, those ``wanted`` and their dependencies; returns exactly those .deb files, sorted.

    Dependencies are Debian's and the companions in ``names``. ``wanted``: names of packages, also such as packages only
    provide. ``recommended``: also fetch what they recommend.
    apt avoids packages that match ``excludes`` where it can. It checks the sha256 of what it downloads. Packages that
    are there are not fetched again, and apt compares their size only. So every file is compared with the index here;
    one that differs is set aside and fetched again.

    Raises WorkbookError as ``Apt.run`` does, and if the packages cannot be installed together.
    """
    # apt does not add the essential packages by itself, even if none is installed.
    index, words = names.index, {*names.index.essential, *wanted}
    options = ["-o", f"APT::Install-Recommends={str(recommended).lower()}"]
    preferences = apt.directory / "etc/preferences"
    with step("stand-in content: fetch Debian packages"):
        try:
            preferences.parent.mkdir(parents=True, exist_ok=True)
            preferences.write_text(_avoided(excludes))
            debs = _planned(apt, options, words, names)
        except Unsatisfiable:  # what is excluded is required: dnf tells by what
            preferences.write_text("")
            debs = _planned(apt, options, words, names)
        for deb in damaged_debs(debs, index):
            set_aside(deb, "a downloaded Debian package is damaged, so it is fetched again")
        if not all(deb.is_file() for deb in debs):
            apt.run([*options, "--download-only", "satisfy", *sorted(words)])
    wrong = [deb.name for deb in debs if not deb.is_file()] + [deb.name for deb in damaged_debs(debs, index)]
    if wrong:
        raise WorkbookError(
            f"Debian packages that are not as apt's index says: {', '.join(wrong)}",
            hint=f"remove {apt.directory}, then run again",
        )
    return debs


def _planned(apt: Apt, options: Sequence[str], words: set[str], names: StandinNames) -> list[Path]:
    """The files that apt would install for ``words``, to which the companions of all these packages are added."""
    while True:
        files = list(planned_files(apt.run([*options, "--simulate", "satisfy", *sorted(words)])))
        found = {file.partition("_")[0] for file in files} | words
        companions = names.companions(found) - found
        if not companions:
            return sorted(apt.archives / file for file in files)
        words |= companions


def _avoided(excludes: Collection[str]) -> str:
    """apt's preferences (apt_preferences(5)): packages that match these patterns are never installed."""
    return f"Package: {' '.join(excludes)}\nPin: release *\nPin-Priority: -1\n" if excludes else ""


def damaged_debs(debs: Iterable[Path], index: PackageIndex) -> list[Path]:
    """The files that are there, but without the sha256 that the index has for their name."""
    return [deb for deb in debs if deb.is_file() and file_sha256(deb) != index.sha256(deb.name)]


def damaged_indexes(lists: Path) -> list[Path]:
    """The package indexes whose sha256 is not in the signed file of their archive (InRelease), which apt checks."""
    signed = [path.read_text(errors="replace") for path in lists.glob("*_InRelease")]
    indexes = sorted(lists.glob("*_Packages"))
    return [index for index in indexes if not any(file_sha256(index) in text for text in signed)]


def damaged_downloads(directory: Path) -> list[Path]:
    """All damaged package indexes and packages that apt has in ``directory``.

    Packages of older versions, which the index no longer has, are never used again and not compared.
    """
    index = read_index(directory / "lists")
    debs = [deb for deb in sorted((directory / "archives").glob("*.deb")) if index.sha256(deb.name)]
    return [*damaged_indexes(directory / "lists"), *damaged_debs(debs, index)]


def set_aside_damaged_indexes(lists: Path) -> None:
    """Set damaged package indexes aside: apt fetches only those that are missing or out of date."""
    for index in damaged_indexes(lists):
        set_aside(index, "a package index of apt is damaged, so it is fetched again")


def planned_files(plan: str) -> Iterator[str]:
    """The names of the files that apt would install, from the output of ``apt-get --simulate``."""
    for name, version, architecture in re.findall(r"^Inst (\S+) \((\S+) .*?\[(\w+)\]\)", plan, re.M):
        yield file_name(name, version, architecture)


def unpack_debs(tools: Tools, debs: Mapping[str, Path], directory: Path) -> None:
    """Unpack each package, control files included, into ``directory/NAME``; ``debs``: the files by name."""
    archives = {path.parent for path in debs.values()}
    for archive in sorted(archives):
        pairs = "".join(
            f"/mnt/debs/{deb.name}\0/mnt/out/{name}\0" for name, deb in debs.items() if deb.parent == archive
        )
        tools.run(
            ["xargs", "-0", "-n", "2", "-P", "2", "dpkg-deb", "--raw-extract"],
            binds=[Bind(archive, "/mnt/debs"), Bind(directory, "/mnt/out", writable=True)],
            rights="root",
            input=pairs,
        )
