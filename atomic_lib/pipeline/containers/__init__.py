"""A variant's guest that runs containers made of the variant's own RPM files."""
