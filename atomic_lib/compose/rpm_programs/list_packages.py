"""For the tools tree's Python: lists the packages in an RPM database.

    list_packages.py ROOT DATABASE

Prints a JSON list of objects: name, epoch, version, release and architecture of each.
"""

import json
import sys

from package_database import installed_packages


def main(root, database):
    tags = {"name": "name", "epoch": "epochnum", "version": "version", "release": "release", "arch": "arch"}
    packages = [{key: header[tag] for key, tag in tags.items()} for header in installed_packages(root, database)]
    json.dump(packages, sys.stdout)


main(*sys.argv[1:])
