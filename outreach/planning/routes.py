"""The way by which one message goes. Which way it is, is decided in `channels.py`."""

from dataclasses import dataclass
from datetime import date

from outreach.channels import ChannelName


@dataclass(frozen=True)
class Route:
    """The channel, the day to send on, and why each channel before it was passed over."""

    channel: ChannelName
    send_on: date
    passed_over: tuple[str, ...]


@dataclass(frozen=True)
class Leg:
    """One message: its step among the moment's, its reference and its way. `contact_hash` is keyed."""

    step: int
    reference: str
    route: Route
    contact_hash: str
