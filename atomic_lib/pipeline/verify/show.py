"""The result of a verification as text."""

from collections.abc import Iterable, Mapping

from atomic_lib.results.verification import BuildValues, Verification

KERNEL_CLOCK = "The times of files come from the kernel's clock, which a single build cannot change."
OWN_PROCESS = (
    "Umask, host name, time zone, language and hash seed affect the workbook's own process;\n"
    "  commands are shielded from them (clean environment, own host name, umask 022)."
)


def shown(found: Verification) -> str:
    """The conditions and checksums of both builds, side by side."""
    one, other = found.seconds
    verdict = "verified: the same in every bit" if found.same else f"NOT the same: {', '.join(found.differing)}"
    lines = [
        f"{found.variant}",
        *_table("condition", found.conditions),
        f"  {OWN_PROCESS}",
        f"  {KERNEL_CLOCK}",
        "",
        *_table("checksum", found.checksums, mark=True),
        "",
        f"{found.variant}: {verdict} (build A {one:.0f} s, build B {other:.0f} s)",
    ]
    return "\n".join(lines) + "\n"


def _table(title: str, pairs: Mapping[str, BuildValues], *, mark: bool = False) -> Iterable[str]:
    rows = [(title, "build A", "build B", ""), *((name, a or "none", b or "none", _word(a, b, mark)) for name, (a, b)
            in pairs.items())]  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield ("  " + "  ".join(text.ljust(width) for text, width in zip(row, [*widths, 0], strict=True))).rstrip()


def _word(one: str | None, other: str | None, mark: bool) -> str:
    return ("= same" if one == other else "≠ DIFFERS") if mark else ""
