"""Compose, build, boot and compare variants of the Fedora Atomic Cloud Image."""

__version__ = "0.1.0"
