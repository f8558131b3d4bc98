"""What became of everything: the database in, counts out. Reads only; names no person."""

from outreach.learning.counts import StatusReport, count_messages
from outreach.learning.reports import write_report

__all__ = ["StatusReport", "count_messages", "write_report"]
