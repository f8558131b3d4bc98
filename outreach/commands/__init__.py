"""The commands that are not in cli.py, by what they are about, and the options they all share. They hold no rules."""
