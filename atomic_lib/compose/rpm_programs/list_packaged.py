"""For the tools tree's Python: lists the regular files that packages in an RPM database installed.

    list_packaged.py ROOT DATABASE

Prints a JSON object: rows of package, sha256 (empty if the package has another digest), modification time and size, by
path.
Bytes that are not UTF-8 are surrogates. Ghosts, and files that were not installed (documentation), are left out.
"""

import json
import stat
import sys

import rpm
from package_database import installed_packages

SHA256_LENGTH = 64


def main(root, database):
    packaged = {}
    for header in installed_packages(root, database):
        for file in rpm.files(header):
            if file.fflags & rpm.RPMFILE_GHOST or file.state != rpm.RPMFILE_STATE_NORMAL:
                continue
            if stat.S_ISREG(file.mode):
                digest = file.digest if len(file.digest) == SHA256_LENGTH else ""
                packaged.setdefault(file.name, []).append([header["name"], digest, file.mtime, file.size])
    json.dump({path: sorted(rows) for path, rows in sorted(packaged.items())}, sys.stdout)


main(*sys.argv[1:])
