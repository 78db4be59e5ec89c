"""A target's rows, and whether any of them occurs where it must not."""
