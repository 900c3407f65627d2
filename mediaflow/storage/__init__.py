"""Where everything is kept: objects, numbered logs, artifacts (Parquet) and tables (Lance)."""
