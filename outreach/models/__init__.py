"""The tables. A status is changed only by the room that the design names for it; see docs/glossary.md for the words."""

from outreach.models.customers import (
    CHANNELS,
    PURPOSES,
    Consent,
    Customer,
    Feedback,
    Flag,
    Invoice,
    Payment,
    Referral,
    Treatment,
    Visit,
)
from outreach.models.installation import Import, Installation, Refusal
from outreach.models.messages import (
    STATUSES,
    TOUCHING,
    Attempt,
    Batch,
    Content,
    Decision,
    Event,
    Message,
    Moment,
    Suppression,
)
from outreach.models.people import ROLES, AuditEntry, Pause, Staff

__all__ = [
    "CHANNELS", "PURPOSES", "ROLES", "STATUSES", "TOUCHING", "Attempt", "AuditEntry", "Batch", "Consent", "Content",
    "Customer", "Decision", "Event", "Feedback", "Flag", "Import", "Installation", "Invoice", "Message", "Moment",
    "Pause", "Payment", "Referral", "Refusal", "Staff", "Suppression", "Treatment", "Visit",
]  # fmt: skip
