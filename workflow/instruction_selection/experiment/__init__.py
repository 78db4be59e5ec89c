"""What a run is asked for: the types of config files, how they are read, and whether they fit together."""
