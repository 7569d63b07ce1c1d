"""The file contexts that a commit is labelled by."""

from pathlib import Path

import pytest

from atomic_lib.compose.file_contexts import keep_contexts
from atomic_lib.compose.tree_access.tree_files import TreeFiles


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "/usr/etc /etc\n"),
        ("/var/home /home\n", "/var/home /home\n/usr/etc /etc\n"),
        ("/usr/etc /etc\n/x /y\n", "/usr/etc /etc\n/x /y\n"),
    ],
)
def test_usr_etc_can_be_labelled_as_etc(tmp_path: Path, before: str | None, after: str) -> None:
    (tmp_path / "root/contexts").mkdir(parents=True)
    (tmp_path / "root/contexts/file_contexts").write_text("/etc system_u:object_r:etc_t:s0\n")
    if before is not None:
        (tmp_path / "root/contexts/file_contexts.subs_dist").write_text(before)
    files = TreeFiles(tmp_path / "root")
    keep_contexts(files, "contexts", tmp_path / "changed", usr_etc_as_etc=True)
    assert (tmp_path / "changed/file_contexts.subs_dist").read_text() == after
    keep_contexts(files, "contexts", tmp_path / "kept")
    kept = tmp_path / "kept/file_contexts.subs_dist"
    assert (kept.read_text() if kept.exists() else None) == before
