"""Models of facts."""

from atomic_lib.base.model import Model


class Fact(Model):
    """A model that nothing has used."""

    number: int


def test_the_parts_of_a_model_are_made_when_it_is_used() -> None:
    assert not Fact.__pydantic_complete__
    assert Fact.model_validate_json('{"number": 1}') == Fact(number=1)
    assert Fact.__pydantic_complete__
