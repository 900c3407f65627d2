"""Pictures and short films of hits, by links that are signed and expire."""
