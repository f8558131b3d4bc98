"""What providers and people say of messages that left comes in; later statuses and suppressions come out.

Nothing is ever sent from here.
"""

from outreach.tracking.events import Seen, apply_waiting, record_event
from outreach.tracking.lookup import TrackReport, track_open
from outreach.tracking.replies import answer_help, read_reply, record_reply, sounds_like_stop
from outreach.tracking.unsubscribing import unsubscribe
from outreach.tracking.webhooks import apply_pending_webhooks, apply_webhook, store_webhook

__all__ = [
    "Seen", "TrackReport", "answer_help", "apply_pending_webhooks", "apply_waiting", "apply_webhook", "read_reply",
    "record_event", "record_reply", "sounds_like_stop", "store_webhook", "track_open", "unsubscribe",
]  # fmt: skip
