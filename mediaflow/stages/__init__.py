"""The stages: how each artifact of a title is made, from its bytes to its annotations."""
