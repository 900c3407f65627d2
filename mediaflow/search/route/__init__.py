"""From clauses to what the tables of a snapshot are asked."""
