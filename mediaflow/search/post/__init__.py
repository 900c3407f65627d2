"""From what tables answered to the answer: clauses combined and fused, in order, grouped, counted, shown."""
