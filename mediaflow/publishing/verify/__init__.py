"""Whether all that snapshots name is there and can be read: versions, tags, files, rows, models, artifacts."""
