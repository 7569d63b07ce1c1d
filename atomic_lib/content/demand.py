"""What a recipe asks of a content: stand-in content makes these packages and their dependencies available."""

from collections.abc import Callable
from dataclasses import dataclass, field

from atomic_lib.content.local_rpms import LocalRpms
from atomic_lib.content.yum_repository import YumRepository


@dataclass(frozen=True)
class Demand:
    """The packages and groups that a recipe names.

    ``words``: names, patterns, paths and requirements, as dnf takes them. ``groups``: as in ``expand_groups``.
    ``excludes``: names and patterns that are not to be installed. ``weak_dependencies``: whether recommended packages
    are wanted. ``strict``: whether a package that stand-in content lacks is an error. ``repositories``: those that the
    recipe brings along. ``local``: RPMs of the user's own. ``also``: what other packages require, which need not be
    there. ``older``: names that are to stand for the package before the newest, of which stand-in content has one.
    ``source``: the recipe's file; ``place_of`` gives ``FILE:LINE`` of a word, for error messages.
    """

    source: str
    words: tuple[str, ...]
    groups: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    weak_dependencies: bool = True
    strict: bool = False
    repositories: tuple[YumRepository, ...] = ()
    local: LocalRpms | None = None
    also: tuple[str, ...] = ()
    older: tuple[str, ...] = ()
    place_of: Callable[[str], str] = field(default=lambda _: "", compare=False, repr=False)


@dataclass(frozen=True)
class MissingPackage:
    """A package that a recipe names and that stand-in content has no counterpart for.

    ``place``: ``FILE:LINE``, or the group that names it. ``similar``: names that stand-in content does have.
    """

    name: str
    place: str
    similar: tuple[str, ...] = ()
