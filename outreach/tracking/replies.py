"""What somebody wrote back: their words in, one of four meanings out. Only a whole message is a command."""

import re
import unicodedata
from typing import Literal

Meaning = Literal["stop", "start", "help", "person"]

COMMANDS: dict[str, Meaning] = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT", "ARRET"), "stop"),
    **dict.fromkeys(("START", "UNSTOP"), "start"),
    **dict.fromkeys(("HELP", "INFO"), "help"),
}


def read_reply(words: str) -> Meaning:
    """The command that the whole message is, whatever its case, accents and punctuation; else "person".

    “Stop!” stops; “restart the washing machine” and “please don't write any more” are for a person to read.
    """
    plain = unicodedata.normalize("NFKD", words).upper()
    # A question is not a command: “Cancel?” asks about an appointment as likely as not.
    if "?" in plain:
        return "person"
    return COMMANDS.get(re.sub(r"[^\w]|_", "", "".join(c for c in plain if not unicodedata.combining(c))), "person")
