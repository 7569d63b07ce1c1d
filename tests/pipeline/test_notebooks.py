"""Notebooks really executed: what each fault of a cell, a kernel, a process or a file becomes, and what is stored."""

import json
import signal
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from atomic_lib.base.errors import SetupError, WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.store import key_of
from atomic_lib.pipeline.notebooks import USES_FILE, Execution, execute_all
from tests.pipeline.small_notebooks import notebook

LIMIT_SECONDS = 900
CELLS = {
    "kernel-killed": ["import os, time; print('before', flush=True); time.sleep(1); os.kill(os.getpid(), 9)"],
    "kernel-exits": ["import os; os._exit(0)"],
    "worker-killed": ["import os, time; os.kill(os.getppid(), 9); time.sleep(60)"],
    "exit": ["raise SystemExit(0)", "1"],
    "prints": ["for _ in range(20): print('y' * 100_000)"],
    "shows": ["from IPython.display import HTML\nHTML('z' * 50_000_000)"],
    "raises": [f"raise ValueError('x' * 2_000_000 + '\\n{CHECKOUT}/b')"],
    "path": [f"raise ValueError('{CHECKOUT}/a', '{{}}'.format(__import__('os').environ['TMPDIR']))"],
    "full": ["open('/dev/full', 'w').write('x' * 100_000)"],
    "workbook-error": [
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from atomic_lib.base.errors import SetupError\nraise SetupError('one', log='two\\nthree', hint='four')"
    ],
    "says": [
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from atomic_lib.base.progress import say, step\n"
        "with step('compose'):\n    say('this is for the page')\nprint('→ so is this')"
    ],
    "uses": [
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from pathlib import Path\nfrom atomic_lib.base.store import Store\n"
        "for name in 'b', 'a', 'b':\n"
        "    Store(Path('store')).get_or_make(name, {}, lambda _: None, what=name, silent=True)\n"
    ],
    "memory": ["import resource; resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31)); bytes(2**32)"],
    "hangs": ["print('before', flush=True)\nimport time; time.sleep(600)"],
    "good": ["open('good', 'w').write(x)"],
    "no-kernel": ["1"],
}


@pytest.fixture(autouse=True, scope="module")
def in_time() -> Iterator[None]:
    """Fail instead of waiting for ever."""

    def fail(*_: object) -> None:
        raise TimeoutError(f"not done after {LIMIT_SECONDS} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(LIMIT_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="module")
def errors(directory: Path) -> dict[str, WorkbookError | None]:
    """All notebooks executed, two at once, and their errors."""
    for name, cells in CELLS.items():
        kernel = "nope" if name == "no-kernel" else "python3"
        (directory / f"{name}.ipynb").write_text(json.dumps(notebook(['x = ""\n', *cells], kernel)))
    (directory / "empty.ipynb").write_text(json.dumps(notebook([])))
    untagged = notebook(['x = ""', "1"])
    untagged["cells"][0]["metadata"] = {}
    (directory / "without-parameters.ipynb").write_text(json.dumps(untagged))
    (directory / "damaged.ipynb").write_text('{"cells": [')
    (directory / "file").touch()
    outputs = {
        name: directory / "out" / f"{name}.ipynb"
        for name in (*CELLS, "empty", "without-parameters", "damaged", "missing")
    }
    executions = [Execution(directory / f"{name}.ipynb", out, {"x": "1"}) for name, out in outputs.items()]
    at = next(at for at, one in enumerate(executions) if one.notebook.stem == "hangs")
    executions[at] = replace(executions[at], cell_seconds=5)
    executions.append(Execution(directory / "good.ipynb", directory / "file/out.ipynb", {"x": "2"}))
    with open(directory / "shown", "w") as shown, redirect_stderr(shown):
        told = dict[int, WorkbookError | None]()
        found = execute_all(executions, workers=2, ended=told.__setitem__)
    assert told == dict(enumerate(found))
    return dict(zip((*outputs, "unwritable"), found, strict=True))


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("kernel-killed", WorkbookError, "the kernel of the notebook died"),
        ("kernel-exits", WorkbookError, "the kernel of the notebook died"),
        ("worker-killed", WorkbookError, "the process of worker-killed.ipynb was killed by SIGKILL"),
        ("exit", SetupError, "exit.ipynb: ended after 2 of 3 cells"),
        ("hangs", SetupError, "hangs.ipynb: a cell took more than 5 s, and was stopped"),
        ("prints", SetupError, "prints.ipynb: its cells print more than 1048576 characters"),
        ("shows", SetupError, "shows.ipynb: its tables and figures have more than 33554432 characters"),
        ("without-parameters", SetupError, "without-parameters.ipynb: has no cell tagged 'parameters'"),
        ("memory", WorkbookError, "a cell ran out of memory"),
        ("empty", SetupError, "empty.ipynb: has no code to execute"),
        ("damaged", SetupError, "damaged.ipynb: not a notebook: Notebook does not appear to be JSON: "),
        ("missing", WorkbookError, "missing.ipynb: No such file or directory"),
        ("no-kernel", SetupError, "no-kernel.ipynb: no kernel 'nope' is installed"),
        ("raises", WorkbookError, "ValueError: xxxxx"),
        ("workbook-error", SetupError, "one"),
        ("full", SetupError, "a file could not be written: the file system at /"),
        ("unwritable", WorkbookError, "file: "),
    ],
)
def test_each_fault_is_one_error_of_its_notebook(
    errors: dict[str, WorkbookError | None], name: str, kind: type[WorkbookError], message: str
) -> None:
    error = errors[name]
    assert type(error) is kind
    assert message in error.message
    assert "\n" not in error.message
    assert len(error.message) < 700


