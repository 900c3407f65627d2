"""What is read of a snapshot without a search: annotations of a range, what there is to ask, pictures of shots."""
