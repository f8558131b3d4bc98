"""What does a cell say? The text of one cell becomes a value of ours, or does not fit, and a reason says why."""
