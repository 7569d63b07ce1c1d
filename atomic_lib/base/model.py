"""Base model and shared types of parameters and results."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from atomic_lib.base.errors import WorkbookError

Count = Annotated[int, Field(ge=0)]
Bytes = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_THREE_DECIMALS = AfterValidator(lambda value: round(value, 3))
WallSeconds = Annotated[Seconds, _THREE_DECIMALS]
"""Seconds of wall-clock time, to the millisecond: finer digits are noise."""
Load = Annotated[float, Field(ge=0, allow_inf_nan=False), _THREE_DECIMALS]
"""A number of processes or busy processors on average, as a load average is."""
Scalar = str | int | float | bool | None
Accelerator = Literal["kvm", "tcg"]
Firmware = Literal["bios", "uefi"]
SelinuxMode = Literal["enforcing", "permissive", "disabled"]
Agent = Literal["min-cloud-agent", "cloud-init", "ignition", "credentials"]
"""What provisions a guest; ``credentials``: systemd itself, without an agent."""
DataSource = Literal["ec2", "nocloud", "ignition", "credentials"]
"""Where a guest's data come from: a metadata service, a disc, fw_cfg, SMBIOS tables."""
Runtime = Literal["docker", "podman", "none"]
"""What runs containers in a guest."""


class Model(BaseModel):
    """A fact that is kept as JSON: frozen, unknown keys and wrong types refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,
    )


_M = TypeVar("_M", bound=Model)


def read_model(model: type[_M], path: Path, *, hint: str) -> _M:
    """The content of a JSON file. Raises WorkbookError naming the file and the first key that is wrong."""
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise WorkbookError(f"{path}: cannot be read: {error.strerror}", hint=hint) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the whole"
        raise WorkbookError(f"{path}: {key}: {first['msg']}", hint=hint) from None
