"""RPM files as they are, before any is installed."""
