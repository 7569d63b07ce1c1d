"""Small things made on the spot: an RPM of one file."""

from pathlib import Path

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
