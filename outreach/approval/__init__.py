"""Composed messages in; batches that a person or a rule has approved, rejected or let expire out, each act audited.

It never changes a message's words, and once a message is approved only the outbox writes its status.
"""

from outreach.approval.batches import approve_batch, expire_unapproved, open_batches, reject
from outreach.approval.staff import add_staff, give_first_password, list_staff, remove_staff, take_password

__all__ = [
    "add_staff",
    "approve_batch",
    "expire_unapproved",
    "give_first_password",
    "list_staff",
    "open_batches",
    "reject",
    "remove_staff",
    "take_password",
]
