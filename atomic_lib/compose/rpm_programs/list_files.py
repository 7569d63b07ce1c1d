"""For the tools tree's Python: lists the paths of all packages in an RPM database.

    list_files.py ROOT DATABASE

Prints a JSON object: the names of the packages that have a path, by path. Bytes that are not UTF-8 are surrogates.
"""

import json
import sys

import rpm
from package_database import installed_packages


def main(root, database):
    owners = {}
    for header in installed_packages(root, database):
        for file in rpm.files(header):
            owners.setdefault(file.name, []).append(header["name"])
    json.dump({path: sorted(names) for path, names in sorted(owners.items())}, sys.stdout)


main(*sys.argv[1:])
