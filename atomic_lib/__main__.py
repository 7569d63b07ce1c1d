"""``python -m atomic_lib``: the command that ./workbook runs."""

import sys

from atomic_lib.cli import main

sys.exit(main(sys.argv[1:]))
