"""The software bill of materials of a build: CycloneDX 1.6 as JSON, the same bytes for the same build.

Format: https://cyclonedx.org/docs/1.6/json/
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from atomic_lib import __version__
from atomic_lib.base.files import write_text
from atomic_lib.content.local_rpms import LOCAL
from atomic_lib.measure.disk_map import BOOT_SECTORS, ESP
from atomic_lib.results.build_result import PackageSize, why_text
from atomic_lib.results.sbom.package_identity import identity_of, nevra, printable
from atomic_lib.results.sbom.sbom_parts import DISK_PARTS, Part, parts_of
from atomic_lib.results.variant_result import VariantResult
from atomic_lib.solve.lock import Lock, LockedPackage

if TYPE_CHECKING:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component
    from packageurl import PackageURL

PREFIX = "atomic-workbook:"
"""How the names of our properties begin."""
BOOT_LOADERS: Mapping[str, str] = {BOOT_SECTORS: "grub-pc-bin", ESP: "grub-efi-amd64-bin"}
"""The package of the tools tree that each part with the boot loader's code is made of."""
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "atomic-workbook/sbom")
_STANDIN = "These are Debian packages, not Fedora's: stand-in content."


def sbom_file(variant: str) -> str:
    """The name of a variant's SBOM, beside its result."""
    return f"{variant}.cdx.json"


def write_sbom(directory: Path, result: VariantResult, lock: Lock) -> None:
    """Write the SBOM of a build into the directory of its result."""
    write_text(directory / sbom_file(result.variant), sbom_text(result, lock))


def sbom_text(result: VariantResult, lock: Lock) -> str:
    """The SBOM of a build whose tree was measured; its image too, if there is one.

    The time is that of the commit and of all files in the image; the serial number derives from all else in the
    document, the digests of the image among it.

    Raises WorkbookError if the parts do not add up to the tree or to the image.
    """
    from cyclonedx.output.json import JsonV1Dot6

    document: dict[str, Any] = json.loads(JsonV1Dot6(_bom(result, lock)).output_as_string())
    if lock.commit:
        del document["metadata"]["timestamp"]  # a commit that was pulled has a time of its own
    del document["serialNumber"]
    known = json.dumps(document, sort_keys=True)
    document["serialNumber"] = uuid.uuid5(_NAMESPACE, known).urn
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _bom(result: VariantResult, lock: Lock) -> "Bom":
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.tool import ToolRepository

    locked = {package.nevra: package for package in lock.packages}
    root = _root(result)
    tool = Component(type=ComponentType.APPLICATION, name="atomic-workbook", version=__version__, bom_ref="workbook")
    made = datetime.fromtimestamp(int(str(result.parameters.get("source_date_epoch") or 0)), UTC)
    bom = Bom(
        metadata=BomMetaData(component=root, timestamp=made, tools=ToolRepository(components=[tool])),
        components=[_component(part, result, locked) for part in parts_of(result)],
    )
    bom.register_dependency(root, bom.components)
    return bom


