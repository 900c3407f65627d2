"""Publishing: the one committer of the published tables, and the steps from there to a release."""
