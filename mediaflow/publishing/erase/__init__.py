"""A title is taken out of everything: snapshots, tables, artifacts, ledger, catalogue, caches."""
