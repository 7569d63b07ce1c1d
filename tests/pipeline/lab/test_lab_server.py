"""How JupyterLab is started: its words, its environment, its kernel."""

import json
from pathlib import Path

import pytest

from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.progress import ALIVE_SECONDS, ALIVE_VARIABLE
from atomic_lib.pipeline.lab import lab_server
from atomic_lib.pipeline.lab.lab_server import EXTENSION, LANDING, server_environment, server_words, write_kernel


def test_it_shows_the_checkout_and_opens_the_landing_notebook() -> None:
    words = server_words(display=True, root=False)
    assert f"--ServerApp.root_dir={CHECKOUT}" in words
    assert f"--LabApp.default_url=/lab/tree/{LANDING}" in words
    assert (CHECKOUT / LANDING).is_file()
    assert not {"--no-browser", "--allow-root"} & set(words)


@pytest.mark.parametrize(("option", "word"), [("display", "--no-browser"), ("root", "--allow-root")])
def test_without_a_display_or_as_root_it_gets_an_option_more(option: str, word: str) -> None:
    assert word in server_words(**{"display": True, "root": False, option: option == "root"})


def test_our_settings_come_before_those_of_the_user(tmp_path: Path) -> None:
    found = server_environment({"JUPYTER_CONFIG_PATH": "/theirs", "LANG": "C"}, tmp_path)
    first, second = found["JUPYTER_CONFIG_PATH"].split(":")
    assert second == "/theirs"
    assert found["LANG"] == "C"
    assert found[ALIVE_VARIABLE] == f"{ALIVE_SECONDS:g}"
    page = json.loads(Path(first, "labconfig/page_config.json").read_text())
    assert page["disabledExtensions"] == {"@jupyterlab/apputils-extension:announcements": True}


def test_the_kernel_is_that_of_the_environment_and_loads_the_extension(tmp_path: Path) -> None:
    prefix, directory = tmp_path / "prefix", tmp_path / "jupyter"
    spec = prefix / lab_server._KERNEL
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["python", "-f", "{connection_file}"], "display_name": "Atomic workbook"}))
    write_kernel(directory, prefix)
    written = json.loads((directory / "share/kernels/python3/kernel.json").read_text())
    assert written == {"argv": ["python", "-f", "{connection_file}", f"--ext={EXTENSION}"],
                       "display_name": "Atomic workbook"}  # fmt: skip
    assert str(directory / "share") in server_environment({}, directory)["JUPYTER_PATH"]
