"""Search over one published snapshot: the query model, the gateway, the searchers, and what comes back."""
