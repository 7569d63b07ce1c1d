"""Budgets (``params/budgets.yaml``): what a variant may cost at most, and what it must not contain."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.params.schema import ParamsModel, closest, read_yaml_mapping, validated

BUDGETS_FILE = "budgets.yaml"
_EXAMPLE = "git show HEAD:params/budgets.yaml has an example"
_WALL_CLOCK = ("ssh_login_seconds", "docker_ready_seconds", "script_done_seconds", "multi_user_seconds")
_Limit = Annotated[int, Field(ge=0)]
_Patterns = Annotated[tuple[str, ...], Field(strict=False)]


class Budget(ParamsModel):
    """What one variant may cost; None: no limit.

    ``counted_busy_seconds``: counted seconds. ``forbidden_packages``: shell patterns of names. ``set_uid_files`` and
    ``listening_sockets``: shell patterns of all that is allowed.
    """

    tree_bytes: _Limit | None = None
    tree_files: _Limit | None = None
    package_count: _Limit | None = None
    download_bytes: _Limit | None = None
    image_compressed_bytes: _Limit | None = None
    image_allocated_bytes: _Limit | None = None
    counted_busy_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    forbidden_packages: _Patterns = ()
    set_uid_files: _Patterns | None = None
    listening_sockets: _Patterns | None = None


def load_budgets(params: Path = PARAMS_DIRECTORY) -> dict[str, Budget]:
    """The budget of each variant that has one; empty if there is no file.

    Raises WorkbookError naming file and key if a value is not accepted, or for a budget of an unknown variant.
    """
    path = params / BUDGETS_FILE
    if not path.exists():
        return {}
    values = read_yaml_mapping(path)
    budgets = values.get("budgets")
    if list(values) != ["budgets"] or not isinstance(budgets, dict):
        raise WorkbookError(f"{path}: must have one key, budgets: a mapping of variants", hint=_EXAMPLE)
    return {str(name): _budget(path, name, value, params) for name, value in budgets.items()}


def _budget(path: Path, name: object, value: object, params: Path) -> Budget:
    variants = sorted(file.stem for file in (params / "variants").glob("*.yaml"))
    if name not in variants:
        raise WorkbookError(
            f"{path}: budgets: no such variant {name!r}{closest(name, variants)}", hint=f"known: {', '.join(variants)}"
        )
    source = f"{path}: budgets: {name}"
    if not isinstance(value, dict):
        raise WorkbookError(f"{source}: must be a mapping of figures to limits", hint=_EXAMPLE)
    timed = [key for key in value if str(key).partition(":")[0] in _WALL_CLOCK]
    if timed:
        raise WorkbookError(
            f"{source}: {timed[0]}: there is no budget of wall-clock times: they depend on the machine and its load",
            hint="use counted_busy_seconds, and counted_boots: 1 in the study",
        )
    return validated(Budget, value, source, {})
