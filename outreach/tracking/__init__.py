"""What providers and people say of messages that left comes in; later statuses and suppressions come out.

Nothing is ever sent from here.
"""

from outreach.tracking.calls import Call, list_calls, record_call
from outreach.tracking.events import Seen, apply_waiting, record_event
from outreach.tracking.lookup import TrackReport, track_open
from outreach.tracking.news import record_news, take_back_news
from outreach.tracking.pulling_back import PullReport, cancel_pulled
from outreach.tracking.replies import answer_help, read_reply, record_reply, sounds_like_stop
from outreach.tracking.returned_mail import Returned, list_returned, record_returned
from outreach.tracking.unsubscribes import unsubscribe
from outreach.tracking.webhooks import apply_pending_webhooks, apply_webhook, record_refused, store_webhook

__all__ = [
    "Call", "PullReport", "Returned", "Seen", "TrackReport", "answer_help", "apply_pending_webhooks", "apply_waiting",
    "apply_webhook", "cancel_pulled", "list_calls", "list_returned", "read_reply", "record_call", "record_event",
    "record_news", "record_refused", "record_reply", "record_returned", "sounds_like_stop", "store_webhook",
    "take_back_news", "track_open", "unsubscribe",
]  # fmt: skip
