"""Small things made on the spot: an RPM of one file, and trees of such RPMs."""

from collections.abc import Mapping
from pathlib import Path

from atomic_lib.base.store import Store
from atomic_lib.compose.chroot import Installroot
from atomic_lib.compose.install import Installation, install
from atomic_lib.content.repositories import Content, local_repository
from atomic_lib.content.signing import sign_and_index
from atomic_lib.formats.rpm_headers import read_headers
from atomic_lib.recipe.recipe import Recipe
from atomic_lib.solve.resolve import resolve_rpm_set
from atomic_lib.tools.context import Context
from atomic_lib.tools.sandbox import Bind, Tools

_SPEC = """\
Name: {name}
Version: {version}
Release: 1
Summary: One file
License: none
BuildArch: noarch
AutoReqProv: no
{tags}
%description
One file.
%install
install -D -m 0644 /dev/null %{{buildroot}}/usr/share/{name}
{install}
{scriptlets}
%files
/usr/share/{name}
{files}
"""
_DEFINES = {
    "_topdir": "/tmp/top",
    "_rpmdir": "/mnt/out",
    "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    "_dbpath": "/tmp/rpmdb",
    "_buildhost": "workbook",
    "_binaries_in_noarch_packages_terminate_build": "0",
    "_invalid_encoding_terminates_build": "0",
    "__os_install_post": "%{nil}",
    "use_source_date_epoch_as_buildtime": "1",
    "clamp_mtime_to_source_date_epoch": "1",
}


def make_rpm(
    tools: Tools,
    directory: Path,
    name: str,
    version: str = "1",
    *,
    tags: str = "",
    install: str = "",
    scriptlets: str = "",
    files: str = "",
) -> Path:
    """An RPM with the file /usr/share/NAME, not signed, the same bytes each time.

    The rest is more of its spec: tags such as Requires, commands of %install, scriptlets, lines of %files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    options = [word for macro, value in _DEFINES.items() for word in ("--define", f"{macro} {value}")]
    tools.run(
        ["rpmbuild", "-bb", "--quiet", *options, "/dev/stdin"],
        binds=[Bind(directory, "/mnt/out", writable=True)],
        rights="root",
        env={"SOURCE_DATE_EPOCH": "0"},
        input=_SPEC.format(name=name, version=version, tags=tags, install=install, scriptlets=scriptlets, files=files),
    )
    return directory / f"{name}-{version}-1.noarch.rpm"


def make_deb(tools: Tools, directory: Path, name: str, version: str, relations: str = "", *, files: str = "") -> Path:
    """A .deb file with the file /usr/share/NAME, the same bytes each time.

    ``relations``: more lines of its control file. ``files``: commands that add more files below ``$1``.
    """
    directory.mkdir(parents=True, exist_ok=True)
    deb = directory / f"{name}_{version.replace(':', '%3a')}_all.deb"
    head = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: none\nDescription: small\n"
    script = f"""\
set -eu
mkdir -p "$1/DEBIAN" "$1/usr/share"
printf '%s' "$2" > "$1/DEBIAN/control"
echo "$3" > "$1/usr/share/{name}"
{files}
find "$1" -exec touch -d @1000000000 {{}} +
dpkg-deb --root-owner-group --build "$1" "/mnt/out/$4"
"""
    tools.run(
        ["sh", "-c", script, "sh", "/tmp/root", head + relations, version, deb.name],
        binds=[Bind(directory, "/mnt/out", writable=True)],
        rights="root",
        env={"SOURCE_DATE_EPOCH": "1000000000"},
    )
    return deb


def install_rpms(tools: Tools, directory: Path, specs: Mapping[str, Mapping[str, str]]) -> Installroot:
    """A new tree ``directory/root`` with RPMs of ``make_rpm``, by name; each has a static /bin/sh before it."""
    repository = directory / "tiny"
    shell = "install -D -m 0755 /usr/bin/busybox %{buildroot}/bin/sh"
    make_rpm(tools, repository, "shell", install=shell, files="/bin/sh")
    for name, spec in specs.items():
        make_rpm(tools, repository, name, **spec)
    (directory / "comps.xml").write_text("<comps/>\n")
    sign_and_index(tools, repository, "tiny", comps=directory / "comps.xml")
    content = Content(
        name="tiny", title="Tiny", key="k", releasever="1", kernel_arguments="", selinux_policy="none",
        repo_text=local_repository("tiny"), local={"tiny": repository}, remote=False, dnf_cache=None,
    )  # fmt: skip
    context = Context(tools, directory / "cache", Store(directory / "store"))
    recipe = Recipe(files=(Path("tiny.yaml"),), packages=("shell", *specs))
    rpm_set = resolve_rpm_set(recipe, content, context, name="test", lock_file=None)
    tree = Installroot(tools, directory / "root", 0)
    installation = Installation(recipe, content, rpm_set, read_headers(tools, rpm_set.directory))
    install(tree, installation, context, name="test", log=directory / "log")
    return tree
