"""The `outreach` command: a file for each group of commands, and what they share. They call rooms and hold no rules."""
