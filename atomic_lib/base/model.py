"""The base of all models of results: their units, and strict validation."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]
Bytes = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Scalar = str | int | float | bool | None
Accelerator = Literal["kvm", "tcg"]
Firmware = Literal["bios", "uefi"]


class Model(BaseModel):
    """A part of a result: frozen; unknown keys and wrong types are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )
