"""A dnf that stays: it loads the repositories once and answers many questions."""
