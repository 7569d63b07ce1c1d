"""A yum repository that a recipe brings along, and its section in dnf's configuration.

Source of the options: dnf.conf(5).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields

from atomic_lib.base.errors import WorkbookError

_HOST, _PATH = r"[^\s\x00-\x1f\x7f\"'\\,<>@/]+", r"(/[^\s\x00-\x1f\x7f\"'\\,<>]*)?"
ADDRESS = re.compile(rf"(https?|ftp)://{_HOST}{_PATH}")
"""An address that dnf may fetch from: no file of the machine, no password, and only one address."""
KEY_FILES = "/usr/share/distribution-gpg-keys/"
"""The keys of distributions, which are among the build tools."""
_KEY = re.compile(rf"https://{_HOST}{_PATH}|file://{KEY_FILES}(?!.*\.\.)[\w$./+-]+")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
_VARIABLES = ("arch", "basearch", "releasever")
"""Those of dnf's that have a value here."""
_RESERVED = ("DEFAULT", "main", "local", "standin", "workbook", "workbook-host")
_NO_OPTIONS = ("name", "source")
_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
_PACKAGE = re.compile(r"[^\s@,\x00-\x1f\x7f-][^\s,\x00-\x1f\x7f]*")


@dataclass(frozen=True)
class YumRepository:
    """A repository with its own address: one of ``baseurl`` (mirrors), ``mirrorlist`` and ``metalink``.

    Addresses may contain dnf's variables, such as ``$releasever``. Packages are only installed if their signature is
    valid, whatever the recipe says. ``gpgkey``: the addresses of the keys; with none, the keys of the content's own
    repositories are used. The fields after it mean what dnf's options of the same name mean.
    """

    name: str
    """The id, as in ``--enablerepo``."""
    source: str
    """``FILE:LINE`` that names it, for error messages."""
    baseurl: tuple[str, ...] = ()
    mirrorlist: str = ""
    metalink: str = ""
    gpgkey: tuple[str, ...] = ()
    repo_gpgcheck: bool = False
    cost: int | None = None
    priority: int | None = None
    includepkgs: tuple[str, ...] = ()
    excludepkgs: tuple[str, ...] = ()
    proxy: str = ""
    sslverify: bool = True

    def options(self) -> dict[str, object]:
        """Its options that differ from the default, by dnf's names."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _NO_OPTIONS}
        defaults = {field.name: field.default for field in fields(self)}
        return {option: value for option, value in values.items() if value != defaults[option]}

    def problem(self) -> str:
        """What of it is not accepted, in a sentence; empty if it may be given to dnf."""
        if not _NAME.fullmatch(self.name):
            return f"{self.name!r} is not a name of letters, digits and any of - _ . :"
        if self.name in _RESERVED:
            return f"{self.name!r} is the name of something else; the names {', '.join(_RESERVED)} are not accepted"
        lists = [address for address in (self.mirrorlist, self.metalink) if address]
        addresses = [*self.baseurl, *lists]
        if not addresses:
            return "has no address: give a baseurl, mirrorlist or metalink"
        for address in (*addresses, *filter(None, (self.proxy,))):
            # a comma separates addresses of baseurl; mirrorlist and metalink have one, which may contain it
            if not ADDRESS.fullmatch(address.replace(",", "") if address in lists else address):
                return f"{address!r} is not an http, https or ftp address without password"
        for key in self.gpgkey:
            if not _KEY.fullmatch(key):
                return f"gpgkey: {key!r} is not an https address of a key, or a file in file://{KEY_FILES}"
        if not self.sslverify and any(key.startswith("https:") for key in self.gpgkey):
            return "sslverify=0 holds for its gpgkey, too, so any server could sign: name a key that is a file"
        for match in (match for address in (*addresses, *self.gpgkey) for match in _VARIABLE.finditer(address)):
            if (match[1] or match[2]) not in _VARIABLES:
                return f"{match[0]} has no value; repovars of a treefile can give it one"
        for package in (*self.includepkgs, *self.excludepkgs):
            if not _PACKAGE.fullmatch(package):
                return f"{package!r} is not the name of a package, or a pattern"
        return ""

    def section(self, content_keys: Iterable[str]) -> str:
        """Its section in dnf's configuration; ``content_keys``: the addresses of the keys to use if it names none.

        Raises WorkbookError, which begins with ``source``, if anything is not accepted.
        """
        if problem := self.problem():
            hint = "correct the repository, or leave it out"
            raise WorkbookError(f"{self.source}: repository {self.name!r}: {problem}", hint=hint)
        always = {"name": self.name, "enabled": True, "gpgcheck": True, "gpgkey": tuple(content_keys)}
        lines = [f"{option}={_written(value)}" for option, value in {**always, **self.options()}.items()]
        return "\n".join([f"[{self.name}]", *lines]) + "\n\n"


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return str(int(value) if isinstance(value, bool) else value)
