"""Agents that provision a guest, run against faults of the metadata service, the network, the disk and the data."""
