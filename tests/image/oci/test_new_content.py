"""The least that an update can be: content that is new, each once, whatever it is called."""

import gzip
from pathlib import Path

import pytest

from atomic_lib.image.oci.new_content import NewContent, new_content
from tests.image.oci.hosts import FILES, image_context, make_host, make_image


def test_content_is_new_if_no_file_had_it_and_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = image_context(tmp_path / "context", monkeypatch)
    before = make_image(context, make_host(tmp_path / "1"))
    moved = {"usr/bin/one-moved": FILES["usr/bin/one"], "usr/bin/two": FILES["usr/etc/three.conf"]}
    new = {
        "usr/lib/one.so": "new!",
        "usr/lib/one-copy.so": "new!",
        "usr/lib/two.so": "new!",
        "usr/etc/three.conf": "others",
    }
    files = {path: text for path, text in FILES.items() if path != "usr/bin/one"} | moved | new
    after = make_image(context, make_host(tmp_path / "2", files), "2", before.packing)
    found = new_content(context.tools, before, after, tmp_path)
    assert found == NewContent(2, 10, len(gzip.compress(b"new!others", mtime=0)))


def test_nothing_new_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = image_context(tmp_path / "context", monkeypatch)
    tree = make_host(tmp_path / "1")
    before, after = make_image(context, tree), make_image(context, tree, "2")
    assert new_content(context.tools, before, after, tmp_path) == NewContent(0, 0, 0)
