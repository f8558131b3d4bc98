"""What became of everything: the database in, counts out. Reads only; names no person."""

from outreach.learning.counts import StatusReport, count_messages
from outreach.learning.reports import write_report
from outreach.learning.results import count_results

__all__ = ["StatusReport", "count_messages", "count_results", "write_report"]
