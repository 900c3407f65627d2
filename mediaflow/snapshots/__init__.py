"""Snapshots: the manifest of what is served together, the releases that point to it, and readers held at it."""
