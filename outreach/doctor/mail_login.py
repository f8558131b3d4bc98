"""Logs in to the mail server that e-mails go by, and gives it no message."""

from outreach.delivery.providers import LogsIn, open_vendor, vendor_settings
from outreach.settings import Settings


def find_login_fault(settings: Settings) -> str:
    """Nothing, where it lets us in or none is named; raises NotSent, saying which step failed.

    In rehearsal too: it is the day before going live that this is asked.
    """
    if settings.providers.email != "smtp" or vendor_settings(settings, "smtp").missing():
        return ""
    server = open_vendor("smtp", settings)
    if isinstance(server, LogsIn):
        server.log_in()
    return ""
