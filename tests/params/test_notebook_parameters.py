"""Truth values of notebooks: a text is none, whatever it says."""

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.notebook_parameters import ContainerParameters, EqualityParameters, notebook_parameters


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_is_taken_as_it_is(value: bool) -> None:
    assert notebook_parameters(ContainerParameters, "container.ipynb", swarm=value).swarm is value
    assert notebook_parameters(EqualityParameters, "equality.ipynb", boot=value).boot is value


@pytest.mark.parametrize("value", ["false", "true", "", 0, 1, None])
def test_all_else_is_refused_by_name_with_the_spelling_of_papermill(value: object) -> None:
    with pytest.raises(WorkbookError) as caught:
        notebook_parameters(ContainerParameters, "container.ipynb", swarm=value)
    assert caught.value.message == (
        f"notebooks/container.ipynb: swarm: {value!r} is not accepted: must be true or false"
    )
    assert "-p NAME True" in caught.value.hint
