"""Signs of life of notebooks that run side by side."""

from atomic_lib.pipeline.side_by_side.signs import Signs


def test_a_sign_of_life_stands_before_the_newest_ones_of_the_others() -> None:
    signs = Signs()
    assert signs.joined("a", "· a: compose: 3 s") == "· a: compose: 3 s"
    assert signs.joined("b", "· b: boot: 1 s") == "· b: boot: 1 s | a: compose: 3 s"
    assert signs.joined("a", "· a: compose: 13 s") == "· a: compose: 13 s | b: boot: 1 s"
    assert signs.joined("c", "· c: lock: 0 s") == "· c: lock: 0 s | a: compose: 13 s | b: boot: 1 s"


def test_nothing_is_said_of_steps_and_notebooks_that_have_ended() -> None:
    signs = Signs()
    signs.joined("a", "· a: compose: 3 s")
    signs.joined("b", "· b: boot: 1 s")
    signs.joined("c", "· c: boot: 1 s")
    for notebook, line in (("a", "✓ a: compose: 5.0 s"), ("b", "  ✗ b: boot: failed after 2.0 s")):
        assert signs.joined(notebook, line) == line
    signs.forget("c")
    assert signs.joined("d", "· d: lock: 0 s") == "· d: lock: 0 s"


def test_other_lines_stay_as_they_are() -> None:
    signs = Signs()
    signs.joined("a", "· a: compose: 3 s")
    for line in ("→ b: boot", "■ b: image", "! b: a note", "a line of the notebook", ""):
        assert signs.joined("b", line) == line
