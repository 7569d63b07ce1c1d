"""Reads yum repository files that come with a recipe.

Source of the format: dnf.conf(5), libdnf's ``iniparser.cpp`` and ``ConfigRepo.cpp``. Such a file is foreign data: dnf
gets only what ``YumRepository`` has of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.content.yum_repository import KEY_FILES, YumRepository

_SECTION = re.compile(r"\[([^\]\x00-\x1f\x7f-\x9f]+)\]\s*([#;].*)?")
_OPTION = re.compile(r"([^\s=\[][^=]*)=(.*)")
_QUOTED = re.compile(r"([\"'])(.*)\1")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
# the name of a Fedora key on a host ends in the architecture, and is a link to that of all architectures
_KEY_OF_A_HOST = re.compile(
    r"file:///etc/pki/rpm-gpg/(?:(?P<fedora>RPM-GPG-KEY-fedora-(?:[0-9]+|\$releasever)-)(?:\$basearch|x86_64|primary)"
    r"|(?P<centos>RPM-GPG-KEY-(?:CentOS|centosofficial)[\w-]*))"
)
_SWITCHES = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}
_NOT_USED = {
    **dict.fromkeys(("sslcacert", "sslclientcert", "sslclientkey", "proxy_sslcacert", "proxy_sslclientcert",
                     "proxy_sslclientkey"), "dnf sees no files of the host"),
    **dict.fromkeys(("username", "password", "proxy_username", "proxy_password"), "dnf gets no passwords"),
    "module_hotfixes": "no module is enabled",
}  # fmt: skip


@dataclass(frozen=True)
class RepositorySection:
    """A section of a repository file: its id, its options, and ``FILE:LINE`` of the section."""

    id: str
    options: Mapping[str, str]
    source: str

    @property
    def enabled(self) -> bool:
        """Whether it is used if no repository is named."""
        return self._is_on("enabled", default=True)

    def repository(self) -> YumRepository:
        """The repository as dnf gets it.

        Raises WorkbookError for an option whose value is not of its form.
        """
        return YumRepository(
            name=self.id,
            source=self.source,
            baseurl=self._words("baseurl"),
            mirrorlist=self.options.get("mirrorlist", ""),
            metalink=self.options.get("metalink", ""),
            gpgkey=tuple(_KEY_OF_A_HOST.sub(_key_of_the_tools, key) for key in self._words("gpgkey")),
            repo_gpgcheck=self._is_on("repo_gpgcheck", default=False),
            cost=self._number("cost"),
            priority=self._number("priority"),
            includepkgs=self._words("includepkgs"),
            excludepkgs=(*self._words("exclude"), *self._words("excludepkgs")),
            proxy=self.options.get("proxy", "").replace("_none_", ""),
            sslverify=self._is_on("sslverify", default=True),
        )

    def notes(self) -> list[str]:
        """A sentence for each option that is not followed, with the file's name: pages show it, and no path."""
        notes = []
        if not self._is_on("gpgcheck", default=True):
            notes.append("gpgcheck=0 has no effect: signatures are always checked")
        if self._is_on("skip_if_unavailable", default=False):
            notes.append("skip_if_unavailable has no effect: each repository must be there")
        notes += [f"{option} has no effect: {why}" for option, why in _NOT_USED.items() if self.options.get(option)]
        return [f"{self.source.rpartition('/')[2]}: [{self.id}]: {note}" for note in notes]

    def _is_on(self, option: str, *, default: bool) -> bool:
        value = self.options.get(option, "")
        if value and value.lower() not in _SWITCHES:
            raise self._wrong(option, ", ".join(_SWITCHES))
        return _SWITCHES[value.lower()] if value else default

    def _number(self, option: str) -> int | None:
        value = self.options.get(option, "")
        if value and not re.fullmatch(r"[0-9]{1,9}", value):
            raise self._wrong(option, "a whole number")
        return int(value) if value else None

    def _words(self, option: str) -> tuple[str, ...]:
        """The parts of an option that takes several, which white space or commas separate."""
        return tuple(self.options.get(option, "").replace(",", " ").split())

    def _wrong(self, option: str, accepted: str) -> WorkbookError:
        return WorkbookError(f"{self.source}: [{self.id}]: {option}={self.options[option]!r:.50}: accepted: {accepted}")


def read_repositories(text: str, path: Path, variables: Mapping[str, str]) -> tuple[RepositorySection, ...]:
    """The repositories in the ``text`` of a file, with the values of ``variables`` in place of ``$NAME``.

    As for dnf, a section ``main`` is none: it has options of dnf itself.

    Raises WorkbookError with a line for each line that has no place in a repository file.
    """
    found: list[tuple[str, str, dict[str, str]]] = []
    wrong: list[str] = []
    key = ""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        section, option = _SECTION.fullmatch(line.strip()), _OPTION.fullmatch(line)
        if not line or line[0] in "#;":
            key = ""  # no value goes on after it
        elif section:
            found.append((section[1], f"{path}:{number}", {}))
            key = ""
        elif line[0].isspace() and key:
            found[-1][2][key] += f" {line.strip()}"
        elif option and found:
            key = option[1].strip().lower()
            found[-1][2][key] = option[2].strip()
        elif line.strip():
            wrong.append(f"{path}:{number}: {line.strip()!r:.100} is neither a [section] nor NAME=VALUE in one")
    if wrong:
        raise WorkbookError("\n".join(wrong), hint="correct the repository file")
    return tuple(
        RepositorySection(name, {key: _substituted(value, variables) for key, value in options.items()}, source)
        for name, source, options in found
        if name != "main"
    )


def _key_of_the_tools(match: re.Match[str]) -> str:
    """Where the build tools have a key that Fedora and CentOS install in /etc/pki/rpm-gpg."""
    if match["fedora"]:
        return f"file://{KEY_FILES}fedora/{match['fedora']}primary"
    return f"file://{KEY_FILES}centos/{match['centos'].replace('centosofficial', 'CentOS-Official')}"


def _substituted(value: str, variables: Mapping[str, str]) -> str:
    """The value without quotes around it, and with the values of variables."""
    quoted = _QUOTED.fullmatch(value.strip())
    bare = quoted[2] if quoted else value.strip()
    return _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], match[0]), bare)
