"""What a run found, for readers: a target's table and figure, and the experiment's report."""
