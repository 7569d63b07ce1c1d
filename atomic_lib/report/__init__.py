"""Results as tables, figures, text and pages. Nothing is measured here.

The folders, each of which imports only from itself and from those before it:

- ``elements``: what renders in notebooks and pages: cells, tables, blocks; values as text.
- ``text``: sentences about results, and how each figure is measured.
- ``tables``: tables of boots (``boot``), of packages, files and bytes (``build_contents``), of studies.
- ``release_notes``: the notes of one image, as a page and as Markdown.
- ``figures``: pictures, and the sections of a page that hold one.
- ``page``: executed notebooks as HTML.
"""
