"""The code that belongs to a key: what a module imports, and nothing else."""

from pathlib import Path

import pytest

from atomic_lib.base.code_version import code_files, code_version
from atomic_lib.base.paths import CHECKOUT

# Each file as its path in the package; ``outside`` and ``typing_only`` are what room.stage does not load.
PACKAGE = {
    "__init__.py": "",
    "room/__init__.py": "",
    "room/stage.py": """
from typing import TYPE_CHECKING
import json
from atomic_lib.room import direct
from atomic_lib.room.named import Name
if TYPE_CHECKING:
    from atomic_lib.other.typing_only import Text
else:
    import atomic_lib.other.instead
def make():
    from atomic_lib.other.late import late
    return direct, Name, late, json
""",
    "room/direct.py": "import atomic_lib.deep.transitive\n",
    "room/named.py": "class Name: ...\n",
    "room/program.sh": "#!/bin/sh\n",
    "room/guest/unit.service": "[Unit]\n",
    "room/guest/plugin.py": "import dnf\n",
    "room/inner/__init__.py": "",
    "room/inner/data.txt": "of a room that is not used\n",
    "room/outside.py": "",
    "other/__init__.py": "",
    "other/late.py": "def late(): ...\n",
    "other/instead.py": "",
    "other/typing_only.py": "Text = str\n",
    "deep/__init__.py": "",
    "deep/transitive.py": "try:\n    import atomic_lib.deep.deepest\n"
    "except ImportError:\n    import atomic_lib.deep.handler\n"
    "match 1:\n    case _:\n        import atomic_lib.deep.case\n",
    "deep/deepest.py": "",
    "deep/handler.py": "",
    "deep/case.py": "",
    "deep/rules.yaml": "rules: []\n",
    "elsewhere/__init__.py": "",
    "elsewhere/module.py": "from atomic_lib.room import stage\n",
    "elsewhere/data.txt": "",
}
COUNTED = (
    "room/stage.py", "room/direct.py", "room/named.py", "room/program.sh", "room/guest/unit.service",
    "room/guest/plugin.py", "other/late.py", "other/instead.py", "deep/transitive.py", "deep/deepest.py",
    "deep/handler.py", "deep/case.py", "deep/rules.yaml",
)  # fmt: skip


def package(top: Path, **changed: str) -> Path:
    """The package below ``top``; ``changed`` are files with another text, or with one at all."""
    for name, text in {**PACKAGE, **changed}.items():
        path = top / "atomic_lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return top


def version(top: Path, **changed: str) -> str:
    return code_version("atomic_lib.room.stage", package(top, **changed))


def test_the_same_files_have_the_same_version_wherever_they_are(tmp_path: Path) -> None:
    assert version(tmp_path / "a") == version(tmp_path / "b/c")


@pytest.mark.parametrize("name", COUNTED)
def test_a_change_in_what_is_loaded_changes_the_version(tmp_path: Path, name: str) -> None:
    text = f"{PACKAGE[name]}# changed\n"
    assert version(tmp_path / "a") != version(tmp_path / "b", **{name: text})


@pytest.mark.parametrize("name", [name for name in PACKAGE if name not in COUNTED and "__init__" not in name])
def test_a_change_in_anything_else_does_not(tmp_path: Path, name: str) -> None:
    text = f"{PACKAGE[name]}# changed\n"
    assert version(tmp_path / "a") == version(tmp_path / "b", **{name: text})


@pytest.mark.parametrize("name", ["room/new.sh", "deep/new/unit.service"])
def test_a_file_that_comes_to_the_data_changes_the_version(tmp_path: Path, name: str) -> None:
    assert version(tmp_path / "a") != version(tmp_path / "b", **{name: ""})


def test_a_file_that_is_named_otherwise_changes_the_version(tmp_path: Path) -> None:
    first = package(tmp_path / "a")
    second = package(tmp_path / "b")
    (second / "atomic_lib/deep/rules.yaml").rename(second / "atomic_lib/deep/other.yaml")
    assert code_version("atomic_lib.room.stage", first) != code_version("atomic_lib.room.stage", second)


def test_what_python_compiles_does_not_count(tmp_path: Path) -> None:
    cached = {f"{folder}/__pycache__/stage.cpython-311.pyc": "compiled" for folder in ("room", "room/guest")}
    assert version(tmp_path / "a") == version(tmp_path / "b", **cached)


def test_modules_that_import_each_other_end(tmp_path: Path) -> None:
    assert version(tmp_path / "a", **{"deep/deepest.py": "import atomic_lib.room.stage\n"})


def test_a_module_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no module 'json' below"):
        code_version("json", package(tmp_path))


def closure(module: str) -> set[str]:
    """What a module of the project depends on, as paths in the package."""
    return {str(path.relative_to(CHECKOUT / "atomic_lib")) for path in code_files(module)}


def test_the_code_of_a_tree_is_what_composes_it() -> None:
    found = closure("atomic_lib.compose.tree")
    assert found >= {
        "compose/tree.py", "compose/dracut.py", "compose/install.py", "compose/ostree.py", "solve/rpm_set.py",
        "content/repositories.py", "content/keyring.py", "formats/rpm_headers.py", "formats/openpgp.py",
        "tools/tools_tree.py", "base/command.py", "base/store.py",
    }  # fmt: skip
    rooms = {name.partition("/")[0] for name in found}
    assert not rooms & {"image", "guest", "measure", "results", "report", "pipeline", "cli.py"}


def test_the_code_of_an_rpm_set_is_what_resolves_it() -> None:
    found = closure("atomic_lib.solve.resolve")
    assert found >= {"solve/resolve.py", "solve/dnf_run.py", "solve/locked.py", "solve/rpm_cache.py"}
    assert not {name for name in found if name.startswith("compose/")}


def test_the_code_of_a_repository_counts_its_spec_files_and_programs() -> None:
    found = closure("atomic_lib.content.agent_repository")
    assert found >= {"content/min_cloud_agent/min-cloud-agent", "content/min_cloud_agent/min-cloud-agent.spec"}
    assert "content/standin/selinux/standin.cil" in closure("atomic_lib.content.standin.standin_repository")


def test_the_code_of_an_image_and_of_a_boot_follows_theirs() -> None:
    assert closure("atomic_lib.compose.tree") < closure("atomic_lib.image.disk")
    assert closure("atomic_lib.image.disk") < closure("atomic_lib.guest.boot_stages")


def test_the_code_of_the_fault_trials_counts_what_runs_in_a_process_of_its_own() -> None:
    found = closure("atomic_lib.guest.faults.trial")
    assert found >= {
        "guest/faults/namespaces.py", "guest/faults/power_cut.py", "guest/faults/faulty_service.py",
        "guest/faults/catalogue.py", "guest/faults/cloud_init/modules.cfg",
    }  # fmt: skip
