"""What the updates of a study's variants came to."""
