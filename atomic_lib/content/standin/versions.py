"""Debian versions in rpm: as the version of a package, and in an encoding that keeps their order.

A package keeps its version, which people read. But dpkg and rpm do not order the same versions alike: dpkg compares
separators too, and sorts numbers before letters::

    1.0~1 < 1.0~rc1        rpm: 1.0~1 > 1.0~rc1
    1.0a < 1.0+a           rpm: equal
    1.2 < 1.git            rpm: 1.2 > 1.git

So the versions in relations are encoded, such that rpm orders any two of them as dpkg orders the two originals;
equal ones become equal. Most parts of a version stay as they are.

    after a number       becomes
    ~ and a number       ~^ and the number (1.0~1 -> 1.0~^1)
    ~ and a letter       the same (1.0~rc1)
    a letter             ^ and the letter (1.0a -> 1.0^a)
    + and ~              ^zp~
    + and a number       ^+ and the number
    + and a letter       the same (1.0+dfsg)
    -                    zx
    . and ~              zy~
    . and a number       the same (1.0)
    . and a letter       ., a number above all others, . and the letter

Further on in a run of characters that are no digits, letters sort before separators, as they do for dpkg: z is
written as za, and + - . : as zp zq zr zs. A run at the end is followed by 0, which is what dpkg takes it for.

Sources: Debian Policy, section 5.6.12 (versions; dpkg's lib/dpkg/version.c); rpm's manual on versions, and its
rpmio/rpmvercmp.cc.
"""

import re

ABOVE_ALL_NUMBERS = "9" * 20
"""A number of a version with more digits is not ordered rightly; the longest one in Debian 13 has 14."""
_RUNS = re.compile(r"([^0-9]*)([0-9]*)")
_SYMBOLS = str.maketrans({"z": "za", "+": "zp", "-": "zq", ".": "zr", ":": "zs"})


def rpm_version(version: str) -> tuple[int, str, str]:
    """Epoch, version and release of a Debian version, with its own characters.

    To dpkg, a missing revision is the same as revision 0, and the release of an RPM cannot be empty. rpm does not
    allow a hyphen in the version, so hyphens in the upstream version become dots.
    """
    epoch, upstream, revision = _parts(version)
    return epoch, upstream.replace("-", "."), revision


def rpm_evr(version: str) -> str:
    """A Debian version as rpm's ``[epoch:]version-release``, with its own characters."""
    return _evr(*rpm_version(version))


def ordered_evr(version: str) -> str:
    """A Debian version as rpm's ``[epoch:]version-release``, encoded so that rpm orders it as dpkg does."""
    epoch, upstream, revision = _parts(version)
    return _evr(epoch, _encoded(upstream), _encoded(revision))


def _parts(version: str) -> tuple[int, str, str]:
    epoch, _, rest = version.rpartition(":") if re.match(r"[0-9]+:", version) else ("", "", version)
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return int(epoch or 0), upstream, revision or "0"


def _evr(epoch: int, version: str, release: str) -> str:
    return f"{epoch}:{version}-{release}" if epoch else f"{version}-{release}"


def _encoded(text: str) -> str:
    parts: list[str] = []
    for run, number in _RUNS.findall(text):
        if run or number:
            parts.append((_run_after_number(run) if parts else _run_at_start(run)) + (number or "0"))
    return "".join(parts)


def _run_at_start(run: str) -> str:
    return run and (_letters(run) if run[0] == "~" else f"{ABOVE_ALL_NUMBERS}.{_letters(run)}")


def _run_after_number(run: str) -> str:
    first, rest = run[0], run[1:]
    if first == "~":
        return _letters(run)
    if first.isalpha():
        return f"^{_letters(run)}"
    if first == "+":
        if not rest:
            return "^+"
        return f"^{_letters(run)}" if rest[0] == "~" else f"+{_letters(rest)}"
    if first == "-":
        return f"zx{_letters(rest)}"
    if first == "." and not rest:
        return "."
    if first == "." and rest[0] == "~":
        return f"zy{_letters(rest)}"
    above = f".{ABOVE_ALL_NUMBERS}."
    return above + (_letters(rest) if first == "." else f"zz{_letters(rest)}")


def _letters(run: str) -> str:
    """The characters of a run so that rpm compares them one by one; a number follows."""
    return run.translate(_SYMBOLS) + ("^" if run.endswith("~") else "")
