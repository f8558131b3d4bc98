"""The ways by which a message reaches somebody: letter, e-mail, text and call. It knows nothing of providers."""

from dataclasses import dataclass
from typing import Literal

#: The name of a channel as settings, tables and CSV files write it.
ChannelName = Literal["letter", "email", "text", "call"]


@dataclass(frozen=True)
class Channel:
    """What is the same for every message that goes by one way, whoever carries it."""

    name: ChannelName
    #: What people call one message of it.
    word: str
    #: The folder of its templates in templates/, which its template's names begin with.
    folder: str
    #: How the names of a template's files end: a message needs one file of each.
    template_endings: tuple[str, ...]
    #: What the bytes of a written message are.
    media_type: str
    #: How the name of a message's file ends where it is carried to a folder.
    file_ending: str
    #: What a message is sent to.
    contact: str
    #: What is said of somebody whom it cannot reach.
    no_contact: str


LETTER = Channel(
    "letter", "letter", "letters", ("html",), "application/pdf", "pdf", "address", "no complete address"
)  # fmt: skip
EMAIL = Channel(
    "email", "e-mail", "emails", ("html", "txt"), "message/rfc822", "eml", "e-mail address",
    "no e-mail address that works",
)  # fmt: skip
TEXT = Channel("text", "text", "texts", ("txt",), "text/plain", "txt", "number", "no number that works")
CALL = Channel("call", "call", "calls", ("txt",), "application/json", "json", "number", "no number that works")

#: All channels by name, in the order in which people read of them.
CHANNELS: dict[str, Channel] = {channel.name: channel for channel in (LETTER, EMAIL, TEXT, CALL)}
