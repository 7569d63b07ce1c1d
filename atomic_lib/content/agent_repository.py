"""The repository with the RPM of min-cloud-agent, which is part of every content."""

from pathlib import Path

from atomic_lib.base.stage import Stage
from atomic_lib.content.signing import sign_and_index
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind

AGENT_PACKAGE = "min-cloud-agent"
AGENT_REQUIRES = ("curl", "systemd")
"""What the package requires, but for what stand-in content always has: the essential packages of its suite."""
_SOURCE = Path(__file__).parent / "min_cloud_agent"
_DEFINES = {
    "_topdir": "/tmp/top",
    "_sourcedir": "/mnt/source",
    "_rpmdir": "/mnt/out",
    "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    "_dbpath": "/tmp/rpmdb",
    "_buildhost": "workbook",
    "use_source_date_epoch_as_buildtime": "1",
    "clamp_mtime_to_source_date_epoch": "1",
}


def agent_repository(context: Context) -> Path:
    """The directory of the repository; built first if it is not in the cache."""
    return AGENT.get(None, context).path


def _make(_: None, context: Context, directory: Path) -> None:
    options = [word for name, value in _DEFINES.items() for word in ("--define", f"{name} {value}")]
    context.tools.run(
        ["rpmbuild", "-bb", "--quiet", *options, "/mnt/source/min-cloud-agent.spec"],
        binds=[Bind(_SOURCE, "/mnt/source"), Bind(directory, "/mnt/out", writable=True)],
        rights="root",
        env={"SOURCE_DATE_EPOCH": "0"},
    )
    sign_and_index(context.tools, directory, "workbook")


AGENT = Stage("agent", _make, lambda _, __: {}, title=lambda _: "min-cloud-agent RPM", shared=True)
