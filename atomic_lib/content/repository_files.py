"""Reads yum repository files that come with a recipe.

Source of the format: dnf.conf(5). Such a file is foreign data: dnf gets only what is checked here, written anew.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from atomic_lib.base.errors import WorkbookError

_SECTION = re.compile(r"\[([^\]]*)\]")
_ID = re.compile(r"[A-Za-z0-9_.:-]+")
"""dnf's rule for the id of a repository."""
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
_OF_DNF = ("releasever", "basearch", "arch")
_SWITCHES = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}
_ADDRESSES = ("baseurl", "mirrorlist", "metalink")
_PASSED_ON = ("name", *_ADDRESSES, "cost", "excludepkgs", "includepkgs", "module_hotfixes", "priority", "repo_gpgcheck")
_OTHER_NAMES = {"exclude": "excludepkgs", "include": "includepkgs"}
_WITH_FILES_OR_SECRETS = ("password", "proxy", "proxy_auth_method", "proxy_password", "proxy_sslcacert",
                          "proxy_sslclientcert", "proxy_sslclientkey", "proxy_username", "sslcacert",
                          "sslclientcert", "sslclientkey", "username")  # fmt: skip


@dataclass(frozen=True)
class Repository:
    """A section of a repository file: the repository's id, its options, and ``FILE:LINE`` of the section."""

    id: str
    options: Mapping[str, str] = field(hash=False)
    source: str = field(compare=False, repr=False)

    @property
    def enabled(self) -> bool:
        """Whether it is used if no repository is named."""
        return self.is_on("enabled")

    def is_on(self, option: str) -> bool:
        """Whether a switch is on; one that is not given, or is no switch, is on."""
        return _SWITCHES.get(self.options.get(option, "1").lower(), True)

    def words(self, option: str) -> list[str]:
        """The parts of an option that takes several, which white space or commas separate."""
        return self.options.get(option, "").replace(",", " ").split()


def read_repositories(text: str, path: Path, variables: Mapping[str, str]) -> tuple[Repository, ...]:
    """The repositories in the ``text`` of a file, with the values of ``variables`` in place of ``$NAME``.

    Raises WorkbookError with a line for each line that has no place in a repository file.
    """
    found: list[tuple[str, str, dict[str, str]]] = []
    wrong: list[str] = []
    key = ""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        section = _SECTION.fullmatch(line.strip())
        option, equals, value = line.partition("=")
        if not line.strip() or line[0] in "#;":
            continue
        if line[0].isspace() and key:
            found[-1][2][key] += f" {line.strip()}"
        elif section:
            found.append((section[1], f"{path}:{number}", {}))
            key = ""
        elif equals and found:
            key = option.strip().lower()
            key = _OTHER_NAMES.get(key, key)
            found[-1][2][key] = value.strip()
        else:
            wrong.append(f"{path}:{number}: {line.strip()!r:.100} is neither a [section] nor NAME=VALUE in one")
    if wrong:
        raise WorkbookError("\n".join(wrong), hint="correct the repository file")
    return tuple(
        Repository(name, {key: _substituted(value, variables) for key, value in options.items()}, source)
        for name, source, options in found
    )


def _substituted(value: str, variables: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], match[0]), value)


def require_usable(repositories: Sequence[Repository], reserved: Iterable[str] = ()) -> None:
    """Raise WorkbookError with a line for each reason why packages may not come from one of these repositories.

    That is: an id that dnf does not accept or that is ``reserved``, no address, an address or key that is not fetched
    by http or https (a key: https or a file), a variable without a value, options that name files of the host or
    passwords, and no key at all.
    """
    wrong: list[str] = []
    for one in repositories:
        wrong += [f"{one.source}: [{one.id}]: {problem}" for problem in _problems(one, frozenset(reserved))]
    if not any(one.words("gpgkey") for one in repositories):
        wrong += [f"{one.source}: [{one.id}]: no gpgkey: signatures of packages are always checked"
                  for one in repositories]  # fmt: skip
    if wrong:
        raise WorkbookError(
            "\n".join(wrong),
            hint="a repository needs an address (baseurl, mirrorlist or metalink: http or https) and "
            "gpgkey=https://… or gpgkey=file:///usr/share/distribution-gpg-keys/…; or use stand-in content "
            "(content: standin), which needs no repositories",
        )


def _problems(repository: Repository, reserved: frozenset[str]) -> Iterable[str]:
    options = repository.options
    if not _ID.fullmatch(repository.id) or repository.id in ("main", *reserved):
        yield "the id is not accepted: letters, digits and . _ : - only, and none of a repository of the workbook"
    if not any(repository.words(name) for name in _ADDRESSES):
        yield "has no address"
    for name in (*_ADDRESSES, "gpgkey"):
        schemes = ("https", "file") if name == "gpgkey" else ("http", "https")
        for word in repository.words(name):
            if not _is_url(word, schemes):
                yield f"{name}={word:.200}: only {' and '.join(schemes)} are accepted"
            for variable in _VARIABLE.finditer(word):
                if (variable[1] or variable[2]) not in _OF_DNF:
                    yield f"{name}: {variable[0]} has no value; give it one in the treefile's repovars"
    for name, value in options.items():
        if name in _WITH_FILES_OR_SECRETS:
            yield f"{name} is not accepted: dnf sees no files and no passwords of the host"
        if name in ("enabled", "gpgcheck", "repo_gpgcheck", "module_hotfixes") and value.lower() not in _SWITCHES:
            yield f"{name}={value!r:.50}: accepted: {', '.join(_SWITCHES)}"
        if name in ("cost", "priority") and not value.isdecimal():
            yield f"{name}={value!r:.50} is not a number"
        if not value.isprintable():
            yield f"{name}={value!r:.100} has a control character"


def _is_url(word: str, schemes: Sequence[str]) -> bool:
    try:
        parts = urlsplit(word)
    except ValueError:
        return False
    fitting = parts.scheme in schemes and "@" not in parts.netloc
    return fitting and (bool(parts.netloc) if parts.scheme != "file" else parts.path.startswith("/"))


def repository_notes(repositories: Iterable[Repository]) -> list[str]:
    """A sentence for each option that is not followed, because it would lower what is checked."""
    notes = []
    for one in repositories:
        if not one.is_on("gpgcheck"):
            notes.append(f"{one.source}: [{one.id}]: gpgcheck=0 has no effect: signatures are always checked")
        if not one.is_on("sslverify"):
            notes.append(f"{one.source}: [{one.id}]: sslverify=0 has no effect: certificates are always checked")
        if one.is_on("skip_if_unavailable") and "skip_if_unavailable" in one.options:
            notes.append(f"{one.source}: [{one.id}]: skip_if_unavailable has no effect: each repository must be there")
    return notes


def repositories_text(repositories: Sequence[Repository]) -> str:
    """The text of a repository file for dnf; a repository without a key accepts those of the others."""
    keys = list(dict.fromkeys(key for one in repositories for key in one.words("gpgkey")))
    sections = []
    for one in repositories:
        options = {"name": one.id, **{name: one.options[name] for name in _PASSED_ON if one.options.get(name)}}
        lines = [f"{name}={value}" for name, value in options.items()]
        lines += ["enabled=1", "gpgcheck=1", f"gpgkey={' '.join(one.words('gpgkey') or keys)}"]
        sections.append("\n".join([f"[{one.id}]", *lines]))
    return "\n\n".join(sections) + "\n\n"
