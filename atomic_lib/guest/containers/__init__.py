"""Containers of the host's own RPM content, in a guest."""
