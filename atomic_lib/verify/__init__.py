"""Proof that a build is the same in every bit: two builds from scratch under hostile differences, compared."""
