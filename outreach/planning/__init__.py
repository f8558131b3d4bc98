"""Decides on every moment, with its reason, and plans a message for those we write to. Nothing is sent."""
