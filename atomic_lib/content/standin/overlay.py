"""Adds to Debian packages the files that their maintainer scripts would create (``overlay.yaml``)."""

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

_OVERLAY = Path(__file__).with_name("overlay.yaml")

Overlay = Mapping[str, Mapping[str, str]]
"""One package's additions by kind: directories, copies, files, append, links; see ``overlay.yaml``."""


def read_overlay() -> dict[str, Overlay]:
    """The overlays by package name."""
    overlays: dict[str, Overlay] = yaml.safe_load(_OVERLAY.read_text())
    return overlays


def apply_overlay(root: Path, overlay: Overlay) -> None:
    """Add one package's overlay to its unpacked ``root``."""
    for path, mode in overlay.get("directories", {}).items():
        _new(root, path).mkdir(exist_ok=True)
        _path_in(root, path).chmod(int(mode, 8))
    for target, source in overlay.get("copies", {}).items():
        shutil.copyfile(_path_in(root, source), _new(root, target))
        _path_in(root, target).chmod(0o644)
    for path, text in overlay.get("files", {}).items():
        _write(_new(root, path), text)
    for path, text in overlay.get("append", {}).items():
        _path_in(root, path).write_text(_path_in(root, path).read_text() + text)
    for path, target in overlay.get("links", {}).items():
        if _new(root, path).is_dir():
            _path_in(root, path).rmdir()
        os.symlink(target, _path_in(root, path))


def rename_units(root: Path, units: Iterable[tuple[str, str]]) -> None:
    """Give Debian's units their names in Fedora; the old name becomes another name of the same unit.

    ``units``: pairs of the name in Fedora and the name in Debian.
    """
    directory = root / "usr/lib/systemd/system"
    for fedora, debian in units:
        path, renamed = directory / debian, directory / fedora
        if os.path.lexists(renamed) or not os.path.lexists(path):
            continue
        if path.is_symlink():  # a second name in Fedora
            renamed.symlink_to(os.readlink(path))
        else:
            # an alias in [Install] would be the unit's own name
            text = re.sub(rf"^Alias={re.escape(fedora)}\n", "", path.read_text(), flags=re.M)
            path.unlink()
            _write(renamed, text)
            path.symlink_to(fedora)


def master_rows(masters: Path) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of passwd and group in base-passwd's templates in the directory ``masters``."""
    passwd, group = (
        [line.split(":") for line in (masters / f"{name}.master").read_text().splitlines()]
        for name in ("passwd", "group")
    )
    return passwd, group


def make_account_files(root: Path) -> None:
    """Create /etc/passwd, group, shadow and gshadow from base-passwd's templates; no account has a password."""
    passwd, group = master_rows(root / "usr/share/base-passwd")
    etc = _new(root, "/etc/passwd").parent
    _write(etc / "passwd", "".join(":".join([name, "x", *rest]) + "\n" for name, _, *rest in passwd))
    _write(etc / "group", "".join(":".join([name, "x", *rest]) + "\n" for name, _, *rest in group))
    for file, names in (("shadow", [row[0] for row in passwd]), ("gshadow", [row[0] for row in group])):
        ending = ":*:::::::" if file == "shadow" else ":*::"
        (etc / file).write_text("".join(f"{name}{ending}\n" for name in names))
        (etc / file).chmod(0o640)
        os.chown(etc / file, 0, next(int(row[2]) for row in group if row[0] == "shadow"))


def account_names(masters: Path) -> tuple[dict[int, str], dict[int, str]]:
    """The names of users and of groups by number, from base-passwd's templates in the directory ``masters``."""
    users, groups = ({int(row[2]): row[0] for row in rows} for rows in master_rows(masters))
    return users, groups


def move_kernel(root: Path) -> None:
    """Move kernel, config and System.map to /usr/lib/modules/KVER, where Fedora's packages have them."""
    for file in sorted((root / "boot").glob("*-*")):
        name, _, kver = file.name.partition("-")
        target = root / "usr/lib/modules" / kver / name
        if target.parent.is_dir():
            file.rename(target)


def _path_in(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _new(root: Path, path: str) -> Path:
    """``path`` below ``root``; creates missing directories above it, with mode 0755 under any umask."""
    target = _path_in(root, path)
    for directory in reversed(target.parents):
        if not directory.exists():
            directory.mkdir()
            directory.chmod(0o755)
    return target


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o644)
