"""Reasons that stand beside a message's status and that the program reads again. It decides nothing."""

from outreach.planning.text_cap import TOO_MANY

#: Why a message is expired.
TOO_LATE = "not sent while it was useful"
#: Why a message is uncertain that a restored backup has forgotten to have sent.
MAY_HAVE_LEFT = "the database was restored from a backup, and it may have left before that"
#: Why an approved message waits until the hour comes.
OUTSIDE_HOURS = "it waits for the hours in which they may be reached, wherever they may be"
#: Why a message waits until an instant that is known.
TIMED = (OUTSIDE_HOURS, TOO_MANY)
