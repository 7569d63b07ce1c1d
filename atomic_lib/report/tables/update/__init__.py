"""Tables of an update: what it costs to download, and what a guest showed on the way to version 2 and back."""
