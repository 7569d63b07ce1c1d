"""Files that several results of a stage have in common."""
