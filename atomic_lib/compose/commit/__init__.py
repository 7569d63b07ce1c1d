"""What becomes of a tree's commit in its repository."""
