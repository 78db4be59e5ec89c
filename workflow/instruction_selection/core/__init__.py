"""What every other package may use: errors, files, logs, processes."""
