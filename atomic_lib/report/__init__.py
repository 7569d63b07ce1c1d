"""Results as tables, figures, text and pages. Nothing is measured here.

The rooms, each of which imports only itself and those before it:

- ``elements``: what shows itself in a notebook and a page: cells, tables, blocks; values as text.
- ``text``: sentences about results, and how each figure is measured.
- ``tables``: tables of boots (``boot``), of packages, files and bytes (``contents``), of studies.
- ``figures``: pictures, and the sections of a page that hold one.
- ``page``: executed notebooks as HTML.
"""
