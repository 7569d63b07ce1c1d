"""Tables of containers in a guest."""
