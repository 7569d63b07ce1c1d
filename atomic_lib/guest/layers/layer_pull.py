"""A client of a registry without a guest: it has the layers of version 1, and downloads what version 2 has more.

It does what the Distribution Specification asks of a client, and checks the size and digest of each blob. No program of
the build tools pulls images.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from atomic_lib.base.errors import WorkbookError
from atomic_lib.compose.update.download_prediction import Download
from atomic_lib.guest.update.repository_server import Site, serve_on_loopback
from atomic_lib.image.oci.registry import blob_path

_TIMEOUT_SECONDS = 60
_MANIFEST_BYTES = 4 << 20
"""What registries take at most: "Pushing Manifests"."""


def pull_image(registry: Path, name: str, tag: str, held: Path) -> Download:
    """Pull ``NAME:TAG`` from the directory ``registry``, served over loopback; returns what was downloaded.

    ``held``: the directory of the blobs that the client has, each with its digest as the name; new ones are added.
    Raises WorkbookError for what the server does not have, and for a blob that is not what the manifest says.
    """
    site = Site(registry)
    with serve_on_loopback(site) as url:
        manifest = json.loads(_fetched(f"{url}/v2/{name}/manifests/{tag}", _MANIFEST_BYTES))
        for blob in (manifest["config"], *manifest["layers"]):
            if not (held / blob["digest"]).exists():
                content = _fetched(f"{url}/{blob_path(name, blob['digest'])}", blob["size"])
                (held / blob["digest"]).write_bytes(_checked(content, blob))
        return site.log.take()


def _fetched(url: str, limit_bytes: int) -> bytes:
    """A body of at most the limit."""
    opener = build_opener(ProxyHandler({}))  # no proxy leads to loopback
    try:
        with opener.open(url, timeout=_TIMEOUT_SECONDS) as answer:
            body: bytes = answer.read(limit_bytes + 1)
    except (URLError, OSError) as error:
        raise WorkbookError(f"{url}: cannot be downloaded: {error}") from None
    if len(body) > limit_bytes:
        raise WorkbookError(f"{url}: has more than {limit_bytes} bytes")
    return body


def _checked(content: bytes, blob: Mapping[str, Any]) -> bytes:
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if (found, len(content)) != (blob["digest"], blob["size"]):
        raise WorkbookError(f"{blob['digest']}: {len(content)} bytes with the digest {found}, not {blob['size']} bytes")
    return content
