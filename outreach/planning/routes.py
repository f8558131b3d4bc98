"""The way by which one message goes. Which way that is, is decided in `channel_choice.py`."""

from dataclasses import dataclass
from datetime import date

from outreach.channels import ChannelName


@dataclass(frozen=True)
class Route:
    """The way of one message."""

    channel: ChannelName
    send_on: date
    #: Why each channel before it was passed over.
    passed_over: tuple[str, ...]


@dataclass(frozen=True)
class Leg:
    """One message of a candidate."""

    #: Its number among the moment's messages.
    step: int
    reference: str
    route: Route
    #: Keyed, as suppressions have it.
    contact_hash: str
