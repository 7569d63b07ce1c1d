"""How JupyterLab starts: its command line, its environment, and the kernel of its notebooks.

It opens the landing notebook, shows the checkout, fetches no news, and leaves the user's own configuration alone.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from atomic_lib.base.paths import BUILD, CHECKOUT
from atomic_lib.base.progress import ALIVE_SECONDS, ALIVE_VARIABLE

LANDING = "notebooks/index.ipynb"
EXTENSION = "atomic_lib.pipeline.lab.notebook_display"
"""What each kernel loads first."""
_CONFIG = Path(__file__).parent / "config"
_KERNEL = "share/jupyter/kernels/python3/kernel.json"


def server_words(*, display: bool, root: bool) -> list[str]:
    """The command line of JupyterLab on 127.0.0.1; without a ``display`` it opens no browser."""
    words = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={CHECKOUT}",
             f"--LabApp.default_url=/lab/tree/{LANDING}",
             # looking for language servers would run npm
             "--LanguageServerManager.autodetect=False"]  # fmt: skip
    return [*words, *(["--allow-root"] if root else []), *([] if display else ["--no-browser"])]


def server_environment(environment: Mapping[str, str], directory: Path = BUILD / "jupyter") -> dict[str, str]:
    """The environment of JupyterLab: our settings come before the user's, and the window begins empty.

    Steps in a cell give signs of life as often as on a terminal.

    ``directory``: where the server keeps its files; the kernels of root's notebooks cannot read root's own directories.
    """
    return {
        **environment,
        ALIVE_VARIABLE: f"{ALIVE_SECONDS:g}",
        "JUPYTER_RUNTIME_DIR": str(directory),
        "JUPYTERLAB_WORKSPACES_DIR": str(directory / "workspaces"),
        "JUPYTER_CONFIG_PATH": _before(str(_CONFIG), environment.get("JUPYTER_CONFIG_PATH")),
        "JUPYTER_PATH": _before(str(directory / "share"), environment.get("JUPYTER_PATH")),
    }


def write_kernel(directory: Path = BUILD / "jupyter", prefix: Path | None = None) -> None:
    """Write the kernel of JupyterLab's notebooks: that of the environment, which also loads our extension."""
    spec = json.loads(((prefix or Path(sys.prefix)) / _KERNEL).read_text(encoding="utf-8"))
    spec["argv"] = with_extension(spec["argv"])
    path = directory / "share/kernels/python3/kernel.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(spec), encoding="utf-8")


def with_extension(argv: Sequence[str]) -> list[str]:
    """The command line of a kernel that loads our extension."""
    return [*argv, f"--ext={EXTENSION}"]


def _before(path: str, others: str | None) -> str:
    return os.pathsep.join([path, *([others] if others else [])])
