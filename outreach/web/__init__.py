"""Pages for a browser: counts for staff, unsubscribing for everyone. They call rooms and hold no rules."""
