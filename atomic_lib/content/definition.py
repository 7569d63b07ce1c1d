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
    """What this content's kernel needs on its command line whatever the variant."""
    selinux_policy: str
    """The name of the policy below /etc/selinux."""


class RepositoryContent(_Definition):
    """Yum repositories, as a distribution publishes them."""

    kind: Literal["repositories"]
    repo_file: str
    """A yum repository file in ``params/repos``; it names metalinks and GPG keys."""
    releasever: str


class DebianContent(_Definition):
    """Debian packages made into RPMs: content where no RPM mirror can be reached."""

    kind: Literal["debian-packages"]
    suite: str
    edition: int
    """Raise it to fetch the newest packages of the suite: nothing else is refreshed unasked."""
    releasever: str
    packages: list[str]
    """The packages to make available; what they depend on comes along."""
    dropped: list[str]
    """Packages that only serve dpkg: not made into RPMs, and taken out of every dependency."""


Definition = Annotated[RepositoryContent | DebianContent, Field(discriminator="kind")]


def load_definition(name: str, params: Path = PARAMS_DIRECTORY) -> RepositoryContent | DebianContent:
    """The content definition ``params/content/NAME.yaml``; raises WorkbookError naming file and key."""
    path = params / "content" / f"{name}.yaml"
    try:
        definition: RepositoryContent | DebianContent = TypeAdapter(Definition).validate_python(read_yaml_mapping(path))
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise WorkbookError(f"{path}: {key}: {problem['msg']}", hint="correct the file and run again") from None
    if definition.content != name:
        raise WorkbookError(f"{path}: content: must be {name!r}, as the file is named, not {definition.content!r}")
    return definition
