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
    EVENT_KINDS,
    STATUSES,
    TOUCHING,
    Allowance,
    Attempt,
    Batch,
    Content,
    Decision,
    Event,
    Incident,
    Message,
    Moment,
    Suppression,
    Webhook,
)
from outreach.models.people import ROLES, AuditEntry, Pause, Staff

__all__ = [
    "CHANNELS", "EVENT_KINDS", "PURPOSES", "ROLES", "STATUSES", "TOUCHING", "Allowance", "Attempt", "AuditEntry",
    "Batch", "Consent", "Content", "Customer", "Decision", "Event", "Feedback", "Flag", "Import", "Incident",
    "Installation", "Invoice", "Message", "Moment", "Pause", "Payment", "Referral", "Refusal", "Staff", "Suppression",
    "Treatment", "Visit", "Webhook",
]  # fmt: skip
