"""Planning: what every artifact should be, what exists, and so what is stale and why."""
