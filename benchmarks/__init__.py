"""What the workbook itself costs, and how well its counted boots repeat; see ``benchmarks/README.md``."""
