"""What providers and people say of messages that left comes in; later statuses and suppressions come out.

Nothing is ever sent from here.
"""

from outreach.tracking.events import Seen, record_event
from outreach.tracking.lookup import TrackReport, track_open
from outreach.tracking.replies import read_reply
from outreach.tracking.unsubscribing import unsubscribe

__all__ = ["Seen", "TrackReport", "read_reply", "record_event", "track_open", "unsubscribe"]
