"""The ways by which a message reaches somebody: letter, e-mail, text and call. It knows nothing of providers."""

from typing import Literal

#: The name of a channel as settings, tables and CSV files write it.
ChannelName = Literal["letter", "email", "text", "call"]
#: What one message of a channel is called.
NOUNS = {"letter": "letter", "email": "e-mail", "text": "text", "call": "call"}
