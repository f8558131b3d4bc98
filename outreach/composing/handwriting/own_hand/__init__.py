"""Learns a person's own hand from a form that they filled in."""
