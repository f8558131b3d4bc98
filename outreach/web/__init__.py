"""Pages for a browser: counts for staff, unsubscribing for everyone. They call rooms and hold no rules."""

from outreach.web.app import create_app

__all__ = ["create_app"]
