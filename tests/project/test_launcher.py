"""The launcher ./workbook: its output, the programs that it starts, and the files that it does not touch."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from ipykernel.kernelspec import get_kernel_dict

from atomic_lib import make_tools
from atomic_lib.base import command
from atomic_lib.base.command import CommandError
from atomic_lib.pipeline.lab import kernel_process

CHECKOUT = Path(__file__).parents[2]
NEEDED = ("bash", "cat", "dirname", "flock", "id", "readlink", "sh", "sha256sum")
LOCKS = ("requirements-build.lock", "requirements.lock", "requirements-lab.lock", "requirements-cluster.lock")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with only the launcher and the lock files."""
    top = tmp_path / "checkout"
    top.mkdir()
    shutil.copy2(CHECKOUT / "workbook", top / "workbook")
    for name in LOCKS:
        (top / name).write_text(f"# {name}\n")
    return top


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory for PATH with only the standard programs that the launcher starts."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in NEEDED:
        (directory / name).symlink_to(str(shutil.which(name)))
    return directory


def program(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def make_ready(copy: Path, name: str, lock: str) -> None:
    """An environment that the launcher accepts as ready, whose Python prints its arguments."""
    (copy / name / "bin").mkdir(parents=True)
    python = copy / name / "bin/python"
    program(python, 'echo "$@"; echo "mirror=$WORKBOOK_MIRROR path=$PYTHONPATH"')
    digest = hashlib.sha256((copy / LOCKS[0]).read_bytes() + (copy / lock).read_bytes() + kernel(copy / name))
    (copy / name / "stamp").write_text(f"{digest.hexdigest()} {python.resolve()} {copy.resolve()}\n")


def kernel(venv: Path) -> bytes:
    """What the launcher writes as the kernel's specification."""
    text = (CHECKOUT / "workbook").read_text().partition("cat <<END\n")[2].partition("END\n")[0]
    return text.replace("$1", str(venv)).encode()


def test_the_kernel_of_notebooks_is_ipykernels_own_which_enters_the_namespace(tmp_path: Path) -> None:
    spec, own = json.loads(kernel(tmp_path / "a b")), get_kernel_dict()
    python = str(tmp_path / "a b/bin/python")
    assert own["argv"][1:3] == ["-m", "ipykernel_launcher"]
    wrapped = [python, "-m", kernel_process.__name__, *own["argv"][3:]]
    assert spec == {**own, "argv": wrapped, "display_name": "Atomic workbook"}


def with_host_tools(programs: Path) -> None:
    for name in ("mmdebstrap", "bwrap", "newuidmap"):
        program(programs / name, "exit 0")


def as_user(programs: Path, user: int) -> None:
    """This user asks, on a host that has all tools."""
    with_host_tools(programs)
    program(programs / "id", f"echo {user}")
    program(programs / "apt-get", "exit 0")


def launch(copy: Path, programs: Path, *words: str, **variables: str) -> command.Completed:
    return command.run([copy / "workbook", *words], env={"PATH": str(programs), **variables}, timeout_seconds=30)


def refusal(copy: Path, programs: Path, *words: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        launch(copy, programs, *words)
    return caught.value


def test_help_needs_nothing(copy: Path, programs: Path) -> None:
    for words in ([], ["help"], ["--help"]):
        text = launch(copy, programs, *words).stdout
        assert all(f"  {name}" in text for name in ("run", "equality", "verify", "test", "lab", "doctor", "clean"))
    assert sorted(path.name for path in copy.iterdir()) == sorted([*LOCKS, "workbook"])


def test_unknown_command(copy: Path, programs: Path) -> None:
    error = refusal(copy, programs, "biuld")
    assert error.status == 2
    assert "unknown command 'biuld'" in error.stderr


def test_each_command_of_the_help_is_known(copy: Path, programs: Path) -> None:
    text = launch(copy, programs, "help").stdout
    names = {line.split()[0] for line in text.splitlines() if line[:2] == "  " and line[2:3].isalpha()} - {"help"}
    assert {"run", "update", "power-cuts", "clean"} <= names
    for name in sorted(names):
        # there is no environment, and nothing to make one with: what fails is not the name
        assert "unknown command" not in refusal(copy, programs, name, "--no-install").stderr, name


def test_mirror_without_an_address(copy: Path, programs: Path) -> None:
    assert "--mirror requires a URL" in refusal(copy, programs, "run", "--mirror").stderr


@pytest.mark.parametrize(
    ("manager", "user", "expected"),
    [
        ("apt-get", 0, "apt-get install -y --no-install-recommends mmdebstrap bubblewrap uidmap"),
        ("apt-get", 1000, "sudo sh -c '"),
        ("dnf", 1000, "sudo sh -c 'dnf install -y mmdebstrap bubblewrap shadow-utils"),
    ],
)
def test_no_install_prints_the_command_and_stops(
    copy: Path, programs: Path, manager: str, user: int, expected: str
) -> None:
    make_ready(copy, ".venv", "requirements.lock")
    program(programs / "id", f"echo {user}")
    program(programs / manager, "echo installed >&2; exit 1")
    error = refusal(copy, programs, "--no-install", "run")
    assert expected in error.stderr
    assert "mmdebstrap bubblewrap" in error.stderr
    assert "installed" not in error.stderr
    assert error.status == 1


def test_without_a_terminal_an_ordinary_user_gets_the_command(copy: Path, programs: Path) -> None:
    make_ready(copy, ".venv", "requirements.lock")
    program(programs / "id", "echo 1000")
    program(programs / "apt-get", "echo installed >&2")
    program(programs / "sudo", "echo became root >&2")
    error = refusal(copy, programs, "run")
    assert "    sudo sh -c " in error.stderr
    assert "this needs root; run the command above" in error.stderr
    assert "installed" not in error.stderr
    assert "became root" not in error.stderr


def test_root_installs_what_is_missing(copy: Path, programs: Path) -> None:
    make_ready(copy, ".venv", "requirements.lock")
    program(programs / "id", "echo 0")
    program(programs / "apt-get", 'echo "apt-get $*" >&2')
    done = launch(copy, programs, "run")
    assert "apt-get install -y --no-install-recommends mmdebstrap bubblewrap uidmap" in done.stderr
    assert done.stdout.startswith("-P -m atomic_lib run\n")


def test_neither_package_manager(copy: Path, programs: Path) -> None:
    make_ready(copy, ".venv", "requirements.lock")
    program(programs / "id", "echo 0")
    assert "neither apt-get nor dnf" in refusal(copy, programs, "run").stderr


def test_an_ordinary_user_needs_no_root_but_to_install(copy: Path, programs: Path) -> None:
    make_ready(copy, ".venv", "requirements.lock")
    with_host_tools(programs)
    program(programs / "id", "echo 1000")
    program(programs / "apt-get", "exit 1")
    if not Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists():
        pytest.skip("without Debian's keys the launcher asks for them first")
    for words in (("run", "quick"), ("equality", "--boot"), ("test", "-x")):
        assert launch(copy, programs, *words).stdout.startswith(f"-P -m atomic_lib {' '.join(words)}\n")


def test_ready_environment_is_used_as_it_is(copy: Path, programs: Path) -> None:
    make_ready(copy, ".venv", "requirements.lock")
    done = launch(copy, programs, "doctor", "--mirror", "http://m.example", PYTHONPATH="/elsewhere")
    assert done.stdout == "-P -m atomic_lib doctor\nmirror=http://m.example path=\n"
    assert done.stderr == ""


def test_through_a_link_from_another_directory(copy: Path, programs: Path, tmp_path: Path) -> None:
    make_ready(copy, ".venv", "requirements.lock")
    link = tmp_path / "link"
    link.symlink_to("checkout/workbook")
    done = command.run([link, "clean", "a b"], cwd=Path("/"), env={"PATH": str(programs)})
    assert done.stdout.startswith("-P -m atomic_lib clean a b\n")


def test_lab_has_its_own_environment(copy: Path, programs: Path) -> None:
    make_ready(copy, ".venv-lab", "requirements-lab.lock")
    as_user(programs, 0)
    assert launch(copy, programs, "lab").stdout.startswith("-P -m atomic_lib lab\n")


@pytest.mark.parametrize(
    "words",
    [
        ["sweep-worker"],
        ["sweep-scheduler", "tcp://127.0.0.1:1"],
        ["sweep", "a.yaml", "--scheduler", "tcp://127.0.0.1:1"],
        ["sweep", "a.yaml", "--scheduler=tcp://127.0.0.1:1"],
    ],
)
def test_a_cluster_has_its_own_environment(copy: Path, programs: Path, words: list[str]) -> None:
    make_ready(copy, ".venv-cluster", "requirements-cluster.lock")
    as_user(programs, 0)
    assert launch(copy, programs, *words).stdout.startswith(f"-P -m atomic_lib {' '.join(words)}\n")


@pytest.mark.parametrize("words", [["sweep", "a.yaml"], ["sweep-worker", "--help"]])
def test_what_needs_no_cluster_uses_the_usual_environment(copy: Path, programs: Path, words: list[str]) -> None:
    make_ready(copy, ".venv", "requirements.lock")
    as_user(programs, 0)
    assert launch(copy, programs, *words).stdout.startswith(f"-P -m atomic_lib {' '.join(words)}\n")


@pytest.mark.parametrize("spoil", ["lock", "stamp", "place"])
def test_environment_of_another_lock_or_place_is_remade(copy: Path, programs: Path, spoil: str) -> None:
    make_ready(copy, ".venv", "requirements.lock")
    (programs / "rm").symlink_to(str(shutil.which("rm")))
    if spoil == "lock":
        (copy / "requirements.lock").write_text("# newer\n")
    elif spoil == "stamp":
        (copy / ".venv/stamp").unlink()
    else:
        copy = copy.rename(copy.parent / "moved")
    calls = copy / "calls"
    # Stands for the interpreter: makes an environment whose pip notes what it is asked for.
    program(
        programs / "python3",
        f'case $1 in -c) echo "{programs}/python3";; -m) mkdir -p "$3/bin" "$3/lib/python3.11/site-packages"\n'
        'mkdir -p "$3/share/jupyter/kernels/python3"\n'
        f'printf \'#!/bin/sh\\necho "$@" >>"{calls}"\\n\' >"$3/bin/python"; chmod +x "$3/bin/python";; esac',
    )
    for name in ("mkdir", "chmod"):
        (programs / name).symlink_to(str(shutil.which(name)))
    done = launch(copy, programs, "doctor")
    assert "→ Python environment .venv" in done.stderr
    asked = calls.read_text().splitlines()
    assert [line.rsplit("/", 1)[1] for line in asked[:2]] == ["requirements-build.lock", "requirements.lock"]
    assert all("--require-hashes" in line and "--compile" in line for line in asked[:2])
    assert asked[2] == "-P -m atomic_lib doctor"
    assert (copy / ".venv/lib/python3.11/site-packages/atomic-workbook.pth").read_text() == f"{copy}\n"
    assert (copy / ".venv/share/jupyter/kernels/python3/kernel.json").read_bytes() == kernel(copy / ".venv")
    assert launch(copy, programs, "doctor").stderr == ""


def test_failed_set_up_is_not_taken_as_ready(copy: Path, programs: Path) -> None:
    for name in ("mkdir", "chmod", "rm"):
        (programs / name).symlink_to(str(shutil.which(name)))
    program(
        programs / "python3",
        f'case $1 in -c) echo "{programs}/python3";; -m) mkdir -p "$3/bin"\n'
        'printf "#!/bin/sh\\nexit 3\\n" >"$3/bin/python"; chmod +x "$3/bin/python";; esac',
    )
    assert refusal(copy, programs, "doctor").status == 3
    assert not (copy / ".venv/stamp").exists()
    assert refusal(copy, programs, "doctor").status == 3


def with_interpreter(copy: Path, programs: Path, tools: str) -> None:
    """An interpreter that makes environments, whose Python prints its arguments; ``tools``: how it makes the tools."""
    as_user(programs, 1000)
    for name in ("mkdir", "chmod", "rm"):
        (programs / name).symlink_to(str(shutil.which(name)))
    program(
        programs / "python3",
        f'case $1 in -c) echo "{programs}/python3";; -P) echo "$@ $PYTHONPATH" >"{copy}/made"; {tools};;\n'
        '-m) mkdir -p "$3/bin" "$3/lib/python3.11/site-packages" "$3/share/jupyter/kernels/python3"\n'
        'printf \'#!/bin/sh\\necho "$@"\\n\' >"$3/bin/python"; chmod +x "$3/bin/python";; esac',
    )


def test_the_tools_tree_is_made_beside_the_environment(copy: Path, programs: Path) -> None:
    with_interpreter(copy, programs, "exit 0")
    assert launch(copy, programs, "run").stdout.endswith("-P -m atomic_lib run\n")
    assert (copy / "made").read_text() == f"-P -m {make_tools.__spec__.name} {copy}\n"
    (copy / "made").unlink()
    launch(copy, programs, "run")
    assert not (copy / "made").exists(), "where the environment is ready, the command makes its tools itself"


def test_what_needs_no_tools_makes_none(copy: Path, programs: Path) -> None:
    with_interpreter(copy, programs, "exit 0")
    launch(copy, programs, "doctor")
    assert not (copy / "made").exists()


def test_without_its_tools_no_command_starts(copy: Path, programs: Path) -> None:
    with_interpreter(copy, programs, "echo no mirror >&2; exit 1")
    error = refusal(copy, programs, "run")
    assert error.status == 1
    assert "no mirror" in error.stderr
    assert "atomic_lib run" not in error.stdout


def test_the_tools_are_stopped_where_the_environment_fails(copy: Path, programs: Path) -> None:
    (programs / "sleep").symlink_to(str(shutil.which("sleep")))
    stopped = f'trap \'echo stopped >"{copy}/made"; exit 1\' TERM; echo yes >"{copy}/ready"; sleep 20 & wait; exit 0'
    with_interpreter(copy, programs, stopped)
    (programs / "mkdir").unlink()
    program(programs / "mkdir", f'while ! [ -s "{copy}/ready" ]; do :; done; exit 3')
    assert refusal(copy, programs, "run").status
    assert (copy / "made").read_text() == "stopped\n"


def test_no_suitable_python_says_what_would_bring_one(copy: Path, programs: Path) -> None:
    program(programs / "python3", "exit 1")
    program(programs / "apt-get", "exit 1")
    error = refusal(copy, programs, "--no-install", "doctor")
    assert "python3-venv" in error.stderr


def test_help_of_the_lab_installs_nothing(copy: Path, programs: Path) -> None:
    assert "notebooks/index.ipynb" in launch(copy, programs, "lab", "--help").stdout
    assert sorted(path.name for path in copy.iterdir()) == sorted([*LOCKS, "workbook"])


def test_ci_calls_the_tests_from_anywhere(copy: Path, programs: Path) -> None:
    make_ready(copy, ".venv", "requirements.lock")
    make_ready(copy, ".venv-lab", "requirements-lab.lock")
    make_ready(copy, ".venv-cluster", "requirements-cluster.lock")
    as_user(programs, 0)
    (copy / ".ci").mkdir()
    shutil.copy2(CHECKOUT / ".ci/run", copy / ".ci/run")
    done = command.run([copy / ".ci/run", "-k", "x"], cwd=Path("/"), env={"PATH": str(programs), "CI": "true"})
    assert done.stdout.startswith("-P -m atomic_lib test -k x\n")


def test_scripts_are_executable() -> None:
    assert os.access(CHECKOUT / "workbook", os.X_OK)
    assert os.access(CHECKOUT / ".ci/run", os.X_OK)
