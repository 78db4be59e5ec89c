"""What methods share: similarities, subspaces, matching pursuit, clusters."""
