"""`selection.html`: why a selection has these rows, as one HTML page that needs no other file and no network."""
