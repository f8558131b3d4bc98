"""Composed messages in; batches that a person or a rule has approved, rejected or let expire out, each act audited.

A message's words change only by an edit, which somebody else must approve; and once a message is approved only the
outbox writes its status.
"""

from outreach.approval.approving import AT_THE_DESK, approve_batch
from outreach.approval.edits import edit_message
from outreach.approval.held_messages import hold_message, release_message
from outreach.approval.open_batches import open_batches
from outreach.approval.rejections import reject
from outreach.approval.staff import add_staff, give_first_password, list_staff, remove_staff, take_password
from outreach.approval.withdrawals import expire_unapproved, withdraw_stopped

__all__ = [
    "AT_THE_DESK",
    "add_staff",
    "approve_batch",
    "edit_message",
    "expire_unapproved",
    "give_first_password",
    "hold_message",
    "list_staff",
    "open_batches",
    "reject",
    "release_message",
    "remove_staff",
    "take_password",
    "withdraw_stopped",
]
