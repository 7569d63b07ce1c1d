"""diff: what it names, which status it ends with, and what it says where packages cannot be compared."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from atomic_lib.base.command import CommandError
from atomic_lib.cli import main
from atomic_lib.pipeline.recipe_files import own_recipes, package_differences
from atomic_lib.pipeline.recipe_files.entry_differences import entry_differences
from atomic_lib.recipe.load import read_recipe
from atomic_lib.recipe.recipe import PostScript, Recipe

BASE = "packages: [bash, tar]\nunits: [sshd.service]\npostprocess:\n  - |\n    #!/bin/bash\n    true\n"
BASH, TAR = ["bash", "bash-0:5.2-1.x86_64", 900, 7_000_000], ["tar", "tar-0:1-1.x86_64", 400, 3_000_000]
NEWER = ["bash", "bash-0:5.3-1.x86_64", 900, 7_500_000]
KEYS = ("name", "nevra", "download_bytes", "installed_bytes")


class Solver:
    """In place of the process in the namespace: answers with packages or with a problem; keeps its words."""

    def __init__(self) -> None:
        self.answer: object = None
        self.words: list[str] = []

    def solves(self, *recipes: Sequence[Sequence[object]]) -> None:
        self.answer = [[dict(zip(KEYS, package, strict=True)) for package in packages] for packages in recipes]

    def __call__(self, module: str, words: Sequence[str], **_: object) -> None:
        self.words = list(words)
        if self.answer is None:
            raise CommandError("resolve: exit status 1", log="Traceback")
        text = json.dumps(self.answer).replace("STUDY", words[0])
        Path(words[-1]).write_text(text)


@pytest.fixture
def solver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Solver:
    """Two recipes, first.yaml and second.yaml, in the current directory, and what resolves them."""
    monkeypatch.chdir(tmp_path)
    Path("first.yaml").write_text("ref: own\npackages: [bash]\n")
    Path("second.yaml").write_text("ref: own\npackages: [bash, tar]\n")
    own = Solver()
    monkeypatch.setattr(own_recipes, "BUILD", tmp_path / "build")
    monkeypatch.setattr(package_differences, "run_module", own)
    return own


def diff(*words: str) -> int:
    return main(["diff", *words, "first.yaml", "second.yaml"])


DRIFTS = {
    "packages: [bash]": "- packages: tar",
    "packages: [bash, tar, zip]": "+ packages: zip",
    "exclude-packages: [vim]": "+ excluded packages: vim",
    "units: [sshd.service, docker.service]": "+ enabled units: docker.service",
    "units: []": "- enabled units: sshd.service",
    "repos: [updates]": "+ repositories: updates",
    "remove-files: [etc/motd]": "+ removed paths: etc/motd",
    "documentation: false": "+ documentation: False",
    "recommends: false": "+ weak_dependencies: False",
    "selinux: false": "+ selinux: disabled",
    "default-target: graphical.target": "+ default_target: graphical.target",
    "install-langs: [en]": "+ languages: en",
    "initramfs-args: [--add=iscsi]": "+ initramfs_arguments: --add=iscsi",
    "ref: other": "+ ref: other",
    "releasever: 43": "+ releasever: 43",
    "automatic-version-prefix: '43'": "+ version_prefix: 43",
    "postprocess: ['false']": "+ script: other.yaml:1",
    "postprocess: []": "- script: own.yaml:5",
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_planted_drift_is_named(
    tmp_path: Path, drift: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text(f"ref: own\n{BASE}")
    key = drift.partition(":")[0]
    kept = [line for line in Path("own.yaml").read_text().splitlines() if not line.startswith(f"{key}:")]
    if key == "postprocess":
        kept = [line for line in kept if not line.startswith(" ")]
    Path("other.yaml").write_text("\n".join([drift, *kept]) + "\n")
    assert main(["diff", "--only", "entries", "own.yaml", "other.yaml"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["- own.yaml", "+ other.yaml"]
    assert DRIFTS[drift] in lines[2:]
    assert len(lines) <= 4


def test_equal_recipes_have_no_difference_whatever_their_order_and_nothing_is_resolved(
    solver: Solver, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("first.yaml").write_text("packages: [tar, bash]\nref: own\n")
    assert diff() == 0
    assert capsys.readouterr().out == "no difference\n"
    assert solver.words == []


@pytest.mark.parametrize(
    ("line", "file"),
    [("add-files: [[motd, /etc/motd]]", "motd"), ("ostree-layers: [overlay/own]", "overlay.d/own/etc/motd"),
     ("", "finalize.d/10-own")],
)  # fmt: skip
def test_files_of_one_size_with_other_content_are_a_difference(tmp_path: Path, line: str, file: str) -> None:
    for name in ("first", "second"):
        content = tmp_path / name / file
        content.parent.mkdir(parents=True)
        content.write_text(f"#!/bin/sh\n# {name:6}\n")
        content.chmod(0o755)
        (tmp_path / name / "own.yaml").write_text(f"ref: own\npackages: [bash]\n{line}\n")
    recipes = [read_recipe(tmp_path / name / "own.yaml") for name in ("first", "second")]
    assert {one.side for one in entry_differences(*recipes)} == {"-", "+"}


def test_host_names_of_one_length_are_a_difference(tmp_path: Path) -> None:
    for name in ("first", "other"):
        (tmp_path / f"{name}.ks").write_text(f"network --hostname={name}\n%packages\nbash\n%end\n")
    recipes = [read_recipe(tmp_path / f"{name}.ks") for name in ("first", "other")]
    assert [one.what for one in entry_differences(*recipes)] == ["added_files", "added_files"]


def test_no_language_at_all_differs_from_all_languages(tmp_path: Path) -> None:
    for name, option in (("first", ""), ("second", " --inst-langs=")):
        (tmp_path / f"{name}.ks").write_text(f"%packages{option}\nbash\n%end\n")
    recipes = [read_recipe(tmp_path / f"{name}.ks") for name in ("first", "second")]
    assert list(map(str, entry_differences(*recipes))) == ["+ languages: an empty list"]
    assert list(map(str, entry_differences(*recipes[::-1]))) == ["- languages: an empty list"]


def test_the_order_of_repositories_languages_and_firewall_services_is_no_difference(tmp_path: Path) -> None:
    lines = [f"repo --name={name} --baseurl=https://{name}.example/\n" for name in ("a", "b")]
    texts = {
        "first": "".join(lines) + "firewall --service=ssh,mdns\n%packages --inst-langs=en,de\nbash\n%end\n",
        "second": "".join(lines[::-1]) + "firewall --service=mdns,ssh\n%packages --inst-langs=de,en\nbash\n%end\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.ks").write_text(text)
    assert entry_differences(*(read_recipe(tmp_path / f"{name}.ks") for name in texts)) == []


def test_resolved_packages_are_compared(solver: Solver, capsys: pytest.CaptureFixture[str]) -> None:
    solver.solves([BASH], [NEWER, TAR])
    assert diff() == 1
    assert capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ").splitlines() == [
        "- first.yaml", "+ second.yaml", "+ packages: tar", "+ resolved: tar-0:1-1.x86_64 (3.0 MB)",
        "± resolved: bash-0:5.2-1.x86_64 → bash-0:5.3-1.x86_64 (+0.5 MB)",
        "resolved to 1 package (7.0 MB installed) and 2 packages (10.5 MB installed), +3.5 MB, from content standin",
    ]  # fmt: skip
    assert solver.words[1:3] == ["standin", "find"]


def test_json_has_the_same(solver: Solver, capsys: pytest.CaptureFixture[str]) -> None:
    solver.solves([BASH], [NEWER, TAR])
    assert diff("--json", "--content", "fedora") == 1
    data = json.loads(capsys.readouterr().out)
    assert data["recipes"] == ["first.yaml", "second.yaml"]
    assert data["entries"] == [{"side": "+", "what": "packages", "value": "tar"}]
    assert [package["nevra"] for package in data["packages"]["only_second"]] == ["tar-0:1-1.x86_64"]
    assert [[one["nevra"] for one in pair] for pair in data["packages"]["changed"]] == [[BASH[1], NEWER[1]]]
    assert (data["packages"]["content"], data["packages"]["installed_bytes"]) == ("fedora", [7_000_000, 10_500_000])
    assert data["packages_not_compared"] is None


def test_only_packages_is_about_packages(solver: Solver, capsys: pytest.CaptureFixture[str]) -> None:
    solver.solves([BASH], [BASH])
    assert diff("--only", "packages") == 0
    printed = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")
    assert printed == "no difference\nboth resolved to the same 1 package (7.0 MB installed), from content standin\n"
    assert solver.words[2] == "make"


PROBLEM = {"message": "STUDY/files/second/second.yaml:2: no package 'tar'", "hint": "correct the name", "log": ""}


def test_where_packages_cannot_be_compared_the_entries_are(
    solver: Solver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solver.answer = PROBLEM
    assert diff() == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[2:] == ["+ packages: tar"]
    reason = f"{tmp_path}/second.yaml:2: no package 'tar'\nNext step: correct the name"
    assert said.err == f"! resolved packages are not compared: {reason}\n"
    assert diff("--json") == 1
    assert json.loads(capsys.readouterr().out)["packages_not_compared"] == reason


def test_a_process_that_fails_is_told_with_its_output(solver: Solver, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff() == 1
    assert "not compared: the recipes cannot be resolved\nTraceback\n" in capsys.readouterr().err


def test_what_cannot_be_told_ends_with_2(solver: Solver, capsys: pytest.CaptureFixture[str]) -> None:
    solver.answer = PROBLEM
    assert diff("--only", "packages") == 2
    assert diff("--content", "none") == 2
    Path("second.yaml").write_text("packages: 5\n")
    assert diff() == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 3


def test_the_order_of_scripts_counts() -> None:
    one, other = (PostScript(text, "/bin/sh", False, f"own.yaml:{text}") for text in "12")
    first, second = (Recipe(files=(), packages=(), post_scripts=scripts) for scripts in ((one, other), (other, one)))
    assert [str(found) for found in entry_differences(first, second)] == [
        "- order of scripts: own.yaml:1, own.yaml:2", "+ order of scripts: own.yaml:2, own.yaml:1",
    ]  # fmt: skip


@pytest.mark.parametrize("changed", [{"in_tree": False}, {"stop_on_error": True}, {"interpreter": "/bin/bash"}])
def test_how_a_script_runs_counts(changed: dict[str, object]) -> None:
    plain = {"text": "true", "interpreter": "/bin/sh", "stop_on_error": False, "source": "own.ks:1"}
    first, second = (
        Recipe(files=(), packages=(), post_scripts=(PostScript(**values),))  # type: ignore[arg-type]
        for values in (plain, {**plain, **changed})
    )
    assert [found.what for found in entry_differences(first, second)] == ["script", "script"]
