"""Fetches Debian packages: apt resolves, downloads and verifies them, with a configuration of its own."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from atomic_lib.base.command import CommandError
from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import step
from atomic_lib.base.store import file_sha256, set_aside
from atomic_lib.content.definition import DebianContent
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
_HINT = "check the network and the Debian mirror; choose another mirror with --mirror URL"


def fetch_debs(tools: Tools, definition: DebianContent, directory: Path) -> list[Path]:
    """Fetch the packages of ``definition`` and their dependencies; returns exactly those .deb files, sorted.

    apt checks the archive's signature, and the sha256 of what it downloads. ``directory`` holds apt's state and its
    downloads, which are not fetched again, and of which apt compares the size only. So every file is compared with
    apt's index here; one that differs is set aside and fetched again.

    Raises WorkbookError if the mirror cannot be reached, its signature is bad, or a package is unknown.
    """
    for name in ("lists/partial", "archives/partial", "etc/apt.conf.d", "etc/preferences.d", "etc/sources.list.d"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    (directory / "status").write_text("")
    (directory / "etc/sources.list").write_text(
        f"deb [signed-by={KEYRING}] {debian_mirror()} {definition.suite} main\n"
    )
    (directory / "apt.conf").write_text(_CONFIGURATION)
    binds = [Bind(directory, _APT, writable=True)]
    env = {"APT_CONFIG": f"{_APT}/apt.conf"}
    set_aside_damaged_indexes(directory / "lists")
    with step("stand-in content: read the package lists"):
        _apt(tools, definition, ["apt-get", "update", "--error-on=any"], binds, env)
    with step("stand-in content: download Debian packages"):
        # apt does not add the essential packages by itself, even if none is installed.
        words = ["install", "?essential", *definition.packages]
        plan = _apt(tools, definition, ["apt-get", "-y", "--simulate", *words], binds, env)
        debs = sorted(directory / "archives" / name for name in planned_files(plan))
        digests = deb_digests(directory / "lists")
        for deb in damaged_debs(debs, digests):
            set_aside(deb, "a downloaded Debian package is damaged, so it is fetched again")
        _apt(tools, definition, ["apt-get", "-y", "--download-only", *words], binds, env)
    wrong = [deb.name for deb in debs if not deb.is_file()] + [deb.name for deb in damaged_debs(debs, digests)]
    if wrong:
        raise WorkbookError(
            f"Debian packages that are not as apt's index says: {', '.join(wrong)}",
            hint=f"remove {directory}, then run again",
        )
    return debs


def deb_digests(lists: Path) -> dict[str, str]:
    """The sha256 of each package by the name that apt gives its file, from apt's index (deb822, Debian Policy 5)."""
    digests, fields = {}, {}
    for index in sorted(lists.glob("*_Packages")):
        for line in index.read_text(encoding="utf-8", errors="replace").splitlines():
            name, colon, value = line.partition(": ")
            if colon and name in ("Package", "Version", "Architecture"):
                fields[name] = value
            elif colon and name == "SHA256":
                digests[_file_name(fields["Package"], fields["Version"], fields["Architecture"])] = value
    return digests


def damaged_debs(debs: Iterable[Path], digests: Mapping[str, str]) -> list[Path]:
    """The files that are there, but without the sha256 that the index has for their name."""
    return [deb for deb in debs if deb.is_file() and file_sha256(deb) != digests.get(deb.name)]


def damaged_indexes(lists: Path) -> list[Path]:
    """The package indexes whose sha256 is not in the signed file of their archive (InRelease), which apt checks."""
    signed = [path.read_text(errors="replace") for path in lists.glob("*_InRelease")]
    indexes = sorted(lists.glob("*_Packages"))
    return [index for index in indexes if not any(file_sha256(index) in text for text in signed)]


def damaged_downloads(directory: Path) -> list[Path]:
    """All damaged package indexes and packages that apt has in ``directory``.

    Packages of older versions, which the index no longer has, are never used again and not compared.
    """
    digests = deb_digests(directory / "lists")
    debs = [deb for deb in sorted((directory / "archives").glob("*.deb")) if deb.name in digests]
    return [*damaged_indexes(directory / "lists"), *damaged_debs(debs, digests)]


def set_aside_damaged_indexes(lists: Path) -> None:
    """Set damaged package indexes aside: apt fetches only those that are missing or out of date."""
    for index in damaged_indexes(lists):
        set_aside(index, "a package index of apt is damaged, so it is fetched again")


def planned_files(plan: str) -> Iterator[str]:
    """The names of the files that apt would install, from the output of ``apt-get --simulate``."""
    for name, version, arch in re.findall(r"^Inst (\S+) \((\S+) .*?\[(\w+)\]\)", plan, re.M):
        yield _file_name(name, version, arch)


def _file_name(package: str, version: str, arch: str) -> str:
    return f"{package}_{version.replace(':', '%3a')}_{arch}.deb"


def _apt(tools: Tools, definition: DebianContent, words: list[str], binds: list[Bind], env: Mapping[str, str]) -> str:
    try:
        return tools.run(words, binds=binds, env=env, network=True, hint=_HINT).stdout
    except CommandError as error:
        unknown = re.search(r"Unable to locate package (\S+)", error.stderr)
        if unknown:
            raise WorkbookError(
                f"params/content/{definition.content}.yaml: packages: Debian {definition.suite} has no {unknown[1]!r}",
                hint="correct the name in that file",
            ) from None
        if re.search(r"NO_PUBKEY|BADSIG|not signed|signature verification|OpenPGP", error.stderr):
            raise WorkbookError(
                f"the Debian mirror's archive signature is bad: {debian_mirror()}",
                log=error.log,
                hint="do not use this mirror; choose another one with --mirror URL",
            ) from None
        raise WorkbookError(
            f"the Debian mirror could not be reached: {debian_mirror()}", log=error.log, hint=_HINT
        ) from None


def unpack_debs(tools: Tools, debs: list[Path], directory: Path) -> list[Path]:
    """Unpack each package, control files included, into ``directory/NAME``; returns these directories."""
    names = [deb.name.partition("_")[0] for deb in debs]
    pairs = "".join(f"/mnt/debs/{deb.name}\0/mnt/out/{name}\0" for deb, name in zip(debs, names, strict=True))
    tools.run(
        ["xargs", "-0", "-n", "2", "-P", "2", "dpkg-deb", "--raw-extract"],
        binds=[Bind(debs[0].parent, "/mnt/debs"), Bind(directory, "/mnt/out", writable=True)],
        rights="root",
        input=pairs,
    )
    return [directory / name for name in names]
