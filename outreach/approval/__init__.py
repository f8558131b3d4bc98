"""Composed messages in; batches that a person or a rule has approved, rejected or let expire out, each act audited.

A message's words change only by an edit, which somebody else must approve; and once a message is approved only the
outbox writes its status.
"""
