"""What the design says of the code, held by reading the code."""

import ast
import json
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from atomic_lib.base import command
from atomic_lib.base.stage import Stage

CHECKOUT = Path(__file__).parents[2]
LIBRARY = CHECKOUT / "atomic_lib"
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if (path.parent / "__init__.py").exists())
"""All modules; a program for another interpreter stands in a folder that is no package."""
NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))
# From the bottom: a room may import itself and what stands before it.
ROOMS = (
    "base", "params", "tools", "formats", "content", "recipe", "solve", "compose", "image", "guest", "measure",
    "results", "report", "pipeline", "cli", "make_tools", "entry", "__main__",
)  # fmt: skip
MODULES_MOST = 12
CODE_LINES_MOST = 85
IMPORT_NAMES = {"yaml": "PyYAML", "nbformat": "nbconvert", "nbclient": "papermill", "traitlets": "nbconvert",
                "pydantic_core": "pydantic", "jupyter_client": "papermill", "cyclonedx": "cyclonedx-python-lib",
                "packageurl": "cyclonedx-python-lib", "IPython": "ipykernel", "jupyter_core": "papermill"}  # fmt: skip
"""Imports that come with, or under another name than, the dependency they belong to."""
OF_EXTRAS = {
    "atomic_lib/pipeline/explore/panel.py": "lab",  # also does without it
    "atomic_lib/pipeline/sweep/cluster/client.py": "cluster",
    "atomic_lib/pipeline/sweep/cluster/worker.py": "cluster",
}
"""Modules that import what only an extra brings, and its name."""
# Commands leave through one module; another starts Python processes, which execute notebooks.
DOORS = {"atomic_lib/base/command.py": {"subprocess"}, "atomic_lib/pipeline/notebooks.py": {"multiprocessing"}}


def named(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def _imports_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)}:{node.lineno}: write the full name of the module"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports_of(path: Path) -> frozenset[str]:
    """The full names of what a file imports anywhere, those for type checking only included."""
    return frozenset(_imports_in(path))


