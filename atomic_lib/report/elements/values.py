"""Values as text: a figure with its unit, a difference with its sign."""

import re
import unicodedata

from atomic_lib.measure.container.container_figures import PlacedPackage
from atomic_lib.results.analysis.metrics import Unit
from atomic_lib.results.build_result import PackageSize
from atomic_lib.solve.lock import STANDIN_VENDOR, LockedPackage

SMALL_BYTES = 100_000
"""Smaller sizes are written in kB: 0.0 MB would look like nothing."""
SMALL_SECONDS = 0.95
"""Shorter times are written in ms."""
SMALL_PERCENT = 9.95
"""Smaller percentages have one decimal."""
SMALL_COUNTED = 0.095
"""Fewer counted seconds have three decimals."""
LARGEST_PERCENT = 999
"""Larger percentages are left out: the baseline was next to nothing."""
MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"


def quantity(value: float, unit: Unit) -> str:
    """A figure with its unit: 1 MB is 1,000,000 bytes."""
    if unit == "bytes" and 0 < value < SMALL_BYTES:
        return f"{value / 1e3:,.1f}{NBSP}kB"
    if unit == "bytes":
        return f"{value / 1e6:,.1f}{NBSP}MB" if value else "0"
    if unit == "counted":
        return f"{value:,.{2 if value >= SMALL_COUNTED else 3}f}{NBSP}counted{NBSP}s"
    if unit == "seconds" and 0 < value < SMALL_SECONDS:
        return f"{value * 1000:,.0f}{NBSP}ms"
    if unit == "seconds":
        return f"{value:,.1f}{NBSP}s"
    return f"{value:,.0f}"


def signed(value: float, unit: Unit) -> str:
    """A difference with its sign and unit; one that rounds to nothing is "±0"."""
    text = quantity(abs(value), unit)
    if not any(digit in text for digit in "123456789"):
        return "±0"
    return f"{MINUS if value < 0 else '+'}{text}"


def delta(value: float, base: float, unit: Unit) -> str:
    """The difference from the baseline, with the percentage where the baseline is not 0."""
    difference = signed(value - base, unit)
    percent = "" if difference == "±0" else percentage(value, base)
    return f"{difference} ({MINUS if value < base else '+'}{percent})" if percent else difference


def percentage(value: float, base: float) -> str:
    """By how many percent a value differs from the baseline, without a sign, rounded alike wherever it is written.

    Empty where that says nothing: the baseline is next to nothing, or the difference rounds to 0.0 %.
    """
    percent = 100 * abs(value - base) / base if base else 0.0
    if f"{percent:.1f}" == "0.0" or percent > LARGEST_PERCENT:
        return ""
    return f"{percent:.{1 if percent < SMALL_PERCENT else 0}f}{NBSP}%"


def version_of(package: PackageSize | LockedPackage | PlacedPackage) -> str:
    """[EPOCH:]VERSION-RELEASE.ARCH, the epoch only where it is not 0.

    For a package of stand-in content what it really is, from its vendor: ``Debian's openssh-client 1:10.0p1-7``.
    """
    if package.vendor.startswith(STANDIN_VENDOR):
        return f"Debian's {package.vendor.removeprefix(STANDIN_VENDOR).removesuffix(')')}"
    return f"{package.epoch}:{package.version}-{package.release}.{package.arch}".removeprefix("0:")


def plural(count: int, word: str) -> str:
    """ "1 package", "2 packages", "2 boots"."""
    return f"{count:,} {word if count == 1 else word + 's'}"


def slug(text: str) -> str:
    """An anchor made of a text alone, so that it stays the same when the page around it changes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "part"
