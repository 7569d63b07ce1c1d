"""Truth values among the parameters of notebooks that are none of a variant.

papermill checks no types: ``-p swarm false`` gives a notebook the text "false", which is true for Python.
"""

from typing import TypeVar

from atomic_lib.base.errors import WorkbookError
from atomic_lib.params.schema import ParamsModel, validated

_HINT = "with papermill: -p NAME True or -p NAME False, any other word is a text; in a file: true or false"


class ContainerParameters(ParamsModel):
    """Of ``notebooks/container.ipynb``: whether the guest becomes a swarm."""

    swarm: bool


class EqualityParameters(ParamsModel):
    """Of ``notebooks/equality.ipynb``: whether both images are booted, too."""

    boot: bool


_M = TypeVar("_M", bound=ParamsModel)


def notebook_parameters(model: type[_M], notebook: str, **values: object) -> _M:
    """The parameters that ``notebook``, a file name, was given.

    Raises WorkbookError naming the notebook and each parameter that is not accepted.
    """
    try:
        return validated(model, values, f"notebooks/{notebook}", {})
    except WorkbookError as error:
        raise WorkbookError(error.message, hint=_HINT) from None
