"""Texts that run in a guest."""

from pathlib import Path

import pytest

from atomic_lib.guest.programs import program_text


def test_a_key_is_replaced_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/script").write_text("echo @ONE@ @TWO@ user@host @ONE@\n")
    module = str(tmp_path / "module.py")
    assert program_text(module, "folder/script", ONE="1", TWO="2") == "echo 1 2 user@host 1\n"
    assert program_text(module, "folder/script") == "echo @ONE@ @TWO@ user@host @ONE@\n"
    with pytest.raises(KeyError, match="folder/script has no @THREE@"):
        program_text(module, "folder/script", THREE="3")
