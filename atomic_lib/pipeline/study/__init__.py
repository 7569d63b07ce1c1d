"""Runs of a study: rounds of notebooks, and a page that compares their variants."""
