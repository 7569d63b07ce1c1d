"""The licences of packages, as the headers of their RPM files state them."""

from pathlib import Path

from atomic_lib.tools.sandbox import Bind, Tools

_QUERY = r"%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\t%{LICENSE}\n"


def read_licenses(tools: Tools, rpms: Path) -> dict[str, str]:
    """The licence of each RPM file in a directory, by NEVRA; empty if there are no files.

    What a header says is not checked: in Fedora it is an SPDX expression, elsewhere any text.
    """
    files = sorted(rpms.glob("*.rpm"))
    if not files:
        return {}
    words = ["rpm", "-qp", "--nosignature", "--nodigest", "--qf", _QUERY]
    listing = tools.run([*words, *(f"/mnt/rpms/{file.name}" for file in files)], binds=[Bind(rpms, "/mnt/rpms")])
    return parse_licenses(listing.stdout)


def parse_licenses(listing: str) -> dict[str, str]:
    """The licences in rpm's answer, a line for each package; a line that is not one continues the text before it."""
    found: dict[str, str] = {}
    for line in listing.split("\n"):
        nevra, tab, text = line.partition("\t")
        if tab and nevra not in found:
            found[nevra] = text
        elif found and line:
            found[list(found)[-1]] += f" {line.strip()}"
    return {nevra: text.strip() for nevra, text in found.items()}
