"""Capabilities in requirements: bare names, and rich (boolean) dependencies taken apart.

Format: rpm's documentation, manual/boolean_dependencies. No library: rpm's own Python module
comes with the host's rpm only, and gives a rich dependency as one text.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

_OPERATORS = {"and", "or", "if", "else", "unless", "with", "without"}
_COMPARISONS = {"<", "<=", "=", ">=", ">"}


@dataclass(frozen=True)
class RichDependency:
    """A rich dependency: operands with the operators between them."""

    operators: tuple[str, ...]
    operands: tuple["RichDependency | str", ...]


def wanted_capabilities(text: str, has: Callable[[str], bool]) -> list[str]:
    """The capabilities that a requirement asks for: ``(a >= 1 or b)`` gives a and b.

    ``has`` says whether a capability is present, which decides conditions:
    ``(a if b)`` asks for a where b is, and never for b.
    """
    if not text.startswith("("):
        return text.split(" ")[:1] if text.strip() else []
    return _wanted(_parse(_tokens(text[1:])), has)


def named_capabilities(text: str) -> list[str]:
    """All names in a requirement, also those of conditions: no provider of any is missed."""
    if not text.startswith("("):
        return text.split(" ")[:1] if text.strip() else []
    waiting: list[RichDependency | str] = [_parse(_tokens(text[1:]))]
    names: list[str] = []
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            names.append(node)
        else:
            waiting.extend(node.operands)
    return names


def _tokens(text: str) -> Iterator[str]:
    """Words and parentheses; those of a name (``libc.so.6(GLIBC_2.34)(64bit)``) belong to it."""
    for word in text.split():
        name = word.lstrip("(")
        yield from "(" * (len(word) - len(name))
        bare = name
        while bare.endswith(")") and bare.count(")") > bare.count("("):
            bare = bare[:-1]
        yield from [bare] if bare else []
        yield from ")" * (len(name) - len(bare))


def _parse(tokens: Iterator[str]) -> RichDependency:
    operators: list[str] = []
    operands: list[RichDependency | str] = []
    for token in tokens:
        if token == ")":
            break
        if token == "(":
            operands.append(_parse(tokens))
        elif token in _COMPARISONS:
            next(tokens, "")  # the version
        elif token in _OPERATORS:
            operators.append(token)
        else:
            operands.append(token)
    return RichDependency(tuple(operators), tuple(operands))


def _wanted(node: RichDependency | str, has: Callable[[str], bool]) -> list[str]:
    if isinstance(node, str):
        return [node]
    return [name for operand in _asked_for(node, has) for name in _wanted(operand, has)]


def _asked_for(node: RichDependency, has: Callable[[str], bool]) -> tuple[RichDependency | str, ...]:
    """The operands that are asked for, conditions decided."""
    operator = node.operators[0] if node.operators else "and"
    if operator == "without":
        return node.operands[:1]
    if operator in ("if", "unless") and len(node.operands) > 1:
        return node.operands[:1] if _holds(node.operands[1], has) == (operator == "if") else node.operands[2:]
    return node.operands


def _holds(node: RichDependency | str, has: Callable[[str], bool]) -> bool:
    if isinstance(node, str):
        return has(node)
    asked = [_holds(operand, has) for operand in _asked_for(node, has)]
    return any(asked) if "or" in node.operators else all(asked)
