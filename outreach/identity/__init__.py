"""Finds people who are on file twice, and who lives with whom. Four rooms ask it; it never merges anybody by itself."""
