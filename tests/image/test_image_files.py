"""The files of an image are read once for all that looks at them."""

from pathlib import Path

import pytest

from atomic_lib.formats.disk.file_system import FileSystem
from atomic_lib.image import image_files as module
from atomic_lib.image.image_files import ImageFiles
from tests.contexts import own_context
from tests.image.raw_disks import with_raw_disk


def test_an_image_is_read_at_the_first_look_and_not_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    (tmp_path / "made").touch()
    context = own_context(tmp_path)
    image = with_raw_disk(tmp_path / "made", tmp_path, context)

    def note(raw: Path) -> FileSystem:
        read.append(raw)
        return FileSystem(raw, {})

    monkeypatch.setattr(module, "read_file_system", note)
    files = ImageFiles(image, context)
    assert read == []
    assert files.file_system is files.file_system
    assert read == [image.raw_path(context)]
