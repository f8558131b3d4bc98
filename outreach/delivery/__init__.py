"""Approved messages in; files and mail out, each message once, and a record of every try.

Nothing here changes a message's words; from approval on, nothing outside here changes its status.
"""

from outreach.delivery.pauses import PauseReport, pause, resume
from outreach.delivery.sender import DeliverReport, deliver_due
from outreach.delivery.undoing import Undone, undo_approval

__all__ = ["DeliverReport", "PauseReport", "Undone", "deliver_due", "pause", "resume", "undo_approval"]
