"""``./workbook convert``: the treefile that a kickstart amounts to, and the other way round.

What the result does not say is found by reading it again, so nothing is lost in silence.
"""

import re
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.progress import say
from atomic_lib.content.yum_repository import YumRepository
from atomic_lib.pipeline.recipe_files.entry_differences import entry_differences, program_of
from atomic_lib.recipe.kickstart.kickstart_lines import INCLUDES, SECTIONS
from atomic_lib.recipe.kickstart.kickstart_repositories import BASE
from atomic_lib.recipe.load import read_recipe
from atomic_lib.recipe.recipe import PostScript, Recipe

_DEFAULT = Recipe(files=(), packages=())
_READ_IN_SCRIPTS = ("%end", *INCLUDES, *SECTIONS)
"""The words that a kickstart reads at the beginning of a line even in a script."""


def convert(path: str) -> int:
    """Print the converted recipe, and on standard error what it does not say.

    Returns the exit status: 0, or 1 if the result still lacks what its form requires.

    Raises WorkbookError as ``read_recipe`` does.
    """
    recipe = read_recipe(Path(path))
    to_treefile = recipe.files[0].suffix == ".ks"
    text = treefile_of(recipe) if to_treefile else kickstart_of(recipe)
    print(text, end="")
    try:
        lines = left_out(recipe, text, ".yaml" if to_treefile else ".ks")
    except WorkbookError as error:  # as where only groups are named
        say(f"! not a whole recipe yet: {error.message.rpartition('/')[2]}")
        return 1
    for line in lines:
        say(f"! not the same: {line}")
    return 0


def left_out(recipe: Recipe, text: str, suffix: str) -> list[str]:
    """How a recipe and its converted text differ, as ``entry_differences`` tells it: ``-`` is lost, ``+`` is new."""
    with tempfile.TemporaryDirectory() as directory:
        converted = Path(directory, f"converted{suffix}")
        converted.write_text(text, encoding="utf-8")
        again = read_recipe(converted)
    found = [str(difference) for difference in entry_differences(recipe, again) if difference.value != ""]
    return [line.replace(f"{directory}/", "") for line in found]


