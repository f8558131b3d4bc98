"""What became of everything: the database in, counts and stories out. Reads only; counts name no person."""

from outreach.learning.alarms import Alarm, find_alarms
from outreach.learning.counts import StatusReport, count_messages, count_set_aside
from outreach.learning.moment_results import count_results
from outreach.learning.progress import follow_batch, follow_messages, list_followed
from outreach.learning.reports import write_report
from outreach.learning.search import find_people
from outreach.learning.sender_counts import count_handovers
from outreach.learning.story import Story, tell_story

__all__ = [
    "Alarm",
    "StatusReport",
    "Story",
    "count_handovers",
    "count_messages",
    "count_results",
    "count_set_aside",
    "find_alarms",
    "find_people",
    "follow_batch",
    "follow_messages",
    "list_followed",
    "tell_story",
    "write_report",
]  # fmt: skip
