"""An OpenPGP key derived from a text: the same text gives the same key on every machine.

Formats: RFC 9580 (OpenPGP: packets in version 4, section 5; EdDSALegacy keys and
signatures, sections 5.2.3.3.1 and 5.5.5.5; certification, section 5.2.4), RFC 8410
(Ed25519 keys in DER).

No library: gpg and pysequoia make keys from random numbers only, and PGPy, which could be given
the secret, has had no release since 2022.
"""

import hashlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from atomic_lib.tools.sandbox import Bind, Tools

KEY_CREATED_SECONDS = 1_000_000_000
"""The creation time of derived keys (2001-09-09), early enough that no clock takes it for the future."""

_SECRET_KEY, _SIGNATURE, _USER_ID = 5, 2, 13  # packet types
_EDDSA, _SHA256, _POSITIVE_CERTIFICATION = 22, 8, 0x13
_ED25519_OID = bytes.fromhex("2b06010401da470f01")
_PKCS8_HEAD = bytes.fromhex("302e020100300506032b657004220420")
_MAY_CERTIFY_AND_SIGN = 0x03


@dataclass(frozen=True)
class SecretKey:
    """A key without passphrase. ``secret`` is what ``gpg --import`` takes, armored or binary."""

    secret: bytes = field(repr=False)
    fingerprint: str
    """40 hex digits."""
    created_seconds: int
    """When its newest part was made, in seconds since 1970; it signs nothing before that."""


def derive_key(tools: Tools, text: str, user_id: str, scratch: Path) -> SecretKey:
    """The key whose secret is the sha256 of ``text``; the secret is in ``scratch`` while this runs.

    Whoever knows the text has the secret: ``content.signing`` says what such a key is good for.
    """
    seed = hashlib.sha256(text.encode()).digest()
    with tempfile.TemporaryDirectory(dir=scratch) as directory:
        place = Path(directory)
        (place / "secret").write_bytes(_PKCS8_HEAD + seed)
        _openssl(tools, place, "pkey", "-inform=DER", "-in=secret", "-pubout", "-outform=DER", "-out=public")
        body = _public_body((place / "public").read_bytes()[-32:])
        fingerprint = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).digest()
        hashed = _hashed_part(fingerprint)
        (place / "digest").write_bytes(_certification_digest(body, user_id.encode(), hashed))
        _openssl(tools, place, "pkeyutl", "-sign", "-rawin", "-keyform=DER", "-inkey=secret", "-in=digest",
                 "-out=signature")  # fmt: skip
        signature = (place / "signature").read_bytes()
        digest = (place / "digest").read_bytes()
    secret = _mpi(seed)
    packets = (
        _packet(_SECRET_KEY, body + b"\0" + secret + (sum(secret) & 0xFFFF).to_bytes(2, "big")),
        _packet(_USER_ID, user_id.encode()),
        _packet(_SIGNATURE, hashed + _issuer(fingerprint) + digest[:2] + _mpi(signature[:32]) + _mpi(signature[32:])),
    )
    return SecretKey(b"".join(packets), fingerprint.hex(), KEY_CREATED_SECONDS)


def _openssl(tools: Tools, place: Path, *words: str) -> None:
    """Run openssl with ``place`` as its directory; ``-option=value`` stands for two words."""
    line = [part for word in words for part in word.split("=", 1)]
    tools.run(["openssl", *line], binds=[Bind(place, "/mnt/key", writable=True)], cwd="/mnt/key")


def _public_body(point: bytes) -> bytes:
    head = b"\x04" + KEY_CREATED_SECONDS.to_bytes(4, "big") + bytes([_EDDSA, len(_ED25519_OID)])
    return head + _ED25519_OID + _mpi(b"\x40" + point)


def _hashed_part(fingerprint: bytes) -> bytes:
    """The certification up to the end of what its digest covers."""
    subpackets = b"".join(
        (
            _subpacket(33, b"\x04" + fingerprint),
            _subpacket(2, KEY_CREATED_SECONDS.to_bytes(4, "big")),
            _subpacket(27, bytes([_MAY_CERTIFY_AND_SIGN])),
        )
    )
    return bytes([4, _POSITIVE_CERTIFICATION, _EDDSA, _SHA256]) + len(subpackets).to_bytes(2, "big") + subpackets


def _issuer(fingerprint: bytes) -> bytes:
    subpacket = _subpacket(16, fingerprint[-8:])
    return len(subpacket).to_bytes(2, "big") + subpacket


def _certification_digest(body: bytes, user_id: bytes, hashed: bytes) -> bytes:
    key = b"\x99" + len(body).to_bytes(2, "big") + body
    user = b"\xb4" + len(user_id).to_bytes(4, "big") + user_id
    trailer = b"\x04\xff" + len(hashed).to_bytes(4, "big")
    return hashlib.sha256(key + user + hashed + trailer).digest()


def _mpi(octets: bytes) -> bytes:
    """A multiprecision integer: its length in bits, then its octets without leading zeros."""
    octets = octets.lstrip(b"\0")
    return int.from_bytes(octets, "big").bit_length().to_bytes(2, "big") + octets


def _subpacket(kind: int, body: bytes) -> bytes:
    return bytes([len(body) + 1, kind]) + body


def _packet(kind: int, body: bytes) -> bytes:
    if len(body) > 191:  # longer ones have their length in two octets
        raise ValueError(f"an OpenPGP packet of {len(body)} octets: the user id is too long")
    return bytes([0xC0 | kind, len(body)]) + body
