"""Reads kickstarts as Anaconda reads them."""
