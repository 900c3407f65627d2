"""The rendered film world: short films from a seed with their truth, and the small model that knows this world."""
