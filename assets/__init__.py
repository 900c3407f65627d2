"""What exists: a title's stages, the models, the snapshot and the release."""
