"""Decides whether a refusal says that an e-mail address does not exist. For any other reason no address is closed.

Mail servers answer so at RCPT, after DATA, or later through whoever carried the message; the rule is one for all.
"""

import re

# RFC 3463 and RFC 7505: no such mailbox, no such domain, no such syntax, moved away, a domain that takes no mail. Not
# 5.1.5 (it exists), nor 5.1.7 and 5.1.8, which speak of the sender.
DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10"})
# These say no more than “no”: 5.1.0 “about the address”, and the others not even that.
VAGUE = frozenset({"", "5.0.0", "5.1.0", "5.5.0"})
# RFC 5321: a mailbox that is not there, and one that is not here.
_CODES = frozenset({0, 550, 551, 553})
_WHO = r"(user|mailbox|recipient|address|account|person|inbox|addressee|customer|rcpt)"
_SAYS_DEAD = re.compile(
    rf"\b(no such (local )?{_WHO}|(unknown|invalid|non-?existent|nonexisting) (local )?{_WHO}"
    rf"|{_WHO}( name)? (is )?(unknown|invalid|not found|not known)|no (mailbox|{_WHO}) (here|by that name|found|with)"
    rf"|{_WHO}( \S+)? (does not|doesn.?t|doesnt) exist|{_WHO}( \S+)? (no longer exists?|has been deleted|not exist)"
    rf"|not a (known|valid) {_WHO}|not our customer|{_WHO} is not (known|valid)|invalid address)\b"
)
# Words by which the same sentence speaks of us, of our mail, or of now.
_SAYS_OTHERWISE = re.compile(
    r"\b(sender|spam|blocked|block ?list\w*|blacklist\w*|policy|reputation|relay\w*|quota|over ?quota|full|temporar\w*"
    r"|try again|rate|greylist\w*|grey ?listed|spf|dkim|dmarc|mail ?from)\b"
)


def says_no_such_address(enhanced: str, words: str, code: int = 0) -> bool:
    """Whether a refusal closes the address: by its enhanced status code, and by its words only where that is vague.

    `code` is the plain reply code, 0 where none is known.
    """
    if enhanced not in VAGUE:
        return enhanced in DEAD
    # Quoted words and addresses go first: a name such as “spam@…” or “unknown” in them says nothing about the refusal.
    plain_words = " ".join(re.sub(r"[<\"'’“].*?[>\"'’”]|\S+@\S+", " ", words.casefold()).split())
    return code in _CODES and bool(_SAYS_DEAD.search(plain_words)) and not _SAYS_OTHERWISE.search(plain_words)
