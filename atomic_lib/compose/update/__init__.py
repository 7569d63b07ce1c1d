"""Updates of a deployed commit: the repository that serves them, and what a client will download of it."""
