"""The licences of packages, as the headers of their RPM files state them."""

import secrets
from pathlib import Path

from atomic_lib.tools.sandbox import Bind, Tools

_QUERY = r"\t%{NAME}-%{EPOCHNUM}:%{VERSION}-%{RELEASE}.%{ARCH}\t%{LICENSE}\n"


def read_licenses(tools: Tools, rpms: Path) -> dict[str, str]:
    """The licence of each RPM file in a directory, by NEVRA; empty if there are no files.

    What a header says is not checked: in Fedora it is an SPDX expression, elsewhere any text.
    """
    files = sorted(rpms.glob("*.rpm"))
    if not files:
        return {}
    mark = secrets.token_hex(16)  # a licence may have lines that look like those of another package
    words = ["rpm", "-qp", "--nosignature", "--nodigest", "--qf", mark + _QUERY]
    listing = tools.run([*words, *(f"/mnt/rpms/{file.name}" for file in files)], binds=[Bind(rpms, "/mnt/rpms")])
    return parse_licenses(listing.stdout, mark)


def parse_licenses(listing: str, mark: str) -> dict[str, str]:
    """The licences in rpm's answer, in which ``mark`` begins each package."""
    found = {}
    for record in listing.split(f"{mark}\t")[1:]:
        nevra, _, text = record.partition("\t")
        found[nevra] = " ".join(text.split())
    return found
