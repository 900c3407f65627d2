"""The titles of a snapshot and their people: which of them a question is about, and who may see which."""
