"""Gates: what a candidate must pass before it is released; a module a gate, all of them in `every.GATES`."""
