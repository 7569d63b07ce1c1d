"""Content definitions (``params/content/NAME.yaml``): where a variant's packages come from."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import PARAMS_DIRECTORY
from atomic_lib.params.schema import ParamsModel, read_yaml_mapping


class _Definition(ParamsModel):
    content: str
    title: str
    kernel_arguments: str = ""
    """Words that this content's kernel needs on its command line, in every variant."""
    selinux_policy: str
    """The name of the policy's directory in /etc/selinux."""


class RepositoryContent(_Definition):
    """Yum repositories, as a distribution publishes them."""

    kind: Literal["repositories"]
    repo_file: str
    """A yum repository file in ``params/repos``, with metalinks and GPG keys."""
    releasever: str


class DebianContent(_Definition):
    """Stand-in content: Debian packages converted to RPMs, for hosts that reach no RPM mirror."""

    kind: Literal["debian-packages"]
    suite: str
    edition: int
    """Raise it to take the newest packages of the suite; its index is not fetched again otherwise."""
    releasever: str
    dropped: list[str]
    """Packages that only dpkg needs: they are removed from all dependencies, and converted only if a recipe names
    them."""


Definition = Annotated[RepositoryContent | DebianContent, Field(discriminator="kind")]


def load_definition(name: str, params: Path = PARAMS_DIRECTORY) -> RepositoryContent | DebianContent:
    """The content definition ``params/content/NAME.yaml``.

    Raises WorkbookError naming file and key if it is missing or a value is not accepted.
    """
    path = params / "content" / f"{name}.yaml"
    try:
        definition: RepositoryContent | DebianContent = TypeAdapter(Definition).validate_python(read_yaml_mapping(path))
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise WorkbookError(f"{path}: {key}: {problem['msg']}", hint="correct the file and run again") from None
    if definition.content != name:
        raise WorkbookError(f"{path}: content: must match the file name: {name!r}, not {definition.content!r}")
    return definition
