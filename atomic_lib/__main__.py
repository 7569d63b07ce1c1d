"""``python -m atomic_lib``: the command that ./workbook runs."""

import sys

from atomic_lib.entry import start

sys.exit(start(sys.argv[1:]))
