"""Keeps what providers and people say of messages that left, and makes later statuses and suppressions of it.

Nothing is ever sent from here.
"""
