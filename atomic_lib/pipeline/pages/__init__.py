"""Pages of one notebook each."""
