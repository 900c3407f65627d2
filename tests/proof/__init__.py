"""What is promised, proven at large: random histories, and readers that never stop."""
