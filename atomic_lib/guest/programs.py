"""Texts that run in a guest: scripts and units, each a file beside the module that uses it."""

from pathlib import Path


def program_text(module: str, name: str, **values: str) -> str:
    """The text of ``name``, relative to the file of ``module``, with a value in place of each ``@KEY@``.

    Raises KeyError for a key that the text does not have.
    """
    text = (Path(module).parent / name).read_text(encoding="utf-8")
    for key, value in values.items():
        if f"@{key}@" not in text:
            raise KeyError(f"{name} has no @{key}@")
        text = text.replace(f"@{key}@", value)
    return text
