"""``./workbook check`` and ``show``: what recipes say, without composing anything."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT, PARAMS_DIRECTORY
from atomic_lib.base.progress import say
from atomic_lib.content.definition import load_definition
from atomic_lib.content.yum_repository import YumRepository
from atomic_lib.params.study_file import fallback_variants, load_study, study_variants
from atomic_lib.params.variant import Variant, load_variant, variant_names
from atomic_lib.pipeline.recipe_files.entry_origins import origins_of
from atomic_lib.recipe.load import load_recipes, read_recipe
from atomic_lib.recipe.recipe import AccountRules, AddedFile, Finalization, OstreeSource, Recipe
from atomic_lib.recipe.source import lines_of
from atomic_lib.report.elements.values import plural

LISTS = {
    "packages": "packages",
    "groups": "groups",
    "excludes": "excluded packages",
    "repos": "repositories",
    "enabled_units": "enabled units",
    "disabled_units": "disabled units",
    "removed_paths": "removed paths",
}
"""The fields of a recipe that are lists of entries, and what a reader calls them."""
_SHOWN_ELSEWHERE = {*LISTS, "files", "notes", "post_scripts", "layer", "wanted_units"}


def check(paths: Sequence[str]) -> int:
    """Read recipes by path, or all parameters and their recipes; prints a line or an error for each.

    Returns the exit status: 0, or 1 if any is not accepted.
    """
    failed = 0
    for name, problem, said in _checked_paths(paths) if paths else _checked_parameters(PARAMS_DIRECTORY):
        if problem:
            failed += 1
            say(f"✗ {name}\nerror: {problem}")
        else:
            print(f"✓ {name}{said}")
    return 1 if failed else 0


def _checked_paths(paths: Sequence[str]) -> Iterator[tuple[str, WorkbookError | None, str]]:
    for path in paths:
        try:
            recipe = read_recipe(Path(path))
        except WorkbookError as error:
            yield path, error, ""
        else:
            counts = f": {plural(len(recipe.packages), 'package')}, {plural(len(recipe.groups), 'group')}"
            yield path, None, f"{counts}, {plural(len(recipe.notes), 'note')}"


def _checked_parameters(params: Path) -> Iterator[tuple[str, WorkbookError | None, str]]:
    for name in variant_names(params):
        absent = _absent_recipe(name, params)
        problem = None if absent else _problem_of_variant(name, params)
        yield f"variant {name}", problem, f": its recipe is not here: {absent}" if absent else ""
    for path in sorted((params / "studies").glob("*.yaml")):
        yield f"study {path.stem}", _problem_of_study(path.stem, params), ""
    for path in sorted((params / "content").glob("*.yaml")):
        try:
            load_definition(path.stem, params)
        except WorkbookError as error:
            yield f"content {path.stem}", error, ""
        else:
            yield f"content {path.stem}", None, ""


def _absent_recipe(name: str, params: Path) -> str:
    """The recipe of a variant that is not part of the workbook, if the user has not put it there."""
    try:
        return _absent(load_variant(name, params))
    except WorkbookError:
        return ""


def _absent(variant: Variant) -> str:
    path = variant.recipe_file
    return "" if not path or (CHECKOUT / path).exists() else path


def _problem_of_variant(name: str, params: Path) -> WorkbookError | None:
    try:
        load_recipes(load_variant(name, params), params)
    except WorkbookError as error:
        return error
    return None


def _problem_of_study(name: str, params: Path) -> WorkbookError | None:
    try:
        study = load_study(name, params)
        for variant in (*study_variants(study, params), *fallback_variants(study, params).values()):
            if not _absent(variant):
                load_recipes(variant, params)
    except WorkbookError as error:
        return error
    return None


def show(path: str, *, as_json: bool) -> int:
    """Print a recipe with all that it includes, each entry with its places; returns the exit status 0.

    Raises WorkbookError as ``read_recipe`` does.
    """
    recipe = read_recipe(Path(path))
    print(json.dumps(recipe_data(recipe), indent=1) if as_json else recipe_text(recipe))
    return 0


def recipe_data(recipe: Recipe) -> dict[str, object]:
    """A flattened recipe as JSON data: lists with the places of each entry, settings, scripts and notes."""
    origins = origins_of(recipe)
    return {
        "files": [str(path) for path in recipe.files],
        **{name: [{"name": entry, "origin": list(origins.get(name, {}).get(entry, ()))}
                  for entry in getattr(recipe, name)] for name in LISTS},
        "settings": settings_of(recipe),
        "scripts": [{"origin": script.source, "interpreter": script.interpreter, "in_tree": script.in_tree,
                     "stop_on_error": script.stop_on_error, "text": script.text} for script in recipe.post_scripts],
        "without_effect": list(recipe.notes),
    }  # fmt: skip


def settings_of(recipe: Recipe) -> dict[str, object]:
    """The single values of a recipe, by the names of its fields; those that are the default are left out."""
    plain = Recipe(files=(), packages=())
    names = [field.name for field in fields(Recipe) if field.name not in _SHOWN_ELSEWHERE]
    return {name: _plain(getattr(recipe, name)) for name in names if getattr(recipe, name) != getattr(plain, name)}


def _plain(value: object) -> object:
    """A value as JSON data; of a file that the recipe adds, only its path, mode, size and the start of its sha256."""
    if isinstance(value, AddedFile):
        digest = f", sha256 {hashlib.sha256(value.content).hexdigest()[:12]}…" if value.content else ""
        what = f" -> {value.target}" if value.target else f", {len(value.content)} bytes{digest}"
        return f"{value.path} ({value.mode:o}{what})"
    if isinstance(value, YumRepository):
        return " ".join([value.name, *(f"{option}={_joined(said)}" for option, said in value.options().items())])
    if isinstance(value, OstreeSource):
        checked = "signature checked" if value.verified else "signature not checked"
        return f"{value.remote}:{value.ref} of {value.url}, stateroot {value.stateroot}, {checked}"
    if isinstance(value, AccountRules):
        return {name: _plain(one) for name, one in vars(value).items()}
    if isinstance(value, Finalization):
        return {"programs": _plain(value.programs), "files they see": len(value.files)}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _joined(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def recipe_text(recipe: Recipe) -> str:
    """A flattened recipe as text, each entry with the place that names it."""
    origins = origins_of(recipe)
    lines = [f"{recipe.files[0]}: {plural(len(recipe.files), 'file')}"]
    for name, title in LISTS.items():
        if entries := getattr(recipe, name):
            lines += ["", f"{title} ({len(entries)})", *_aligned(entries, origins.get(name, {}))]
    if recipe.post_scripts:
        lines += ["", f"scripts ({len(recipe.post_scripts)})"]
    for script in recipe.post_scripts:
        where = "" if script.in_tree else ", outside of the tree"
        failure = "" if script.stop_on_error else ", a failure is ignored"
        count = plural(len(lines_of(script.text)), "line")
        lines.append(f"  {script.source}  {script.interpreter}, {count}{where}{failure}")
    if settings := settings_of(recipe):
        lines += ["", "settings", *(line for name, value in settings.items() for line in _setting_lines(name, value))]
    if recipe.notes:
        lines += ["", f"without effect, or with less ({len(recipe.notes)})", *(f"  {note}" for note in recipe.notes)]
    return "\n".join(lines)


def _setting_lines(name: str, value: object) -> list[str]:
    """A setting as text: a list with a line for each entry, a mapping with the sizes of its lists."""
    if isinstance(value, list):
        return [f"  {name} ({len(value)})", *(f"    {_on_one_line(entry)}" for entry in value)]
    if isinstance(value, dict):
        return [f"  {name}", *(f"    {key}: {_size(one)}" for key, one in value.items() if one)]
    return [f"  {name}: {value}"]


def _size(value: object) -> str:
    return plural(len(value), "entry").replace("entrys", "entries") if isinstance(value, list) else str(value)


def _on_one_line(entry: object) -> str:
    return " ".join(map(str, entry)) if isinstance(entry, list) else str(entry)


def _aligned(entries: Sequence[str], origins: Mapping[str, Sequence[str]]) -> list[str]:
    width = max(len(entry) for entry in entries)
    return [f"  {entry:{width}}  {', '.join(origins.get(entry, ('by default',)))}" for entry in entries]
