"""How assets reach the world: thin adapters without logic."""
