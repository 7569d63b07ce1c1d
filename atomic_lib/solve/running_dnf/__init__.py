"""A long-running dnf: it loads the repositories once and answers many questions."""
