"""Where a recipe names a word: the file and line, for messages."""

import re

from atomic_lib.recipe.recipe import Recipe
from atomic_lib.recipe.source import lines_of


def place_of(word: str, recipe: Recipe) -> str:
    """``FILE:LINE`` of the first line of the recipe that has a word, outside of comments; only the file if none has."""
    whole = re.compile(rf"(?<![\w.+/-]){re.escape(word)}(?![\w.+/-])")
    for file in (file for file in recipe.files if file.is_file()):  # it may have gone since it was read
        for number, line in enumerate(lines_of(file.read_text(errors="replace")), start=1):
            if whole.search(line.partition("#")[0]):
                return f"{file}:{number}"
    return str(recipe.files[0])
