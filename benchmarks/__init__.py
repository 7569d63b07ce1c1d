"""How fast the workbook is: programs to run by hand, as root, on a machine that does nothing else.

``python -m benchmarks`` runs all of them; they write to ``build/benchmarks``. What a figure
means stands beside the function that makes it.
"""
