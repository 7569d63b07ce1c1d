"""Variables of treefiles: their substitution, and the conditions of ``conditional-include``."""

import operator
import re
from collections.abc import Callable, Mapping

from atomic_lib.base.errors import WorkbookError

BASEARCH = "x86_64"
"""The architecture that is composed; ``packages-ARCH`` and ``arch-include`` of others are checked and ignored."""
RESERVED = ("basearch", "releasever")

Variable = bool | int | str
_OPERATORS: Mapping[str, Callable[[Variable, Variable], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": lambda one, other: int(one) > int(other),
    ">=": lambda one, other: int(one) >= int(other),
    "<": lambda one, other: int(one) < int(other),
    "<=": lambda one, other: int(one) <= int(other),
}
# rpm-ostree's expression; a name or number is followed by the operator even without a space
_CONDITION = re.compile(r'\s*([0-9A-Za-z_]+)\s*(\S+)\s*(?:(true|false)|([0-9]+)|"(.*)")\s*')
_REFERENCE = re.compile(r"\$\{([^}]*)\}")


def wrong_variables(variables: object) -> str:
    """What is wrong with the value of ``variables``; empty if it is accepted."""
    if not isinstance(variables, Mapping):
        return "must be a mapping of names to values"
    for name, value in variables.items():
        if name in RESERVED:
            return f"{name!r} is reserved; it has a value already"
        if not isinstance(value, bool | int | str) or (isinstance(value, int) and value < 0):
            return f"{name}: must be true or false, a whole number or text"
        if set(f"{name}{value}") & set("${}"):
            return f"{name}: '$', '{{' and '}}' are not accepted in a variable"
    return ""


def holds(condition: str, variables: Mapping[str, Variable]) -> bool:
    """Whether a condition such as ``releasever >= 41`` holds.

    Raises WorkbookError, without the name of the file, for another form, an unknown variable, values of different
    types, and an order of values that are no numbers.
    """
    match = _CONDITION.fullmatch(condition)
    if not match or match[2] not in _OPERATORS:
        raise WorkbookError(
            f"{condition!r} is not a condition",
            hint="a condition is NAME OPERATOR VALUE: the operator ==, !=, <, <=, > or >=, the value true, false, "
            'a whole number or "text" in double quotes',
        )
    name, sign = match[1], match[2]
    value: Variable = match[3] == "true" if match[3] else int(match[4]) if match[4] else match[5]
    if name not in variables:
        raise WorkbookError(
            f"variable {name!r} is not defined",
            hint=f"define it in variables of this treefile, or of one that includes it; there are: "
            f"{', '.join(sorted(variables)) or 'none'}",
        )
    own = variables[name]
    if type(own) is not type(value):
        raise WorkbookError(
            f"{condition!r} compares {own!r} with {value!r}, which has another type",
            hint="write a number without quotes, and text in double quotes",
        )
    if sign not in ("==", "!=") and type(own) is not int:
        raise WorkbookError(f"{condition!r}: {own!r} is no number, and has no order", hint="use == or !=")
    return _OPERATORS[sign](own, value)


def substituted(text: str, variables: Mapping[str, Variable]) -> str:
    """The text with the values of its variables (``${NAME}``).

    Raises WorkbookError, without the name of the file, for a variable that has no value.
    """

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in variables:
            raise WorkbookError(f"{match[0]} has no value", hint=f"variables here: {', '.join(sorted(variables))}")
        return as_text(variables[match[1]])

    return _REFERENCE.sub(value_of, text)


def as_text(value: Variable) -> str:
    """The text that is substituted for a value."""
    return str(value).lower() if isinstance(value, bool) else str(value)
