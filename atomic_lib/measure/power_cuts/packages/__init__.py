"""A system that packages are made of, in a state of its disk: which of them are whole."""
