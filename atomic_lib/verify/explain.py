"""Why two builds differ."""

from dataclasses import dataclass

from atomic_lib.host import Tools
from atomic_lib.report.verification import Verification
from atomic_lib.verify.build import Built


@dataclass(frozen=True)
class Explanation:
    short: str
    full: str


def explain(found: Verification, one: Built, other: Built, tools: Tools) -> Explanation:
    return Explanation("", "")
