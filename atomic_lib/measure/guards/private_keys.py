"""Private keys in the content of a file: PEM blocks with a key in them, not the bare words of a program.

Format: RFC 7468 (textual encodings of PKIX), RFC 1421 (headers of encrypted keys), RFC 9580
(armour of OpenPGP). A block inside of a program's text may have escaped line breaks or none.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_WORDS = b"PRIVATE KEY"
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----")
_ESCAPED_BREAK = re.compile(rb"\\[nr]")
_HEADER = re.compile(rb"(?m)^[\s\"']*[A-Za-z][A-Za-z0-9-]*: .*$")
_BETWEEN = re.compile(rb"[\s\"'\\,]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=]{16,}")


@dataclass(frozen=True)
class PrivateKey:
    """A private key: what its block calls it, and the sha256 of its base64 text without white space, in hex."""

    kind: str
    fingerprint: str


def may_have_keys(parts: Iterable[bytes]) -> bool:
    """Whether a file's content, given in parts, has the words that a private key begins with."""
    end, kept = b"", len(_WORDS) - 1
    for part in parts:
        if _WORDS in part or _WORDS in end + part[:kept]:
            return True
        end = (end + part[-kept:])[-kept:]
    return False


def private_keys(content: bytes) -> Iterator[PrivateKey]:
    """The private keys in a file's content, in their order."""
    for begin in _BEGIN.finditer(content):
        end = content.find(b"-----", begin.end())
        if not content.startswith(b"-----END " + begin[1] + b"-----", max(end, 0)):
            continue
        body = _HEADER.sub(b"", _ESCAPED_BREAK.sub(b"\n", content[begin.end() : end]))
        key = _BETWEEN.sub(b"", body)
        if _BASE64.fullmatch(key):
            yield PrivateKey(begin[1].decode(), hashlib.sha256(key).hexdigest())
