"""The tables. A status is changed only by the room that the design names for it; see docs/glossary.md for the words."""

from outreach.models.customers import (
    CHANNELS,
    DESK,
    INVOICE_STATUSES,
    PURPOSES,
    Consent,
    Customer,
    Feedback,
    Flag,
    Goodwill,
    Invoice,
    Payment,
    Referral,
    Treatment,
    Visit,
)
from outreach.models.identity import Double, HouseholdWord, Merge, Repointed, SetAside
from outreach.models.installation import Import, Installation, Refusal, RefusedWebhook, RunMark, UnreadRow
from outreach.models.messages import (
    EVENT_KINDS,
    LEFT,
    STATUSES,
    TOUCHING,
    Attempt,
    Batch,
    Content,
    Decision,
    Event,
    Incident,
    Message,
    Moment,
    Suppression,
    Thumbnail,
    Webhook,
)
from outreach.models.people import (
    ROLES,
    AuditEntry,
    Failure,
    KnobVersion,
    Pause,
    Place,
    SignIn,
    Staff,
    TemplateVersion,
    TreatmentAnswer,
)
from outreach.models.provenance import PARTS, Edit, Hand, KnobSet, Provenance, Wording
from outreach.models.rates import Allowance
from outreach.models.rewards import Reward

__all__ = [
    "CHANNELS", "DESK", "EVENT_KINDS", "INVOICE_STATUSES", "LEFT", "PARTS", "PURPOSES", "ROLES", "STATUSES",
    "TOUCHING", "Allowance", "Attempt", "AuditEntry", "Batch", "Consent", "Content", "Customer", "Decision", "Double",
    "Edit", "Event", "Failure", "Feedback", "Flag", "Goodwill", "Hand", "HouseholdWord", "Import", "Incident",
    "Installation", "Invoice", "KnobSet", "KnobVersion", "Merge", "Message", "Moment", "Pause", "Payment", "Place",
    "Provenance", "Referral", "Refusal", "RefusedWebhook", "Repointed", "Reward", "RunMark", "SetAside", "SignIn",
    "Staff", "Suppression", "TemplateVersion", "Thumbnail", "Treatment", "TreatmentAnswer", "UnreadRow", "Visit",
    "Webhook", "Wording",
]  # fmt: skip
