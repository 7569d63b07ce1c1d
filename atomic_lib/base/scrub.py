"""Removes from texts what identifies this machine: its directories and its host name."""

import re
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from atomic_lib.base.paths import BUILD, CHECKOUT, cache_directory

_COMMON_HOST_NAMES = {"localhost", "fedora", "debian", "ubuntu", "workbook"}
"""Host names that do not identify a machine, and that occur in reports with another meaning."""

_EVERYWHERE = {"/usr", "/root"}
"""Directories that every machine has, guests included."""

_BEFORE = r"(^|[^\w./-]|\x1b\[[0-9;]*m|file://)"
"""What may precede a path, so that the end of /sysroot/root does not match /root. Tracebacks are coloured."""


COPIES, COPIED_FILES = "recipes", "files"
"""In ``BUILD``, the directory of copied recipes; in each copy, that of its files, with one directory per variant."""

_COPY = re.compile(rf"{re.escape(str(BUILD / COPIES))}/[0-9a-f]{{16}}/{COPIED_FILES}/[^/\s]+/")
"""The directory of a copied recipe."""


def without_copies(text: str) -> str:
    """A text with each path of a copied recipe as one beneath the directory of the recipe that was copied."""
    return _COPY.sub("", text)


def scrubber(run_directory: Path, *, host_name: bool = True) -> Callable[[str], str]:
    """A function that replaces the directories of this machine in a text, and its host name.

    Data keep the word that is the ``host_name``: on a host called "docker" it is that of a package, too.
    """
    replacements = [
        (run_directory.resolve(), "."),
        (CHECKOUT, "."),
        (CHECKOUT.resolve(), "."),
        (cache_directory(), "CACHE"),
        (Path(sys.prefix), "PYTHON"),
        (Path(sys.base_prefix), "PYTHON"),
        (Path.home(), "~"),
        (Path.home().resolve(), "~"),
    ]
    named = {str(path): word for path, word in replacements if len(path.parts) > 1 and str(path) not in _EVERYWHERE}
    rules = [
        (re.compile(_BEFORE + re.escape(path) + r"(?![\w-])", re.MULTILINE), rf"\1{word}")
        for path, word in sorted(named.items(), key=lambda item: -len(item[0]))
    ]
    rules.insert(0, (_COPY, ""))
    rules.append((re.compile(r"(/[\w.-]+)*/?ipykernel_\d+/\d+\.py"), "cell"))
    name = socket.gethostname()
    if host_name and len(name) > 3 and name not in _COMMON_HOST_NAMES:
        rules.append((re.compile(rf"(^|[^\w-]){re.escape(name)}(?![\w-])", re.MULTILINE), r"\1HOST"))
    return partial(_apply, rules)


def _apply(rules: Sequence[tuple[re.Pattern[str], str]], text: str) -> str:
    for pattern, word in rules:
        text = pattern.sub(word, text)
    return text
