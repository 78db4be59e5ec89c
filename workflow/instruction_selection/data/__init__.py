"""Examples: where they come from, how they are read, sampled and compared. Knows `core`."""
