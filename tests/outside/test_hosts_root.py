"""The host's root uses a recipe, and a cache, in directories that only root may enter."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from atomic_lib.base.paths import CHECKOUT
from atomic_lib.tools import user_namespace
from atomic_lib.tools.subordinate_ids import ID_COUNT
from atomic_lib.tools.user_namespace import is_inside

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or is_inside(), reason="starts as the host's root, outside of the namespace: .ci/run"
)


def workbook(*words: str | Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-P", "-m", "atomic_lib", *words]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=1800, check=False)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe and what it includes, as in /root."""
    directory = tmp_path / "closed"
    directory.mkdir(mode=0o700)
    (directory / "base.yaml").write_text("packages: [bash]\n")
    (directory / "host.yaml").write_text("ref: own\ninclude: base.yaml\npackages: [tar]\nrecommends: false\n")
    return directory / "host.yaml"


def test_questions_are_answered(recipe: Path) -> None:
    done = workbook("why", "bash", "--variant", recipe)
    assert done.returncode == 0, done.stderr
    assert "host: Why bash is here" in done.stdout


def test_an_error_names_the_line_of_the_recipe(recipe: Path) -> None:
    recipe.write_text("ref: own\npackages: [bash, no-such-package]\n")
    done = workbook("why", "bash", "--strict", "--variant", recipe)
    assert done.returncode == 1
    assert "error: host.yaml:2: content 'standin' has no package 'no-such-package'" in done.stderr


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_cache_and_python_environment_are_found_behind_symbolic_links(mode: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "holder").mkdir(mode)
        (directory / "place").mkdir()
        (directory / "holder/link").symlink_to(directory / "place")
        (directory / "holder/environment").symlink_to(sys.prefix)
        python = directory / "holder/environment/bin/python"
        script = 'head -n 1 /proc/self/uid_map && touch "$WORKBOOK_CACHE/file"'
        cache = {"PYTHONPATH": str(CHECKOUT), "WORKBOOK_CACHE": str(directory / "holder/link/cache")}
        line = [str(python), "-P", "-m", user_namespace.__name__, "sh", "-c", script]
        done = subprocess.run(line, env={**os.environ, **cache}, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout.split() == ["0", str(user_namespace.ROOT_RANGE_START), str(ID_COUNT)]
        assert (directory / "place/cache/file").stat().st_uid == 0


def test_papermill_executes_a_notebook(tmp_path: Path) -> None:
    line = [Path(sys.executable).with_name("papermill"), CHECKOUT / "notebooks/index.ipynb", tmp_path / "index.ipynb"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # where it says how to connect to the kernel
    tmp_path.chmod(0o700)
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "traditional-min" in (tmp_path / "index.ipynb").read_text()
