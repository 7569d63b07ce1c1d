"""Which PEM blocks hold a private key, and which are only the words of a program."""

import base64
import hashlib

import pytest

from atomic_lib.measure.guards.private_keys import PrivateKey, may_have_keys, private_keys

BODY = base64.b64encode(bytes(range(90))).decode()
LINES = f"{BODY[:64]}\n{BODY[64:]}"
FINGERPRINT = hashlib.sha256(BODY.encode()).hexdigest()


def block(body: str, kind: str = "PRIVATE KEY") -> str:
    # in two parts, or this file would look like a key
    return f"-----BEGIN {kind}-----" + body + f"-----END {kind}-----"


def found(text: str) -> list[PrivateKey]:
    return list(private_keys(text.encode()))


@pytest.mark.parametrize(
    "body",
    [
        f"\n{LINES}\n",
        f"\r\n{LINES}\r\n".replace("\n", "\r\n"),
        BODY,
        f"\\n{BODY[:64]}\\n{BODY[64:]}\\n",
        f'\\n"\n "{BODY[:64]}\\n"\n "{BODY[64:]}\\n"\n "',
        f"\n    {BODY[:64]}\n    {BODY[64:]}\n  ",
        f"\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n{LINES}\n",
    ],
    ids=["lines", "CRLF", "one line", "escaped", "source code", "indented", "headers"],
)
def test_a_key_is_found_however_its_text_is_broken(body: str) -> None:
    assert found(f"before {block(body)} after") == [PrivateKey("PRIVATE KEY", FINGERPRINT)]


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
                                  "PGP PRIVATE KEY BLOCK"])  # fmt: skip
def test_a_key_is_found_by_every_name(kind: str) -> None:
    assert found(block(f"\n{LINES}\n", kind)) == [PrivateKey(kind, FINGERPRINT)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PRIVATE KEY",
        block("\n\0\0\0\0"),
        block('"\n_SK_END = b"'),
        block(f"\n{LINES}\n", "PUBLIC KEY"),
        block(f"\n{LINES}\n", "CERTIFICATE"),
        block("\n...\n"),
        f"-----BEGIN PRIVATE KEY-----\n{LINES}\n",
    ],
    ids=["empty", "words", "a program", "source code", "public", "certificate", "example", "no end"],
)
def test_a_programs_words_are_no_key(text: str) -> None:
    assert found(text) == []


def test_a_key_is_found_after_a_programs_words() -> None:
    assert found(f"-----BEGIN PRIVATE KEY-----\0 {block(BODY)}{block(BODY[:40])}")[0].fingerprint == FINGERPRINT
    assert len(found(f"-----BEGIN PRIVATE KEY-----\0 {block(BODY)}{block(BODY[:40])}")) == 2


@pytest.mark.parametrize("size_bytes", range(1, 30))
def test_the_words_of_a_key_are_found_wherever_the_content_is_parted(size_bytes: int) -> None:
    text = f"text {block(LINES)}".encode()
    for content, expected in ((text, True), (text.replace(b"E K", b"E-K"), False)):
        parts = [content[start : start + size_bytes] for start in range(0, len(content), size_bytes)]
        assert may_have_keys(parts) is expected
