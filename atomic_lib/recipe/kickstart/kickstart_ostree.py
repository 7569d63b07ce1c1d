"""The kickstart command ``ostreesetup``: a commit that is deployed, in place of packages that are installed.

Source of the rules: Anaconda's ``modules/payloads/payload/rpm_ostree``, and libostree's for names of refs.
"""

import re
from dataclasses import replace

from atomic_lib.recipe.kickstart.kickstart_accounts import Options, RefusedError, noted
from atomic_lib.recipe.recipe import OstreeSource, Recipe

_NAME = re.compile(r"\w[\w.-]*", re.ASCII)
_REF = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
_URL = re.compile(r"file:///[!-~]*|https?://[^/\s@]+(/[!-~]*)?")
_ARCHITECTURE = "x86_64"


def ostreesetup(recipe: Recipe, given: Options) -> Recipe:
    """Deploy the commit of a ref of a remote. As in Anaconda, a remote without a name has that of the stateroot."""
    stateroot, url = given.pop("osname", None) or "", given.pop("url", None) or ""
    remote, ref = given.pop("remote", None) or stateroot, given.pop("ref", None) or ""
    ref = ref.replace("${basearch}", _ARCHITECTURE)
    for option, value, form, example in (
        ("osname", stateroot, _NAME, "fedora-atomic"),
        ("remote", remote, _NAME, "fedora-atomic"),
        ("ref", ref, _REF, "fedora/41/x86_64/iot"),
        ("url", url, _URL, "https://example.com/repo or file:///srv/repo"),
    ):
        if not form.fullmatch(value):
            raise RefusedError(f"--{option}={value!r:.100}: must be such as {example}")
    if recipe.ostree_source:
        recipe = noted(recipe, "ostreesetup replaces that of an earlier line")
    source = OstreeSource(stateroot, remote, url, ref, verified=not given.pop("nogpg", False))
    return replace(recipe, ostree_source=source, ref=ref)


def without_packages(recipe: Recipe, *, packages_seen: bool) -> Recipe:
    """The recipe of a commit, which has all packages already; notes say what has no effect, as in Anaconda."""
    notes = ["%packages has no effect: the packages are those of the commit of ostreesetup"] if packages_seen else []
    if recipe.repositories or recipe.extra_repos:
        notes.append("url and repo have no effect: the packages are those of the commit of ostreesetup")
    return replace(
        recipe, packages=(), groups=(), excludes=(), repositories=(), repos=(), extra_repos=(),
        notes=(*recipe.notes, *(f"{recipe.files[0].name}: {note}" for note in notes)),
    )  # fmt: skip
