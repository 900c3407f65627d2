"""Annotations that were made elsewhere: read from files, checked row by row, kept title by title for the stages."""
