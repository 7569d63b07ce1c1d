"""The parameters that options of commands set."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.pipeline.variant_options import parse_overrides


def test_overrides_are_typed_as_in_a_parameter_file() -> None:
    words = ["boots_bios=3", "content=fedora", "kernel_arguments=quiet audit=0", "lock="]
    assert parse_overrides(words) == {
        "boots_bios": 3,
        "content": "fedora",
        "kernel_arguments": "quiet audit=0",
        "lock": "",
    }


@pytest.mark.parametrize("word", ["boots_bios", "=3", "title=[1"])
def test_a_word_that_is_no_assignment_is_named(word: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        parse_overrides([word])
    assert word in caught.value.message