def test_the_next_step_and_the_log_of_an_error_are_kept(errors: dict[str, WorkbookError | None]) -> None:
    error = errors["workbook-error"]
    assert error is not None
    assert (error.message, error.log, error.hint) == ("one", "two\nthree", "four")
    killed, restored = errors["kernel-killed"], errors["exit"]
    assert killed is not None
    assert "journalctl -k" in killed.hint
    assert restored is not None
    assert "git restore" in restored.hint


def test_the_others_go_on(errors: dict[str, WorkbookError | None], directory: Path) -> None:
    assert [errors["good"], errors["says"]] == [None, None]
    assert (directory / "good").read_text() in ("1", "2")


def test_what_a_notebook_used_is_beside_it(errors: dict[str, WorkbookError | None], directory: Path) -> None:
    assert errors["uses"] is None
    key = key_of({})
    assert (directory / "out" / USES_FILE).read_text() == f"a/{key}\nb/{key}\n"


@pytest.mark.parametrize("name", ["prints", "shows", "raises"])
@pytest.mark.usefixtures("errors")
def test_output_without_end_is_not_stored(directory: Path, name: str) -> None:
    stored = directory / "out" / f"{name}.ipynb"
    assert stored.stat().st_size < 1_200_000
    assert ("is not kept" in stored.read_text()) == (name != "raises")


def test_progress_is_shown_at_once_and_not_stored(directory: Path, errors: dict[str, WorkbookError | None]) -> None:
    assert errors["says"] is None
    cell = nbformat.read(directory / "out/says.ipynb", as_version=4).cells[-1]  # type: ignore[no-untyped-call]
    assert {one.name: one.text for one in cell.outputs} == {
        "stderr": "this is for the page\n", "stdout": "→ so is this\n",
    }  # fmt: skip
    shown = (directory / "shown").read_text().splitlines()
    assert [line[:9] for line in shown if "compose" in line] == ["→ compose", "✓ compose"]


@pytest.mark.usefixtures("errors")
def test_what_a_notebook_did_before_its_kernel_died_is_stored(directory: Path) -> None:
    cells = nbformat.read(directory / "out/kernel-killed.ipynb", as_version=4).cells  # type: ignore[no-untyped-call]
    assert cells[-1].outputs[0].text == "before\n"


@pytest.mark.usefixtures("errors")
def test_no_stored_notebook_names_a_directory_of_this_machine(directory: Path) -> None:
    text = (directory / "out/path.ipynb").read_text()
    outputs = nbformat.reads(text, as_version=4).cells[-1].outputs  # type: ignore[no-untyped-call]
    assert outputs[0].evalue.startswith("('./a', '")
    for trace in ("workbook-notebook-", str(directory), f"{CHECKOUT}/"):
        assert trace not in json.dumps(outputs)
    assert "papermill" not in json.loads(text)["metadata"]
