"""Exploring a variant: choices, what they would change, and a variant made of them."""
