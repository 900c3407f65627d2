"""Algorithms: what turns a title's features into annotations; `contract.py` is all that an author needs."""