def _root(result: VariantResult) -> "Component":
    """What the SBOM is of: the image with its files, or the tree."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
    from cyclonedx.model.component import Component, ComponentType

    content = result.content_summary
    notices = [result.description, _STANDIN] if content and content.standin else [result.description]
    files = {"disk.raw": result.image_sha256, "disk.qcow2": result.image_compressed_sha256}
    return Component(
        type=ComponentType.OPERATING_SYSTEM,
        bom_ref="image" if result.image_parts else "tree",
        name=result.variant,
        version=result.version or None,
        description=" ".join(f"{printable(text).rstrip('.')}." for text in notices if text) or None,
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(name),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
            )
            for name, digest in files.items()
            if digest
        ],
        properties=_properties({
            "content": content.title if content else result.content,
            "stand-in-content": str(content.standin).lower() if content else None,
            "method": result.method,
            "commit": result.commit,
            "content-checksum": result.content_checksum,
            "lock-sha256": result.lock_sha256,
            "tree-bytes": result.tree_bytes,
            "tree-files": result.tree_files,
            "image-bytes": result.image_allocated_bytes if result.image_parts else None,
            "compressed-image-bytes": result.image_compressed_bytes if result.image_parts else None,
        }),
    )  # fmt: skip


def _component(part: Part, result: VariantResult, locked: dict[str, LockedPackage]) -> "Component":
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.contact import OrganizationalEntity

    sizes = {
        "tree-bytes": part.tree_bytes,
        "tree-files": part.tree_files,
        "image-bytes": part.image_bytes,
        "compressed-image-bytes": part.qcow2_bytes,
    }
    if part.package:
        return _package(part.package, result, locked.get(nevra(part.package)), sizes)
    if part.kind == "files":
        text = f"The files of the class {part.name} that no package owns."
        return Component(
            type=ComponentType.FILE,
            bom_ref=f"files:{part.name}",
            name=f"files of no package: {part.name}",
            description=text,
            properties=_properties(sizes),
        )
    version = str(result.provenance.get("grub-common") or "")
    purl = _boot_loader(part.name, version)
    return Component(
        type=ComponentType.APPLICATION if purl else ComponentType.DATA,
        bom_ref=f"disk:{part.name}",
        name=part.name,
        version=version if purl else None,
        description=f"A part of the disk image: {DISK_PARTS[part.name]}{', made of GRUB from Debian' if purl else ''}.",
        supplier=OrganizationalEntity(name="Debian") if purl else None,
        purl=purl,
        properties=_properties({name: size for name, size in sizes.items() if not name.startswith("tree-")}),
    )


def _boot_loader(part: str, version: str) -> "PackageURL | None":
    """The package of the tools tree that a part of the disk is made of; None for other parts."""
    from packageurl import PackageURL

    name = BOOT_LOADERS.get(part)
    return PackageURL("deb", "debian", name, version, {"arch": "amd64"}) if name and version else None


def _package(
    package: PackageSize, result: VariantResult, locked: LockedPackage | None, sizes: dict[str, int | None]
) -> "Component":
    """A package. The digest is that of its RPM; it is the component's own only where that is the file of its purl."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.contact import OrganizationalEntity

    own = locked is not None and locked.repo == LOCAL
    identity = identity_of(package, result.content_summary, own=own)
    digests = [HashType(alg=HashAlgorithm.SHA_256, content=locked.sha256)] if locked and locked.sha256 else []
    rpm = f"{package.name}-{package.version}-{package.release}.{package.arch}.rpm"
    return Component(
        type=ComponentType.LIBRARY,
        bom_ref=printable(nevra(package)),
        name=identity.name,
        version=identity.version,
        supplier=OrganizationalEntity(name=identity.supplier) if identity.supplier else None,
        description=identity.description or None,
        purl=identity.purl,
        licenses=list(_licenses(package)),
        hashes=digests if identity.purl.type == "rpm" else [],
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(quote(rpm)),
                comment="the RPM that was installed",
                hashes=digests,
            )
        ]
        if digests
        else [],
        properties=_properties({
            "nevra": nevra(package),
            "vendor": package.vendor,
            "class": package.class_,
            "why": why_text(package),
            "rpm-bytes": package.download_bytes,
            **sizes,
        }),
    )  # fmt: skip


def _licenses(package: PackageSize) -> Iterator[Any]:
    """The licence that the package declares: by its SPDX id or expression, or else by name."""
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.license import LicenseAcknowledgement

    if text := printable(package.license):
        yield LicenseFactory().make_from_string(text, license_acknowledgement=LicenseAcknowledgement.DECLARED)


def _properties(values: Mapping[str, str | int | None]) -> "list[Property]":
    from cyclonedx.model import Property

    return [
        Property(name=f"{PREFIX}{name}", value=printable(str(value)))
        for name, value in values.items()
        if value not in (None, "")
    ]
