"""For the tools tree's Python: finds the paths that match regular expressions of a recipe, which may take for ever.

    match_paths.py < JSON

The input is a list of [EXPRESSIONS, PATHS]. Prints, as soon as each is done, a line with a JSON list of the paths that
match one of its expressions anywhere.
"""

import json
import re
import sys

for expressions, paths in json.load(sys.stdin):
    compiled = [re.compile(expression) for expression in expressions]
    found = [path for path in paths if any(expression.search(path) for expression in compiled)]
    print(json.dumps(found), flush=True)
