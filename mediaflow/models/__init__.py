"""Models: names, identities, files in the store, and the encoders that turn pictures and texts into vectors."""