def treefile_of(recipe: Recipe) -> str:
    """The treefile that says what a recipe says, as far as a treefile can; groups and a commit become a comment."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", recipe.files[0].stem).strip("-.") or "recipe"
    values: dict[str, object] = {"ref": recipe.ref or f"fedora-atomic/x86_64/{name}"}
    lists = {
        "repos": (*recipe.repos, *recipe.extra_repos),
        "packages": [f"'{entry}'" if " " in entry else entry for entry in recipe.packages],
        "exclude-packages": recipe.excludes,
        "units": recipe.enabled_units,
        "initramfs-args": recipe.initramfs_arguments,
        "remove-files": recipe.removed_paths,
        "postprocess": [_with_interpreter(script) for script in recipe.post_scripts if script.in_tree],
    }
    values |= {key: list(entries) for key, entries in lists.items() if entries}
    values |= {"documentation": False} if not recipe.documentation else {}
    values |= {"recommends": False} if not recipe.weak_dependencies else {}
    values |= {"selinux": False} if recipe.selinux == "disabled" else {}
    values |= {"install-langs": list(recipe.languages)} if recipe.languages is not None else {}
    if recipe.default_target != _DEFAULT.default_target:
        values["default-target"] = recipe.default_target
    head = f"# Converted from {recipe.files[0].name}.\n"
    if recipe.ostree_source:
        head += "# A treefile deploys no commit. List the packages of the one that ostreesetup deploys.\n"
    if recipe.groups:
        head += f"# A treefile names no groups. List the packages of: {' '.join(recipe.groups)}\n"
    return head + yaml.dump(values, Dumper=RecipeDumper, sort_keys=False, default_flow_style=False, width=1000)


class RecipeDumper(yaml.SafeDumper):
    """Writes a text of several lines as it is, after ``|``."""


def _written_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


RecipeDumper.add_representer(str, _written_text)


def _with_interpreter(script: PostScript) -> str:
    own = script.text.partition("\n")[0].removeprefix("#!").strip()
    same = program_of(replace(script, interpreter=own)) == program_of(script)
    plain = same or (script.interpreter == "/bin/sh" and not script.text.startswith("#!"))
    return script.text if plain else f"#!{script.interpreter}\n{script.text}"


def kickstart_of(recipe: Recipe) -> str:
    """The kickstart that says what a recipe says, as far as a kickstart can."""
    lines = [f"# Converted from {recipe.files[0].name}."]
    lists = {"enabled": recipe.enabled_units, "disabled": recipe.disabled_units}
    units = [shlex.quote(f"--{name}={','.join(units)}") for name, units in lists.items() if units]
    lines += [" ".join(["services", *units])] if units else []
    lines.append(f"selinux --{recipe.selinux}")
    lines += [f"lang {recipe.locale}"] if recipe.locale else []
    lines += [f"keyboard {recipe.keyboard}"] if recipe.keyboard else []
    lines += [f"timezone {recipe.timezone} --utc"] if recipe.timezone else []
    lines += ["xconfig --startxonboot"] if recipe.default_target == "graphical.target" else []
    lines += _repository_lines(recipe)
    lines.append(" ".join(["firewall", *(recipe.firewall or ["--use-system-defaults"])]))
    if recipe.kernel_arguments:
        lines.append(f"bootloader --append={shlex.quote(recipe.kernel_arguments)}")
    lines += [f"part / --fstype=ext4 --size={recipe.root_size_mib}"] if recipe.root_size_mib else []
    lines += ["", " ".join(["%packages", *package_options(recipe)])]
    lines += [f"@{group}" for group in recipe.groups if group != "core"]
    plain = [entry for entry in recipe.packages if not entry.startswith("(")]  # not (one or other)
    names = [entry.split()[0] for entry in plain]  # a kickstart takes no versions
    lines += [*names, *(f"-{name}" for name in recipe.excludes), "%end"]
    for script in recipe.post_scripts:
        if not any(word in _READ_IN_SCRIPTS for line in script.text.split("\n") for word in line.split()[:1]):
            lines += ["", " ".join(_post_options(script)), script.text.removesuffix("\n"), "%end"]
    return "\n".join(lines) + "\n"


def _repository_lines(recipe: Recipe) -> list[str]:
    own = {one.name: one for one in recipe.repositories}
    names = dict.fromkeys([*recipe.repos, *own, *recipe.extra_repos])
    return [_repository_line(own[name]) if name in own else f"repo --name={name}" for name in names]


def _repository_line(repository: YumRepository) -> str:
    base = repository.name == BASE
    words = ["url"] if base else ["repo", f"--name={repository.name}"]
    addresses = [(f"{'url' if base else 'baseurl'}", one) for one in repository.baseurl[:1]]
    addresses += [(kind, getattr(repository, kind)) for kind in ("mirrorlist", "metalink") if getattr(repository, kind)]
    words += [f"--{option}={value}" for option, value in addresses[:1]]
    words += [f"--cost={repository.cost}"] if repository.cost is not None and not base else []
    for option in ("includepkgs", "excludepkgs"):
        words += [f"--{option}={','.join(getattr(repository, option))}"] if getattr(repository, option) else []
    words += [f"--proxy={repository.proxy}"] if repository.proxy else []
    return " ".join(shlex.quote(word) for word in [*words, *([] if repository.sslverify else ["--noverifyssl"])])


def package_options(recipe: Recipe) -> Sequence[str]:
    """The options of %packages that say what the recipe says of groups, documentation and languages."""
    return [
        *(["--nocore"] if "core" not in recipe.groups else []),
        *(["--excludedocs"] if not recipe.documentation else []),
        *(["--exclude-weakdeps"] if not recipe.weak_dependencies else []),
        *([f"--inst-langs={','.join(recipe.languages)}"] if recipe.languages is not None else []),
    ]


def _post_options(script: PostScript) -> Sequence[str]:
    """The options of %post; its interpreter takes no arguments."""
    return [
        "%post",
        *(["--nochroot"] if not script.in_tree else []),
        *(["--erroronfail"] if script.stop_on_error else []),
        *([f"--interpreter={program_of(script).split()[0]}"] if script.interpreter != "/bin/sh" else []),
    ]
