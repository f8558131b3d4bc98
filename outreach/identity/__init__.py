"""People who are on file twice, and who lives with whom. Four rooms ask it; it never decides to merge by itself."""
