"""Puts composed messages into batches, and lets a person or a rule approve, reject or expire them. Each act is audited.

A message's words change only by an edit, which somebody else must approve. Once a message is approved, only delivery
writes its status.
"""
