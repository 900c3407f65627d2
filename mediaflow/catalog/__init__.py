"""Titles and their life: a library folder is read into title records, and those are kept in a numbered log."""
