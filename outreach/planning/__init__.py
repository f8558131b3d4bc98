"""Moments in; a decision with its reason for each, and a planned message for those we write to. Nothing is sent."""
