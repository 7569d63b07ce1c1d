"""``python -m atomic_lib``: what ./workbook hands over to."""

import sys

from atomic_lib.cli import main

sys.exit(main(sys.argv[1:]))