@cache
def calls_in(path: Path) -> frozenset[str]:
    """All that a file calls, as it is written."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return frozenset(map(ast.unparse, calls))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    return module.split(".")[1]


KNOWN_MODULES = frozenset(map(module_of, MODULES))


def imported_modules(path: Path) -> set[str]:
    """The modules of ours that a file imports."""
    names = {name for name in imports_of(path) if name.startswith("atomic_lib.")}
    return {name if name in KNOWN_MODULES else name.rpartition(".")[0] for name in names} - {"atomic_lib"}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parent != LIBRARY or path.stem != "__init__"], ids=named
)
def test_imports_go_down_only(path: Path) -> None:
    own = ROOMS.index(room_of(module_of(path)))
    assert [name for name in sorted(imported_modules(path)) if ROOMS.index(room_of(name)) > own] == []


def test_no_imports_in_a_circle() -> None:
    graph = {module_of(path): imported_modules(path) for path in MODULES}
    graph = {name: imported & graph.keys() for name, imported in graph.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]), pytrace=False)


def test_a_folder_is_one_room() -> None:
    counted = Counter(path.parent for path in MODULES if path.stem != "__init__")
    assert {named(folder): count for folder, count in counted.items() if count > MODULES_MOST} == {}


def test_no_two_modules_and_no_two_classes_have_one_name() -> None:
    modules = Counter(path.stem for path in MODULES if path.stem != "__init__")
    assert [name for name, count in modules.items() if count > 1 or f"{name}s" in modules] == []
    classes = Counter(
        node.name for path in MODULES for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in classes.items() if count > 1 and not name.startswith("_")] == []


def called_names(path: Path) -> set[str]:
    """The names of all that a file calls, without what they belong to."""
    return {call.rpartition(".")[2] for call in calls_in(path)}


def test_only_a_stage_computes_a_key() -> None:
    callers = {named(path) for path in MODULES if called_names(path) & {"get_or_make", "code_version"}}
    compared = "atomic_lib/pipeline/sweep/cluster/worker_identity.py"  # with that of other machines
    assert callers == {"atomic_lib/base/stage.py", "atomic_lib/tools/tools_tree.py", compared}


def test_each_stage_is_declared_once_under_a_name_of_its_own_with_all_that_makes_its_key() -> None:
    modules = [import_module(module_of(path)) for path in MODULES if "Stage" in called_names(path)]
    declared = [(module.__name__, value) for module in modules for value in vars(module).values()
                if isinstance(value, Stage) and value.make.__module__ == module.__name__]  # fmt: skip
    assert len(declared) == len({id(stage) for _, stage in declared}) >= len(modules) > 10
    assert [name for name, count in Counter(stage.name for _, stage in declared).items() if count > 1] == []
    assert [stage.name for module, stage in declared if stage.inputs.__module__ != module] == []
    calls = sum(path.read_text().count("= Stage(") for path in MODULES)
    assert len(declared) == calls, "a stage is a constant of the module that has its function"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_command_is_the_only_door_out(path: Path) -> None:
    doors = {"subprocess", "pty", "multiprocessing", "asyncio.subprocess"}
    imported, calls = imports_of(path), calls_in(path)
    used = {door for door in doors if any(name == door or name.startswith(f"{door}.") for name in imported)}
    used |= {name for name in calls if name.startswith(("os.system", "os.popen", "os.spawn", "os.posix_spawn"))}
    used |= {name for name in calls if name.startswith("asyncio.create_subprocess")}
    assert used <= DOORS.get(named(path), set())


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_are_declared_dependencies(path: Path) -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    declared = {line.split(">")[0].lower() for line in project["dependencies"]}
    if extra := OF_EXTRAS.get(named(path)):
        declared |= {line.split(">")[0].lower() for line in project["optional-dependencies"][extra]}
    foreign = {name.split(".")[0] for name in imports_of(path)} - sys.stdlib_module_names - {"atomic_lib"}
    assert {IMPORT_NAMES.get(name, name).lower() for name in foreign} <= declared


def test_no_module_is_a_drawer() -> None:
    assert [named(path) for path in MODULES if path.stem in {"util", "utils", "helpers", "misc", "common"}] == []


@pytest.mark.parametrize("module", ["atomic_lib", "atomic_lib.entry", "atomic_lib.tools.doctor"])
def test_import_stays_light(run_python: Callable[..., command.Completed], module: str) -> None:
    text = f"import sys, {module}; print(*sorted({{'pandas', 'matplotlib', 'numpy', 'papermill'}} & set(sys.modules)))"
    assert run_python(text).stdout.split() == []


def test_the_process_of_a_notebook_loads_no_page(run_python: Callable[..., command.Completed]) -> None:
    text = "import sys, atomic_lib.pipeline.notebooks; print(*(name for name in sys.modules if '.report' in name))"
    assert run_python(text).stdout.split() == []


def test_the_process_of_a_notebook_finds_its_kernel_without_ipython(
    run_python: Callable[..., command.Completed],
) -> None:
    text = (
        "import sys, nbformat, atomic_lib.pipeline.notebook_worker as worker\n"
        "from papermill.engines import NotebookExecutionManager\n"
        "manager = NotebookExecutionManager(nbformat.v4.new_notebook())\n"
        "client = worker._Client(manager, kernel_name='python3', tell=print, limit=None)\n"
        "print(client.create_kernel_manager().kernel_spec.language, 'IPython' in sys.modules)"
    )
    assert run_python(text).stdout.split() == ["python", "False"]


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def source_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_there_are_notebooks() -> None:
    assert {"compare.ipynb", "variant.ipynb"} <= {path.name for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_notebook_is_stripped(path: Path) -> None:
    notebook = json.loads(path.read_text())
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "papermill" not in notebook["metadata"]
    for cell in notebook["cells"]:
        assert not {"papermill", "execution", "ExecuteTime"} & set(cell["metadata"])
    for cell in code_cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_notebook_is_thin(path: Path) -> None:
    refused = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Try, ast.Lambda)
    for cell in code_cells(path):
        found = [node for node in ast.walk(ast.parse(source_of(cell))) if isinstance(node, refused)]
        assert not found, f"{named(path)}: {ast.unparse(found[0]).splitlines()[0]}: belongs into atomic_lib"
    lines = [line for cell in code_cells(path) for line in source_of(cell).splitlines()]
    assert sum(1 for line in lines if line.strip() and not line.lstrip().startswith("#")) <= CODE_LINES_MOST


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_notebook_parameters_are_typed_literals(path: Path) -> None:
    cells = [cell for cell in code_cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(cells) == 1, f"{named(path)}: one cell tagged parameters"
    for statement in ast.parse(source_of(cells[0])).body:
        assert isinstance(statement, ast.AnnAssign), f"{named(path)}: {ast.unparse(statement)}: NAME: TYPE = LITERAL"
        assert statement.value is not None
        ast.literal_eval(statement.value)


def source_files() -> list[Path]:
    """Every file that is or could be committed."""
    listing = ["git", "-C", str(CHECKOUT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    # A checkout may belong to another user than the one that runs the tests.
    trust = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    names = command.run(listing, env=trust).stdout.split("\0")
    return [path for name in names if name and (path := CHECKOUT / name).is_file()]


def test_no_file_names_a_registry() -> None:
    # Put together here, so that this file names none either.
    hosts = [
        ".".join(words).encode()
        for words in (
            ("deb", "debian", "org"),
            ("pypi", "org"),
            ("files", "pythonhosted", "org"),
            ("registry", "npmjs", "org"),
            ("conda", "anaconda", "org"),
        )
    ]
    found = [named(path) for path in source_files() if any(host in path.read_bytes() for host in hosts)]
    assert found == []


def problems_of(*words: str) -> str:
    """What a tool finds in this checkout; empty where it is content."""
    try:
        command.run([sys.executable, "-m", *words], cwd=CHECKOUT, timeout_seconds=600)
    except command.CommandError as error:
        return error.stdout or str(error)
    return ""


@pytest.mark.parametrize("words", [("check",), ("format", "--check")], ids="ruff {0[0]}".format)
def test_code_is_clean(words: tuple[str, ...]) -> None:
    if problems := problems_of("ruff", *words, "--no-cache", "."):
        pytest.fail(problems, pytrace=False)


def notebooks_as_modules(directory: Path) -> list[str]:
    """The code cells of each notebook in their order, as a module that mypy can read."""
    for path in NOTEBOOKS:
        cells = [source_of(cell) for cell in code_cells(path)]
        (directory / f"notebook_{path.stem}.py").write_text("\n".join([f"# notebooks/{path.name}", *cells]) + "\n")
    return [str(file) for file in sorted(directory.iterdir())]


def test_types_hold_in_library_tests_benchmarks_and_notebooks(tmp_path: Path) -> None:
    checked = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["mypy"]["files"]
    assert checked == ["atomic_lib", "tests", "benchmarks"]
    # The cache of a ``mypy`` that was started by hand, too; a checkout of somebody else gets none.
    cache = CHECKOUT / ".mypy_cache" if os.access(CHECKOUT, os.W_OK) else os.devnull
    if problems := problems_of("mypy", "--cache-dir", str(cache), *checked, *notebooks_as_modules(tmp_path)):
        pytest.fail(problems, pytrace=False)
