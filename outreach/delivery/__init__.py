"""Approved messages in; files and mail out, each message once, and a record of every try.

Nothing here changes a message's words; from approval on, nothing outside here changes its status.
"""

from outreach.delivery.control.pauses import PauseReport, pause, resume
from outreach.delivery.control.undoing import Undone, undo_approval
from outreach.delivery.due import DueReport, count_due
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import deliver_due

__all__ = [
    "DeliverReport", "DueReport", "PauseReport", "Undone", "count_due", "deliver_due", "pause", "resume",
    "undo_approval",
]  # fmt: skip
