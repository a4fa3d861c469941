"""Other labelled sets, which are only scored on: each cell's answers, and what it loses there."""
