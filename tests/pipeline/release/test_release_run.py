"""``./workbook release-notes``: the real notebook, over runs in a directory of the test's own."""

from pathlib import Path

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.cli import main
from atomic_lib.pipeline.release import release_run
from atomic_lib.pipeline.release.release_run import NotesRequest, run_release_notes
from atomic_lib.tools import user_namespace
from tests.report.release_notes.test_notes import run_with
from tests.results.sbom.recorded import recorded_build


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of the recorded build; the second is the latest one."""
    monkeypatch.setattr(release_run, "BUILD", tmp_path / "build")
    monkeypatch.setattr(user_namespace, "is_inside", lambda: True)
    directory = tmp_path / "build/runs"
    for name in ("one", "two"):
        run_with(directory / name, recorded_build()[0])
    (directory / "latest-default").symlink_to("two")
    return directory


def test_the_notes_are_beside_the_result_as_markdown_and_as_a_page(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = [runs / "two/atomic-min" / name for name in ("release-notes.md", "release-notes.html")]
    contents = []
    for _ in range(2):
        assert run_release_notes(NotesRequest("default", "atomic-min", since="one")) == 0
        assert capsys.readouterr().out.split() == list(map(str, written))
        contents.append([path.read_text() for path in written])
    assert contents[0] == contents[1]
    text, page = contents[0]
    assert text.startswith("# Release notes of atomic-min\n")
    assert "Compared with the run one, " in text
    assert page.count("<h1") == 1
    assert "Release notes of one image" not in page
    assert [name for name in ("release-notes.md", "lock.json", "result.json") if f'href="{name}"' in page] == [
        "release-notes.md", "lock.json",
    ]  # fmt: skip
    assert str(runs) not in page


def test_the_command_takes_a_run_by_name(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[NotesRequest] = []

    def ask(request: NotesRequest) -> int:
        asked.append(request)
        return 0

    monkeypatch.setattr(release_run, "run_release_notes", ask)
    assert main(["release-notes"]) == 0
    assert main(["release-notes", "--study", "own", "--variant", "atomic", "--run", "one", "--since", "two"]) == 0
    assert asked == [NotesRequest("default", "atomic-min"), NotesRequest("own", "atomic", "one", "two")]


@pytest.mark.parametrize("name", ["../runs/one", "/etc", "one/atomic-min"])
def test_what_is_not_the_name_of_a_run_is_refused(runs: Path, name: str) -> None:
    with pytest.raises(WorkbookError, match="not the name of a run"):
        run_release_notes(NotesRequest("default", "atomic-min", run=name))


@pytest.mark.parametrize(
    "request_", [NotesRequest("default", "nosuch"), NotesRequest("default", "atomic-min", since="nosuch")]
)
def test_nothing_is_written_for_what_is_not_there(runs: Path, request_: NotesRequest) -> None:
    with pytest.raises(WorkbookError, match="nosuch"):
        run_release_notes(request_)
    assert not list(runs.glob("*/*/release-notes*"))
