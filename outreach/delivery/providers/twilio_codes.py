"""The codes by which Twilio says what went wrong: which kind each is, and what it means in words."""

# contracts/delivery-semantics.json lists which codes are for good. Twilio splits codes from time to time, so that one
# we do not know is for good as well: it is shown, and never tried again.
OPTED_OUT = frozenset({21610})
DEAD = frozenset({21211, 21614, 30005, 30006})
# They speak of one number, though some come with a status (403) that otherwise says that our account is not let in.
OF_THEIR_NUMBER = OPTED_OUT | DEAD | {21408, 21612}
QUEUE_FULL = frozenset({20429, 21611})
# What its callbacks call the state of a text.
KIND_OF = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending"), "accepted"),
    "sent": "in_transit",
    "delivered": "delivered",
    **dict.fromkeys(("undelivered", "failed"), "failed"),
    "canceled": "cancelled",
}
WORDS = {
    21211: "their number does not exist",
    21212: "our sender number is not valid; check it: outreach doctor",
    21408: "texts to their country are not switched on in our account",
    21606: "our sender number cannot send texts; check it: outreach doctor",
    21610: "they have told us to stop by text",
    21612: "our sender number cannot reach theirs",
    21614: "their number takes no texts",
    30003: "their telephone could not be reached",
    30005: "their number is not in use",
    30006: "their number is a landline, or its network takes no texts",
    30007: "a network filtered it as unwanted; have the wording looked at before more are sent",
    30034: "our number is not registered for texts to the United States",
}


def reason_of(code: int) -> str:
    """A code with what it means, in words, as far as we know it."""
    return f"{code}: {WORDS[code]}" if code in WORDS else f"{code}: see its list of error codes"
