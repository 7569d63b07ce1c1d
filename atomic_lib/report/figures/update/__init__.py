"""Figures of updates, and of power cuts in them."""
