"""Where a secret key can be found in files, in each form that the tools write it in."""

from pathlib import Path

ARMOR_LINE = 64


def secret_forms(octets: bytes, armored: str = "") -> list[bytes]:
    """The secret's octets as a key file has them, as gpg's own directory does, and the lines of an armored file."""
    stored = octets.lstrip(b"\0")  # as an OpenPGP integer
    lines = [line.encode() for line in armored.splitlines() if len(line) == ARMOR_LINE]
    return [stored, stored.hex().encode(), stored.hex().upper().encode(), *lines]


def files_with(forms: list[bytes], top: Path) -> list[Path]:
    """The files below ``top`` that have the secret in any of these forms."""
    files = (path for path in sorted(top.rglob("*")) if path.is_file() and not path.is_symlink())
    return [path for path in files if any(form in path.read_bytes() for form in forms)]
