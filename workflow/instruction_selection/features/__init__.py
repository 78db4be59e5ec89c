"""One representation per example: gradients, embeddings, hidden states; in memory and in files."""
